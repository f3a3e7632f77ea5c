"""The limit register: what each hosting option allows, as dated and sourced rows.

Two profiles: `article` is what held when the guidance was published (2022-23), `current` is what
is known today. The rows are in data/limits.csv, the names of the limits in data/limit_names.csv;
docs/limits.md explains both.
"""

import csv
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from fitness.errors import FitnessError, InputError, Problem
from fitness.options import OPTIONS
from fitness.options import option as option_of

PROFILES = ("article", "current")
STATUSES: Mapping[str, str] = MappingProxyType(
    {
        "current": "stated by a source of today",
        "era-2022-23": "stated by a source of 2022-23 and not re-checked since",
        "superseded": "held in 2022-23, replaced since",
        "disputed": "sources disagree",
        "unverified": "no reliable source was found; take it as open",
        "derived": "follows from the source by the reasoning in the note",
    }
)
TEXT_WIDTH = 120  # characters of a line of `as_text`
_VALUE_WIDTH = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitName:
    """What a limit id stands for."""

    id: str
    title: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One row of the register: what an option allows, who says so and when."""

    option: str
    limit: str  # a key of NAMES
    value: float | str  # a number, "yes", "no" (not possible or not available) or a text
    unit: str  # "" for texts
    profiles: frozenset[str]
    status: str  # a key of STATUSES
    source: str  # several sources stand between " ; "
    as_of: str  # as exact as the source is: "2023-03", "2022-2026"
    note: str

    @property
    def title(self) -> str:
        """Name of the limit for people."""
        return NAMES[self.limit].title

    @property
    def number(self) -> float | None:
        """The value when it is a number."""
        return None if isinstance(self.value, str) else self.value

    @property
    def text(self) -> str:
        """The value with its unit, as a person reads it.

        >>> limit("serverless", "payload_in", "current").text
        '4 MB'
        """
        if isinstance(self.value, str):
            return f"{self.value} {self.unit}".strip()
        unit = self.unit.removesuffix("s") if self.value == 1 and len(self.unit) > 1 else self.unit
        return f"{self.value:g} {unit}"

    @property
    def sources(self) -> tuple[str, ...]:
        """Each source by itself."""
        return tuple(self.source.split(" ; "))


def register() -> tuple[Limit, ...]:
    """Every row, in the order of the options."""
    return _register()


def limit(option: str, name: str, profile: str) -> Limit | None:
    """The row that holds for an option under a profile; None when the limit does not apply to it.

    Raises: InputError for an unknown option, limit id or profile.

    >>> limit("real_time", "payload_in", "article").value
    6.0
    >>> limit("real_time", "dataset", "article") is None
    True
    """
    found = _by_key().get((option, name, profile))
    if found is None:
        _check(option=option, name=name, profile=profile)
    return found


def for_option(option: str, profile: str) -> tuple[Limit, ...]:
    """Every row that holds for an option under a profile, in the register's order.

    Raises: InputError for an unknown option or profile.
    """
    _check(option=option, profile=profile)
    return tuple(row for row in _register() if row.option == option and profile in row.profiles)


def as_text(option: str | None = None) -> str:
    """The register as a table for a terminal, its sources numbered below it.

    The notes are shown when one option is asked for.
    Shape: lines of at most TEXT_WIDTH characters, no trailing newline.
    Raises: InputError for an unknown option.
    """
    if option is not None:
        _check(option=option)
    rows = [row for row in _register() if option in {None, row.option}]
    numbers = {source: number for number, source in enumerate(_unique(rows), start=1)}
    lines = [_line("option", "limit", "profile", "value", "status", "as of", "source")]
    for row in rows:
        profile = "both" if len(row.profiles) == len(PROFILES) else "".join(row.profiles)
        cited = ", ".join(str(numbers[source]) for source in row.sources)
        first, *rest = textwrap.wrap(row.text, _VALUE_WIDTH)
        lines.append(_line(row.option, row.limit, profile, first, row.status, row.as_of, cited))
        lines.extend(_line("", "", "", more, "", "", "") for more in rest)
        if option is not None and row.note:
            lines.extend(_indented(row.note, "    "))
    lines.extend(("", "status"))
    for status, meaning in STATUSES.items():
        lines.append(f"  {status:<12} {meaning}")
    lines.extend(("", "source"))
    for source, number in numbers.items():
        lines.extend(_indented(source, "     ", first=f"{number:>3}  "))
    return "\n".join(lines)


def _line(*cells: str) -> str:
    widths = (15, 25, 7, _VALUE_WIDTH, 11, 18, 0)
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _indented(text: str, indent: str, *, first: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        TEXT_WIDTH,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_on_hyphens=False,  # addresses stay in one piece
        break_long_words=False,
    )


def _unique(rows: Iterable[Limit]) -> Iterator[str]:
    yield from dict.fromkeys(source for row in rows for source in row.sources)


def _check(*, option: str, name: str | None = None, profile: str | None = None) -> None:
    option_of(option)
    if name is not None and name not in NAMES:
        raise _unknown("limit", "limit", name, NAMES)
    if profile is not None and profile not in PROFILES:
        raise _unknown("limits", "limit profile", profile, PROFILES)


def _unknown(path: str, what: str, given: str, expected: Iterable[str]) -> InputError:
    message = f"no {what} called {given!r}; expected one of {', '.join(sorted(expected))}"
    return InputError([Problem(path=path, message=message)])


def parse(text: str) -> tuple[Limit, ...]:
    """The rows of a register written as CSV.

    Raises: FitnessError naming the line, when a row has an unknown option, limit, profile or
        status, lacks its value, source or date, or repeats an option, limit and profile.
    """
    rows: list[Limit] = []
    seen: set[tuple[str, str, str]] = set()
    reader = csv.DictReader(text.splitlines())
    for cells in reader:
        row = _parse_row(cells, reader.line_num)
        keys = {(row.option, row.limit, profile) for profile in row.profiles}
        if not seen.isdisjoint(keys):
            raise FitnessError(f"limit register, line {reader.line_num}: {row.option} {row.limit} is given twice")
        seen |= keys
        rows.append(row)
    return tuple(rows)


def _parse_row(cells: Mapping[str, str], line: int) -> Limit:
    allowed = {
        "option": OPTIONS,
        "limit": NAMES,
        "profile": ("both", *PROFILES),
        "status": STATUSES,
    }
    for column, expected in allowed.items():
        if cells[column] not in expected:
            raise FitnessError(
                f"limit register, line {line}: {column} {cells[column]!r}; "
                f"expected one of {', '.join(sorted(expected))}"
            )
    for column in ("value", "source", "as_of"):
        if not cells[column]:
            raise FitnessError(f"limit register, line {line}: {column} is empty")
    profile = cells["profile"]
    return Limit(
        option=cells["option"],
        limit=cells["limit"],
        value=_value(cells["value"]),
        unit=cells["unit"],
        profiles=frozenset(PROFILES if profile == "both" else (profile,)),
        status=cells["status"],
        source=cells["source"],
        as_of=cells["as_of"],
        note=cells["note"],
    )


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _read(name: str) -> str:
    return files("fitness").joinpath(f"data/{name}").read_text(encoding="utf-8")


@cache
def _names() -> Mapping[str, LimitName]:
    rows = csv.DictReader(_read("limit_names.csv").splitlines())
    return MappingProxyType(
        {row["limit"]: LimitName(id=row["limit"], title=row["title"], meaning=row["meaning"]) for row in rows}
    )


@cache
def _register() -> tuple[Limit, ...]:
    return parse(_read("limits.csv"))


@cache
def _by_key() -> Mapping[tuple[str, str, str], Limit]:
    return {(row.option, row.limit, profile): row for row in _register() for profile in row.profiles}


NAMES: Mapping[str, LimitName] = _names()
