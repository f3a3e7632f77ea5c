"""Read and write workload files: YAML or JSON, the same keys, nothing lost on the way."""

import json
import re
from collections.abc import Mapping

import yaml

from fitness import document
from fitness.errors import InputError, Problem
from fitness.fields import BY_PATH, FIELDS, SECTIONS, Field, unknown
from fitness.workload import VERSION, Workload, problems_of

MAX_UNKNOWN = 50  # unknown keys that are named; a document with more of them is not a workload file
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*(?:(?::|,? )[A-Za-z0-9_./-]+)*")
_NOT_TEXT = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"})


def read(text: str | bytes) -> Workload:
    """Give the workload of a YAML or JSON document.

    Raises: InputError with every problem of the document.

    >>> read("{name: fraud, traffic: {rps_peak: 80}}").get("traffic.rps_peak")
    80
    """
    return from_dict(document.load(text))


def from_dict(content: object) -> Workload:
    """Give the workload of a document that is already plain values (nested, as `to_dict` gives it).

    Raises: InputError with every problem, unknown keys first.
    """
    if not isinstance(content, Mapping):
        message = f"must be a mapping with at least `name`, got {document.shown(content)}"
        raise InputError([Problem(path="$", message=message)])
    values, problems = _leaves(content)
    problems += problems_of(values)
    if problems:
        raise InputError(problems)
    return Workload.from_values(values)


def to_dict(workload: Workload) -> dict[str, object]:
    """Give the declared values as nested plain dicts, in file order."""
    content: dict[str, object] = {}
    inside: dict[str, dict[str, object]] = {}
    for path, value in workload.declared().items():
        section, _, name = path.rpartition(".")
        plain = str(value) if isinstance(value, str) else value
        if not section:
            content[name] = plain
            continue
        if section not in inside:
            content[section] = inside[section] = {}
        inside[section][name] = plain
    return content


def write(workload: Workload, *, comments: bool = False) -> str:
    """Give the workload as a YAML file; with `comments`, each line says its unit and meaning.

    Reading it gives the same workload, and writing that again the same bytes.
    """
    lines: list[str] = []
    section: str | None = None
    for path, value in workload.declared().items():
        one = BY_PATH[path]
        if one.section != section:
            section = one.section
            lines += ["", f"{section}:"] if section else [""]
        line = f"{'  ' if section else ''}{one.name}: {_scalar(value)}"
        lines.append(f"{line}  # {_comment(one)}" if comments else line)
    return "\n".join(lines) + "\n"


def write_json(workload: Workload) -> str:
    """Give the workload as a JSON file, with the same keys in the same order."""
    return json.dumps(to_dict(workload), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _leaves(content: Mapping[object, object]) -> tuple[dict[str, object], list[Problem]]:
    """Flatten the document into known leaves, and list the keys and sections that are wrong."""
    values: dict[str, object] = {"version": VERSION}
    problems: list[Problem] = []
    strangers = 0

    def place(path: str, where: str, value: object) -> None:
        nonlocal strangers
        one = BY_PATH.get(path)
        if one is not None:
            values[path] = one.normalised(value)
            return
        strangers += 1
        if strangers <= MAX_UNKNOWN:
            problems.append(unknown(path, where))

    for key, value in content.items():
        name, where = _name(key), document.child("$", _name(key))
        if name not in SECTIONS:
            place(name if "." not in name else f"$.{name}", where, value)
        elif isinstance(value, Mapping):
            for inner, leaf in value.items():
                leaf_name = _name(inner)
                place(f"{name}.{leaf_name}", document.child(where, leaf_name), leaf)
        elif value is not None:
            first = next(one for one in FIELDS if one.section == name)
            like = f"{{{first.name}: {_scalar(first.example)}}}"
            message = f"must be a mapping such as {like}, got {document.shown(value)}"
            problems.append(Problem(path=where, message=message))
    if strangers > MAX_UNKNOWN:
        problems.append(Problem(path="$", message=f"has {strangers - MAX_UNKNOWN} more fields that are not known"))
    return values, problems


def _name(key: object) -> str:
    return key if isinstance(key, str) else document.shown(key)


def _scalar(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return repr(value) if "." in repr(value) else repr(value).replace("e", ".0e")
    text = str(value)
    if _WORD.fullmatch(text) and text.lower() not in _NOT_TEXT:
        return text
    quoted = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=1_000_000)
    return quoted.removesuffix("\n")


def _comment(one: Field) -> str:
    if one.choices:
        return one.allowed
    unit = f"{one.unit}: " if one.unit else ""
    return f"{unit}{one.help}".rstrip(".")
