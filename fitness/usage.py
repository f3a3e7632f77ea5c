"""Price a stated usage: a document of metered items, without any workload.

Every wrong field is reported at once with its path, and the nearest known key where one is unknown.
Source: docs/prices.md#usages.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import get_close_matches
from itertools import islice

from fitness import document
from fitness.bill import Bill, Metered, bill_for, plain
from fitness.document import child, shortened, shown
from fitness.errors import InputError, Problem
from fitness.instances import catalogue
from fitness.items import ACCEPTED_AS
from fitness.metering import Figure, Usage
from fitness.prices import AZURE, REFERENCE_REGION, PriceBook
from fitness.usage_azure import AZURE_PLANS
from fitness.usage_items import USAGES

MAX_PROBLEMS = 100  # a document that is all wrong is told so briefly
MAX_TEXT = 64  # no Region or instance type has a longer name
ASSUMED_REGION_NOTE = f"The usage names no region: these are prices of {REFERENCE_REGION}."

_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]")
_INSTANCE_TYPE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9-]+")
_KEYS = ("region", "free_tier", "items")


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedUsage:
    """What a usage document asks to be priced."""

    region: str
    metered: tuple[Metered, ...]
    free_tier: bool = False
    notes: tuple[str, ...] = ()  # what was assumed


def read(text: str | bytes) -> PricedUsage:
    """The usage that a YAML or JSON document states.

    Raises: InputError with every wrong field.
    """
    return _Reader().document(document.load(text))


def bill(text: str | bytes, book: PriceBook) -> Bill:
    """The bill of a usage document by what the book holds; nothing is estimated.

    Raises: InputError with every wrong field.
    """
    usage = read(text)
    priced = bill_for(
        usage.metered,
        usage.region,
        book,
        estimate=False,
        free_tier=usage.free_tier,
        notes=usage.notes,
    )
    return replace(priced, notes=(*priced.notes, *_why_missing(priced)))


def _why_missing(priced: Bill) -> Iterator[str]:
    """What the catalogue knows of the instance types that have no price."""
    for item in priced.missing:
        component, _, instance_type = item.rpartition("/")
        if component not in ACCEPTED_AS:
            continue
        known = catalogue().get(instance_type)
        if known is None:
            hint = _nearest(instance_type, tuple(catalogue()), likeness=0.9)
            yield f"{instance_type} is not a known instance type. {hint.capitalize()}".strip()
        elif ACCEPTED_AS[component] not in known.accepts:
            yield f"SageMaker takes no {instance_type} for {component}."


class _Reader:
    """Checks a document field by field and keeps what it can use."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def document(self, value: object) -> PricedUsage:
        if not isinstance(value, dict):
            raise InputError([Problem(path="$", message=f"must be a mapping, got {shown(value)}")])
        self._refuse_unknown(value, "$", _KEYS)
        region = value.get("region")
        if region is not None:
            region = self._text(region, "$.region", _REGION, 'a Region like "eu-west-1"')
        free_tier = self._flag(value.get("free_tier", False), "$.free_tier")
        metered = self._items(value.get("items"))
        if self._problems:
            raise InputError(self._problems_in_brief())
        is_aws = any(not entry.item.startswith(AZURE) for entry in metered)
        return PricedUsage(
            region=region or (REFERENCE_REGION if is_aws else AZURE),
            metered=tuple(metered),
            free_tier=free_tier,
            notes=(ASSUMED_REGION_NOTE,) if is_aws and not region else (),
        )

    def _items(self, items: object) -> list[Metered]:
        if not isinstance(items, list) or not items:
            found = "nothing" if items is None else "an empty list" if items == [] else shown(items)
            self._wrong("$.items", f"must be a list of at least one usage, got {found}")
            return []
        metered = []
        for index, item in enumerate(items):
            metered += self._item(item, child("$.items", index))
        return metered

    def _item(self, item: object, path: str) -> list[Metered]:
        if not isinstance(item, dict):
            self._wrong(path, f"must be a mapping, got {shown(item)}")
            return []
        kind = self._choice(item.get("usage"), child(path, "usage"), tuple(USAGES))
        if kind is None:
            return []
        usage, given = USAGES[kind], {key: value for key, value in item.items() if key != "usage"}
        if kind == "azure_functions":
            plan = self._choice(given.pop("plan", None), child(path, "plan"), tuple(AZURE_PLANS))
            if plan is None:
                return []
            usage = AZURE_PLANS[plan]
        before = len(self._problems)
        values = self._values(given, path, usage)
        return usage.meter(values) if len(self._problems) == before else []

    def _values(self, given: Mapping[str, object], path: str, usage: Usage) -> dict[str, Decimal | str | bool]:
        self._refuse_unknown(given, path, [figure.name for figure in usage.figures])
        values: dict[str, Decimal | str | bool] = {}
        for figure in usage.figures:
            place = child(path, figure.name)
            if given.get(figure.name) is not None:
                value = self._value(given[figure.name], place, figure)
                if value is not None:
                    values[figure.name] = value
            elif figure.default is not None:
                values[figure.name] = figure.default
            elif not figure.is_optional:
                self._wrong(place, "is required")
        present = [name for name in usage.together if given.get(name) is not None]
        for name in usage.together if present else ():
            if given.get(name) is None:
                self._wrong(child(path, name), f"is required with {', '.join(present)}")
        if usage.needs_any and not any(value is not None for value in given.values()):
            names = ", ".join(figure.name for figure in usage.figures)
            self._wrong(path, f"must have at least one of {names}")
        return values

    def _value(self, value: object, path: str, figure: Figure) -> Decimal | str | bool | None:
        if figure.is_flag:
            return self._flag(value, path)
        if figure.choices:
            return self._choice(value, path, figure.choices)
        if figure.is_text:
            return self._text(value, path, _INSTANCE_TYPE, 'an instance type like "ml.c5.xlarge"')
        problem = _number_problem(value, figure)
        if problem is not None:
            self._wrong(path, f"{problem}, got {shown(value)}")
            return None
        return Decimal(str(value))

    def _flag(self, value: object, path: str) -> bool:
        if not isinstance(value, bool):
            self._wrong(path, f"must be true or false, got {shown(value)}")
        return value is True

    def _choice(self, value: object, path: str, choices: Sequence[str]) -> str | None:
        if isinstance(value, str) and value in choices:
            return value
        if value is None:
            self._wrong(path, f"is required: one of {', '.join(choices)}")
        else:
            hint = _nearest(value, choices)
            expected = f"must be one of {', '.join(choices)}, got {shown(value)}"
            self._wrong(path, f"{expected}; {hint}" if hint else expected)
        return None

    def _text(self, value: object, path: str, form: re.Pattern[str], expected: str) -> str | None:
        if isinstance(value, str) and len(value) < MAX_TEXT and form.fullmatch(value):
            return value
        self._wrong(path, f"must be {expected}, got {shown(value)}")
        return None

    def _refuse_unknown(self, given: Mapping[str, object], path: str, known: Sequence[str]) -> None:
        for key in given:
            if key not in known:
                hint = _nearest(key, known) or f"expected one of {', '.join(known)}"
                self._wrong(child(path, key), f"is not a known field; {hint}")

    def _wrong(self, path: str, message: str) -> None:
        self._problems.append(Problem(path=path, message=message))

    def _problems_in_brief(self) -> list[Problem]:
        brief = list(islice(self._problems, MAX_PROBLEMS))
        if more := len(self._problems) - len(brief):
            brief.append(Problem(path="$", message=f"{more} more problems are not listed"))
        return brief


def _number_problem(value: object, figure: Figure) -> str | None:
    """What is wrong with the value of a number field; None if nothing."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "must be a number"
    number = Decimal(str(value))
    problem = None
    if not number.is_finite():
        problem = "must be a finite number"
    elif figure.sizes and number not in figure.sizes:
        problem = f"must be one of {', '.join(map(str, figure.sizes))}"
    elif number < figure.minimum:
        problem = f"must be >= {plain(figure.minimum)}"
    elif number > figure.maximum:
        problem = f"must be <= {plain(figure.maximum)}"
    return problem


def _nearest(value: object, choices: Sequence[str], *, likeness: float = 0.6) -> str:
    """A question after the nearest known word, empty where none is near."""
    near = get_close_matches(shortened(value), choices, n=1, cutoff=likeness) if isinstance(value, str) else []
    return f'did you mean "{near[0]}"?' if near else ""
