"""Widgets for the fields of a workload, made from the field table. Every field can stay unknown.

A widget shows what the draft holds and writes back only its own field, so one field may be on the
page twice (a question and its detail) and both stay equal.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import streamlit as st

from fitness import fields
from fitness.fields import Field, Kind
from ui import data, state
from ui import format as fmt

YES, NO, NOT_SAID = "Yes", "No", "Unknown"
_FLAG_WORDS: Mapping[object, str] = MappingProxyType({True: YES, False: NO, None: NOT_SAID})
_FLAG_VALUES = {word: value for value, word in _FLAG_WORDS.items()}
_UNSEEDED = object()

SUGGESTED_POPULARITY = ("uniform", "zipf:0.9", "zipf:1.2", "hot:0.8", "hot:0.95")

GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "General": ("name", "description", "region", "limits"),
        "Models": (
            *(one.path for one in fields.FIELDS if one.section == "models"),
            "composition",
            "multi_model_stages",
            "conditional_flow",
            "accelerator",
        ),
        "Request": tuple(one.path for one in fields.FIELDS if one.section == "request"),
        "Traffic": tuple(
            one.path
            for one in fields.FIELDS
            if one.section == "traffic" and one.name != "trace"  # a browser has no such file
        ),
        "Objectives": tuple(one.path for one in fields.FIELDS if one.section == "objectives"),
        "Constraints": tuple(one.path for one in fields.FIELDS if one.section == "constraints"),
        "Weights": tuple(one.path for one in fields.FIELDS if one.section == "weights"),
    }
)


KNOWN_PATHS = frozenset(path for group in GROUPS.values() for path in group)


def titles() -> dict[str, str]:
    """Give what the form calls each field, by the path that a problem carries."""
    return {f"$.{one.path}": one.title for one in fields.FIELDS}


def draw_fields(paths: Iterable[str], draft: state.Draft, *, area: str) -> None:
    """Draw the widgets of some fields as a grid that reflows; `area` keeps their keys apart."""
    grid = st.grid(3, min_column_width=260)
    for path in paths:
        with grid.cell():
            draw_field(path, draft, area=area)


def draw_asked(path: str, draft: state.Draft) -> None:
    """Draw the one field that the verdict asked for, above everything else."""
    field = fields.field(path)
    with st.container(border=True):
        st.markdown(
            f":material/help: **The verdict would gain most from {fmt.plain(field.title.lower())}.** {field.help}"
        )
        draw_field(path, draft, area="ask")


def draw_field(path: str, draft: state.Draft, *, area: str, label: str | None = None) -> None:
    """Draw the widget of one field, and what is wrong with its value."""
    field = fields.field(path)
    key = f"dsc_{area}_{path.replace('.', '_')}"
    seed(key, _shown(field, draft.declared.get(path)))
    _widget(field, key, label or _label(field))
    draw_problems(path, draft)


def draw_problems(path: str, draft: state.Draft) -> None:
    """Draw what is wrong with the value of one field, below its widget."""
    for problem in draft.problems:
        if problem.path == f"$.{path}":
            st.markdown(f":small[:red[:material/error: {fmt.sentence(fmt.plain(problem.message))}]]")


def seed(key: str, value: object) -> None:
    """Let a widget show `value`; it is written only where it differs, which keeps the focus."""
    if st.session_state.get(key, _UNSEEDED) != value:
        st.session_state[key] = value


def commit(path: str, key: str) -> None:
    """Write what a person entered into the draft; empty is unknown."""
    entered = st.session_state.get(key)
    match fields.field(path).kind:
        case Kind.FLAG:
            state.declare({path: _FLAG_VALUES.get(str(entered))})
        case Kind.NUMBER | Kind.INTEGER:
            state.declare({path: whole(entered) if isinstance(entered, float) else entered})
        case _:
            state.declare({path: str(entered).strip() or None if entered else None})


def seed_once(key: str, value: object, *, version: object) -> None:
    """Let a widget show `value` until a person changes it; a new `version` of the value is shown."""
    mark = f"{key}_version"
    if st.session_state.get(mark, _UNSEEDED) != version or key not in st.session_state:
        st.session_state[key] = value
        st.session_state[mark] = version


def step_for(value: object, *, is_whole: bool = False) -> float:
    """Give a step that suits the size of the value: a tenth of its decade."""
    if not isinstance(value, int | float) or value <= 0:
        return 1 if is_whole else 1.0
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return max(1, int(step)) if is_whole else step


def whole(value: float | None) -> float | None:
    """Give a whole float as int, so that a file says 12 and not 12.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def choice_words(word: str) -> str:
    """Give a word of the file as a person reads it.

    >>> choice_words("same"), choice_words("gpu")
    ('Same', 'GPU')
    """
    return word.upper() if word == "gpu" else word[:1].upper() + word[1:].replace("_", " ")


def _widget(field: Field, key: str, label: str) -> None:
    match field.kind:
        case Kind.NUMBER | Kind.INTEGER:
            _number(field, key, label)
        case Kind.FLAG:
            st.segmented_control(
                label,
                (YES, NO, NOT_SAID),
                required=True,
                key=key,
                help=field.help,
                on_change=commit,
                args=(field.path, key),
            )
        case Kind.CHOICE:
            _selection(field, key, label, field.choices, may_type=False)
        case Kind.POPULARITY:
            _selection(field, key, label, SUGGESTED_POPULARITY, may_type=True)
        case Kind.TEXT if field.path == "region":
            _selection(field, key, label, data.price_book().regions, may_type=True)
        case Kind.TEXT if field.path == "request.measured_on":
            _selection(field, key, label, data.instance_names(), may_type=True)
        case Kind.TEXT:
            _text(field, key, label)


def _number(field: Field, key: str, label: str) -> None:
    is_whole = field.kind is Kind.INTEGER
    st.number_input(
        label,
        value=None,
        step=step_for(st.session_state.get(key), is_whole=is_whole),
        format=None if is_whole else "%g",
        placeholder=_absent(field),
        key=key,
        help=f"{field.help} Allowed: {field.allowed}.",
        on_change=commit,
        args=(field.path, key),
    )


def _selection(field: Field, key: str, label: str, options: Sequence[str], *, may_type: bool) -> None:
    shown = st.session_state.get(key)
    known = tuple(options)
    if isinstance(shown, str) and shown not in known:
        known = (shown, *known)
    st.selectbox(
        label,
        known,
        index=None,
        format_func=str if may_type else choice_words,
        placeholder=f"{_absent(field)}: choose or type" if may_type else _absent(field),
        accept_new_options=may_type,
        key=key,
        help=field.help,
        on_change=commit,
        args=(field.path, key),
    )


def _text(field: Field, key: str, label: str) -> None:
    draw = st.text_area if field.name == "description" else st.text_input
    draw(
        label,
        placeholder=f"for example {field.example}",
        key=key,
        help=field.help,
        on_change=commit,
        args=(field.path, key),
    )


def _shown(field: Field, value: object) -> object:
    """Give the value as its widget holds it."""
    match field.kind:
        case Kind.FLAG:
            return _FLAG_WORDS[value if isinstance(value, bool) else None]
        case Kind.NUMBER if isinstance(value, int | float):
            return float(value)
        case Kind.TEXT if field.path not in ("region", "request.measured_on"):
            return "" if value is None else str(value)
        case Kind.NUMBER | Kind.INTEGER:
            return value
    return None if value is None else str(value)


def _label(field: Field) -> str:
    says_unit = field.unit is None or field.unit in field.title.lower()
    return field.title if says_unit else f"{field.title} ({field.unit})"


def _absent(field: Field) -> str:
    """Say in the empty widget what an absent value means."""
    if field.absent.startswith("Unknown"):
        return fmt.UNKNOWN
    return field.absent[0].lower() + field.absent[1:].rstrip(".")
