"""The one table of what a workload file may say.

Parsing, checks, the form, the docs and searches are made from it. The rows are in data/fields.csv,
in file order; closed sets of words are in choices.py.
"""

import csv
import difflib
import math
import numbers
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from fitness import document
from fitness.choices import (
    Accelerator,
    Composition,
    Distribution,
    Frameworks,
    LimitProfile,
    Pattern,
    Sensitivity,
)
from fitness.errors import InputError, Problem
from fitness.popularity import HOT_MODELS_RATIO, MAX_EXPONENT, popularity

MAX_KEY = 80  # characters of an unknown key that are compared with the known ones
SMALLEST = 1e-9  # a smaller number is a slip of the pen, and its reciprocal would overflow later

_FILE = Path(__file__).with_name("data") / "fields.csv"
_WRITTEN_NUMBER = re.compile(r"[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?")

CHOICES: Mapping[str, type[StrEnum]] = MappingProxyType(
    {
        "models.frameworks": Frameworks,
        "composition": Composition,
        "accelerator": Accelerator,
        "request.processing_distribution": Distribution,
        "traffic.pattern": Pattern,
        "objectives.cost_sensitivity": Sensitivity,
        "limits": LimitProfile,
    }
)


class Kind(StrEnum):
    """What a field holds."""

    NUMBER = "number"
    INTEGER = "integer"
    FLAG = "flag"
    CHOICE = "choice"
    TEXT = "text"
    POPULARITY = "popularity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One leaf of the workload file: what it means and which values it takes.

    For text, `minimum` and `maximum` count characters.
    """

    path: str  # as traffic.rps_peak
    kind: Kind
    unit: str | None  # None: the value has no unit
    minimum: float | None
    exclusive_minimum: bool
    maximum: float | None
    usual: tuple[float, float] | None  # where real workloads lie: sliders and searches start here
    pattern: str | None  # text only: what the whole text must match
    choices: tuple[str, ...]
    title: str
    help: str
    absent: str  # what an absent value means
    example: object

    @property
    def section(self) -> str | None:
        """The section that holds the field; None at the top of the file."""
        return self.path.rpartition(".")[0] or None

    @property
    def name(self) -> str:
        """The key in its section."""
        return self.path.rpartition(".")[2]

    @property
    def allowed(self) -> str:
        """The allowed values in words.

        >>> field("traffic.rps_peak").allowed
        'a number > 0, at most 1000000'
        """
        match self.kind:
            case Kind.FLAG:
                return "true or false"
            case Kind.CHOICE:
                return ", ".join(self.choices[:-1]) + f" or {self.choices[-1]}"
            case Kind.POPULARITY:
                return f"uniform, zipf:S (0 <= S <= {MAX_EXPONENT}) or hot:SHARE ({HOT_MODELS_RATIO} <= SHARE <= 1)"
            case Kind.TEXT:
                form = f", in a form like {self.example}" if self.pattern else ""
                return f"text of at most {_plain(self.maximum)} characters{form}"
        noun = "a whole number" if self.kind is Kind.INTEGER else "a number"
        if self.minimum == self.maximum:
            return f"only {_plain(self.minimum)}"
        sign = ">" if self.exclusive_minimum else ">="
        return f"{noun} {sign} {_plain(self.minimum)}, at most {_plain(self.maximum)}"

    def normalised(self, value: object) -> object:
        """Give the value in the type that a workload keeps, or as it is when it has the wrong type.

        A whole-number field holds int; other numbers keep what they were (12 stays 12), and
        numpy's become Python's.
        """
        if value is None or self.kind in (Kind.FLAG, Kind.TEXT, Kind.POPULARITY):
            return value
        if self.kind is Kind.CHOICE:
            return CHOICES[self.path](value) if isinstance(value, str) and value in self.choices else value
        if type(value) is int or isinstance(value, bool):
            return value
        if isinstance(value, numbers.Integral):
            return int(value)
        if isinstance(value, numbers.Real):
            number = float(value)
            return int(number) if self.kind is Kind.INTEGER and number.is_integer() else number
        return value

    def complaint(self, value: object) -> str | None:
        """Say what is wrong with a normalised value; None: nothing.

        An absent value (None) is never wrong.

        >>> field("traffic.rps_peak").complaint(-3)
        'must be > 0, got -3'
        """
        if value is None:
            return None
        match self.kind:
            case Kind.FLAG:
                reason = None if isinstance(value, bool) else "must be true or false"
            case Kind.CHOICE:
                reason = _choice_complaint(value, self.choices)
            case Kind.POPULARITY:
                reason = _popularity_complaint(value)
            case Kind.TEXT:
                reason = self._text_complaint(value)
            case _:
                reason = self._number_complaint(value)
        if reason is None:
            return None
        # JSON can write half of a surrogate pair, which no terminal and no browser takes.
        return f"{reason}, got {document.shown(value)}".encode("utf-8", "backslashreplace").decode()

    def _text_complaint(self, value: object) -> str | None:
        if not isinstance(value, str):
            return "must be text (in quotes)"
        if self.minimum and not value.strip():
            return "must not be empty"
        if self.maximum is not None and len(value) > self.maximum:
            return f"must have at most {_plain(self.maximum)} characters"
        may_break = "" if self.minimum else "\n\r\t"  # only text that may be empty may have several lines
        if any(unicodedata.category(mark) in ("Cc", "Cs") and mark not in may_break for mark in value):
            return "must hold no control characters" + ("" if may_break else " or line breaks")
        if self.pattern is not None and re.fullmatch(self.pattern, value) is None:
            return f"must look like {self.example}"
        return None

    def _number_complaint(self, value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            quoted = isinstance(value, str) and _WRITTEN_NUMBER.fullmatch(value[:40])
            return "must be a number without quotes" if quoted else "must be a number"
        if isinstance(value, float) and not math.isfinite(value):
            return "must be a finite number"
        bound = self._bound_broken(value)
        if bound is None and self.kind is Kind.INTEGER and not isinstance(value, int):
            return "must be a whole number"
        return bound

    def _bound_broken(self, value: float) -> str | None:
        low, high = self.minimum, self.maximum
        if low is not None and low == high:
            return None if value == low else f"must be {_plain(low)}"
        if low is not None and self.exclusive_minimum and value <= low:
            return f"must be > {_plain(low)}"
        if low is not None and value < low:
            return f"must be >= {_plain(low)}"
        if high is not None and value > high:
            return f"must be <= {_plain(high)}"
        if 0 < value < SMALLEST:
            return f"must be {'' if self.exclusive_minimum else '0 or '}>= {SMALLEST:g}"
        return None


def field(path: str) -> Field:
    """Give the field at a path such as `traffic.rps_peak`.

    Raises: InputError that names the nearest known path.
    """
    found = BY_PATH.get(path)
    if found is None:
        raise InputError([unknown(path, f"$.{document.shortened(path)}")])
    return found


def unknown(key: str, path: str) -> Problem:
    """Give the problem of a key that no field has, with the nearest known key suggested.

    `key` is the path that was asked ("traffic.rps_peek"), `path` its place in the document
    ("$.traffic.rps_peek").

    >>> unknown("traffic.rps_peek", "$.traffic.rps_peek").message
    'is not a known field; did you mean rps_peak?'
    >>> unknown("rps_mean", "$.rps_mean").message
    'is not a known field; did you mean traffic.rps_mean?'
    """
    section, _, name = key[:MAX_KEY].rpartition(".")
    beside = [one.name for one in FIELDS if (one.section or "") == section] + ([] if section else list(SECTIONS))
    elsewhere = {one.name: one.path for one in reversed(FIELDS)}
    nearest = _nearest(name, beside) or elsewhere.get(_nearest(name, elsewhere) or "")
    hint = f"did you mean {nearest}?" if nearest else f"known here: {', '.join(sorted(beside or SECTIONS))}"
    return Problem(path=path, message=f"is not a known field; {hint}")


def _nearest(word: str, words: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(word, words, n=1, cutoff=0.7)), None)


def _choice_complaint(value: object, choices: tuple[str, ...]) -> str | None:
    if isinstance(value, str):
        if value in choices:
            return None
        near = difflib.get_close_matches(value[:80].lower(), choices, n=1, cutoff=0.6)
        if near:
            return f"must be one of {', '.join(sorted(choices))} (did you mean {near[0]}?)"
    return f"must be one of {', '.join(sorted(choices))}"


def _popularity_complaint(value: object) -> str | None:
    if not isinstance(value, str):
        return "must be hot:SHARE, uniform or zipf:S (as zipf:0.9)"
    try:
        popularity(value)
    except InputError as err:
        return err.problems[0].message.partition(", got ")[0]
    return None


def _plain(number: float | None) -> str:
    if number is None:
        return "any"
    return str(int(number)) if float(number).is_integer() else str(number)


def _number(text: str) -> float | None:
    return float(text) if text else None


def _example(kind: Kind, text: str) -> object:
    match kind:
        case Kind.FLAG:
            return text == "true"
        case Kind.INTEGER:
            return int(text)
        case Kind.NUMBER:
            return float(text) if "." in text else int(text)
    return text


def _row(row: Mapping[str, str]) -> Field:
    kind = Kind(row["kind"])
    low, high = _number(row["usual_low"]), _number(row["usual_high"])
    return Field(
        path=row["path"],
        kind=kind,
        unit=row["unit"] or None,
        minimum=_number(row["minimum"]),
        exclusive_minimum=row["exclusive_minimum"] == "yes",
        maximum=_number(row["maximum"]),
        usual=None if low is None or high is None else (low, high),
        pattern=row["pattern"] or None,
        choices=tuple(word.value for word in CHOICES[row["path"]]) if kind is Kind.CHOICE else (),
        title=row["title"],
        help=row["help"],
        absent=row["absent"],
        example=_example(kind, row["example"]),
    )


def _table() -> tuple[Field, ...]:
    with _FILE.open(encoding="utf-8", newline="") as lines:
        return tuple(_row(row) for row in csv.DictReader(lines))


FIELDS: tuple[Field, ...] = _table()
BY_PATH: Mapping[str, Field] = MappingProxyType({one.path: one for one in FIELDS})
SECTIONS: tuple[str, ...] = tuple(dict.fromkeys(one.section for one in FIELDS if one.section))
