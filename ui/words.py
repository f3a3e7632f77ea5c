"""The words and signs of a verdict: nothing is said by colour alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fitness import fields
from fitness.gates import Gate
from fitness.options import OPTIONS
from fitness.sensitivity import Change
from fitness.verdict import OptionResult, Verdict
from ui import format as fmt


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A state as a word, a character for tables, an icon for text, and a colour beside them."""

    word: str
    character: str
    icon: str
    colour: str
    meaning: str

    @property
    def badge(self) -> str:
        """The state as a Markdown badge."""
        return f":{self.colour}-badge[{self.icon} {self.word}]"

    @property
    def said(self) -> str:
        """The state and what it means, as a sentence."""
        return f"{self.word}: {self.meaning[:1].lower()}{self.meaning[1:]}"

    @property
    def cell(self) -> str:
        """The state in a table."""
        return f"{self.character} {self.word}"


STATUS: Mapping[str, Sign] = MappingProxyType(
    {
        "feasible": Sign(
            word="Feasible",
            character="✓",
            icon=":material/check_circle:",
            colour="green",
            meaning="Every limit that applies is kept.",
        ),
        "conditional": Sign(
            word="Conditional",
            character="?",
            icon=":material/help:",
            colour="orange",
            meaning="A limit is open: the fact is unknown, or the sources disagree.",
        ),
        "infeasible": Sign(
            word="Infeasible",
            character="✕",
            icon=":material/block:",
            colour="red",
            meaning="At least one limit excludes it.",
        ),
    }
)

CONFIDENCE: Mapping[str, Sign] = MappingProxyType(
    {
        "clear": Sign(
            word="Clear",
            character="✓",
            icon=":material/verified:",
            colour="green",
            meaning="It stays first over what is not known.",
        ),
        "close": Sign(
            word="Close",
            character="≈",
            icon=":material/compare_arrows:",
            colour="orange",
            meaning="Another option is nearly as good: decide by what you prefer to run.",
        ),
        "undecided": Sign(
            word="Undecided",
            character="?",
            icon=":material/help:",
            colour="orange",
            meaning="What is not known decides: answer the questions below first.",
        ),
    }
)

GATE: Mapping[bool | None, Sign] = MappingProxyType(
    {
        True: Sign(
            word="Passes",
            character="✓",
            icon=":material/check:",
            colour="green",
            meaning="The limit is kept.",
        ),
        False: Sign(
            word="Fails",
            character="✕",
            icon=":material/close:",
            colour="red",
            meaning="The limit excludes the option.",
        ),
        None: Sign(
            word="Open",
            character="?",
            icon=":material/question_mark:",
            colour="orange",
            meaning="Unknown, or sources disagree.",
        ),
    }
)

GRADE: Mapping[str, Sign] = MappingProxyType(
    {
        "analytic": Sign(
            word="By the formulas",
            character="f",
            icon=":material/functions:",
            colour="gray",
            meaning="Worked out by queueing formulas, not from requests that were played.",
        ),
        "simulated": Sign(
            word="Simulated",
            character="s",
            icon=":material/timeline:",
            colour="blue",
            meaning="Counted from requests that were played one by one; the bill is made by the formulas.",
        ),
    }
)
LIMITS_ALONE = Sign(
    word="By the limits alone",
    character="l",
    icon=":material/rule:",
    colour="gray",
    meaning="No option keeps every limit, so nothing was worked out or played.",
)
PENDING = Sign(
    word="By the formulas, simulating",
    character="f",
    icon=":material/hourglass_top:",
    colour="gray",
    meaning="The simulated figures follow in a moment.",
)

FUNCTIONS: Mapping[str, str] = MappingProxyType(
    {
        "cost": "Cost",
        "latency": "Latency",
        "throughput": "Throughput",
        "scaling": "Scaling",
        "traffic": "Traffic",
    }
)

SHORT: Mapping[str, str] = MappingProxyType(
    {
        "real_time": "Real-time",
        "serverless": "Serverless",
        "async": "Async",
        "batch": "Batch",
        "mme": "MME CPU",
        "mme_gpu": "MME GPU",
        "mce_direct": "Containers",
        "serial_pipeline": "Pipeline",
        "triton_ensemble": "Triton",
        "azure_functions": "Azure",
    }
)  # titles where there is little room

_UNITS = ("ms", "s", "mb", "gb", "gib", "usd")


def field_title(path: str) -> str:
    """Give what the form calls a field; a path that is no field stays as it is.

    >>> field_title("traffic.rps_peak"), field_title("invoke_overhead_ms")
    ('Peak requests', 'Invoke overhead (ms)')
    """
    known = fields.BY_PATH.get(path)
    return known.title if known else key_title(path)


def field_value(path: str, value: object) -> str:
    """Give a value of a field with the field's unit."""
    known = fields.BY_PATH.get(path)
    return fmt.value(value, known.unit or "" if known else "")


def key_title(key: str) -> str:
    """Give a key of a configuration as words, its unit in brackets.

    >>> key_title("min_instances"), key_title("memory_mb")
    ('Min instances', 'Memory (MB)')
    """
    parts = key.replace(".", "_").split("_")
    unit = parts.pop() if len(parts) > 1 and parts[-1] in _UNITS else ""
    words = " ".join(parts)
    shown_unit = {"gib": "GiB"}.get(unit, unit.upper() if unit in {"mb", "gb", "usd"} else unit)
    return words[:1].upper() + words[1:] + (f" ({shown_unit})" if shown_unit else "")


def option_title(option_id: str) -> str:
    """Give the title of an option by its id."""
    return OPTIONS[option_id].title if option_id in OPTIONS else option_id


def change(one: Change) -> str:
    """Give a change that would put an option first, as a sentence."""
    title, before, after = (
        field_title(one.field),
        field_value(one.field, one.before),
        field_value(one.field, one.after),
    )
    why = f": {one.why}" if one.why else ""
    return fmt.sentence(f"{title} from {before} to {after}{why}")


def grade(verdict: Verdict) -> Sign:
    """Give where the figures of a verdict come from; those of the formulas alone are about to be replaced."""
    if all(one.fitness is None for one in verdict.options):
        return LIMITS_ALONE
    return GRADE[verdict.options[0].grade] if verdict.draws else PENDING


def obstacle(result: OptionResult) -> str:
    """Give the first limit that fails, else the first open one, in a few words; empty: all are kept."""
    by_weight = [gate for gate in result.gates if gate.passes is False]
    by_weight += [gate for gate in result.gates if gate.passes is None]
    if not by_weight:
        return ""
    title, reason = by_weight[0].title, by_weight[0].reason
    return reason if reason.lower().startswith(title.lower()) else f"{title}: {reason}"


def gate_values(gate: Gate) -> tuple[str, str, str]:
    """Give what a gate asked, what is allowed and the margin, as text."""
    margin = fmt.UNKNOWN if gate.asked is None else ""
    if gate.margin is not None:
        margin = f"{fmt.number(gate.margin)}x"
    return fmt.value(gate.asked, gate.unit), fmt.value(gate.allowed, gate.unit), margin
