"""The launch that is being prepared in one tab: plain values, as a launch file has them, that may still be wrong.

It begins with what a verdict says of an option, with what runs under a name, or with a launch file. Edits stay in the
tab; a form of an older beginning can't change a newer one.
"""

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import streamlit as st

from fitness.analytic.settings import FOLLOWS
from fitness.errors import InputError, Problem
from fitness.resolve import DEFAULT_REGION
from fitness.verdict import OptionResult
from fitness.workload import Workload
from launch import request as requests
from launch.request import Model, Request

Path = tuple[str | int, ...]
Document = dict[str, object]

_TAB = "hostfit_launch"
_NAME_LENGTH = 40
_OF_BEGINNING = ("option", "region", "configuration", "containers")
_SMALL: Document = {"instance_type": "ml.m5.large", "min_instances": 1, "max_instances": 1}
# Where no verdict says how: the least that runs.
_HAND_MADE: Mapping[str, Document] = {
    "serverless": {"memory_mb": 2048, "max_concurrency": 5},
    "batch": {"instance_type": "ml.m5.large", "instances": 1},
    "mme_gpu": {**_SMALL, "instance_type": "ml.g4dn.xlarge"},
    "triton_ensemble": {**_SMALL, "instance_type": "ml.g4dn.xlarge"},
}


@dataclass(slots=True, kw_only=True)
class _Tab:
    """The state of one tab; only this module touches it."""

    document: Document = field(default_factory=dict)
    beginning: object = None  # what the document was made from
    kin: object = None  # beginnings alike share what was typed
    generation: int = 0


def document() -> Document:
    """Give the values as they are now."""
    return _tab().document


def generation() -> int:
    """Count the beginnings of this tab; a widget of another one is another widget."""
    return _tab().generation


def begin(beginning: object, made: Document, *, kin: object) -> None:
    """Begin anew, unless the tab has begun with just that and may have been edited since.

    What was typed stays where the last beginning was of the same `kin`; the configuration and the Region are new.
    """
    tab = _tab()
    if tab.beginning == beginning:
        return
    typed = tab.document if tab.kin == kin else {}
    tab.beginning, tab.kin = beginning, kin
    replace_by({**made, **{name: one for name, one in typed.items() if name not in _OF_BEGINNING}})


def replace_by(made: Document) -> None:
    """Put other values in place of these."""
    tab = _tab()
    tab.document = copy.deepcopy(made)
    tab.generation += 1


def value(path: Path) -> object:
    """Give one value; None where there is none."""
    found: object = _tab().document
    for part in path:
        if isinstance(found, Mapping) and isinstance(part, str):
            found = found.get(part)
        elif isinstance(found, list) and isinstance(part, int) and part < len(found):
            found = found[part]
        else:
            return None
    return found


def put(path: Path, new: object) -> None:
    """Set one value and make the mappings on the way to it; None takes it away, and what is empty then."""
    tab = _tab()
    tab.document = _with(tab.document, path, new)


def request() -> tuple[Request | None, tuple[Problem, ...]]:
    """Give the request, or everything that is wrong with it."""
    try:
        return requests.from_document(_tab().document), ()
    except InputError as err:
        return None, err.problems


def of_verdict(
    workload: Workload | None, result: OptionResult | None, option: str, region: str, models: Sequence[Model]
) -> Document:
    """Give the values of an option: as the verdict configures it, or the least that runs.

    `region` is where the account is; a launch goes there whatever the workload says.
    """
    name = name_of(workload.name if workload else option)
    if workload is not None and result is not None and result.configuration:
        made = requests.from_verdict(workload, result, name=name, models=models)
    else:
        configuration = _HAND_MADE.get(option, _SMALL)
        made = Request(
            name=name, option=option, region=DEFAULT_REGION, configuration=configuration, models=tuple(models)
        )
    return requests.as_document(replace(made, region=region or made.region))


def name_of(text: str) -> str:
    """Give a name that a stack may have.

    >>> name_of("Search at every keystroke!"), name_of("2 models")
    ('Search-at-every-keystroke', 'model-2-models')
    """
    slug = re.sub(r"[^a-zA-Z0-9]+", "-", text).strip("-") or "model"
    slug = slug if slug[0].isalpha() else f"model-{slug}"
    return slug[:_NAME_LENGTH].strip("-")


def settings() -> dict[str, object]:
    """Give the settings that a person may choose; the others follow from the workload."""
    held = value(("configuration",))
    return {name: one for name, one in held.items() if name not in FOLLOWS} if isinstance(held, Mapping) else {}


def _tab() -> _Tab:
    if _TAB not in st.session_state:
        st.session_state[_TAB] = _Tab()
    tab: _Tab = st.session_state[_TAB]
    return tab


def _with(held: object, path: Path, new: object) -> Document:
    """Give a mapping with one value set, as a copy along the way."""
    changed = _changed(held if isinstance(held, Mapping) else {}, path, new)
    return changed if isinstance(changed, dict) else {}


def _changed(held: object, path: Path, new: object) -> object:
    if not path:
        return new
    part, rest = path[0], path[1:]
    if isinstance(part, int):
        items = list(held) if isinstance(held, list) else []
        items += [{}] * (part + 1 - len(items))
        items[part] = _changed(items[part], rest, new) or {}
        return items
    entries = dict(held) if isinstance(held, Mapping) else {}
    found = _changed(entries.get(part), rest, new)
    if found is None or found == {}:
        entries.pop(part, None)
    else:
        entries[part] = found
    return entries
