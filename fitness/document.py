"""Read a YAML or JSON document from a stranger: plain values only, within bounds.

Everything that a document could hide is refused with its place: tags, anchors and aliases, several
documents, duplicate keys, deep nesting, too many values, huge integers, text that is not UTF-8. The
reader sees dicts with text keys, lists, text, whole numbers, floats, true, false and None; dates stay
text. Non-finite floats pass, so that the caller can report them with the other wrong fields.
"""

import json
import re
from typing import TYPE_CHECKING, NoReturn

import yaml

from fitness.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_VALUES = 20_000  # bounds the time: the slowest accepted document takes well under a second
MAX_INTEGER_DIGITS = 30
MAX_SHOWN = 60  # characters of the caller's text that a message repeats

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# The number forms of YAML 1.2 (so that 1e6 is a number and 12:30 is not), with YAML 1.1's
# underscores between digits.
_INTEGER = re.compile(r"[-+]?[0-9][0-9_]*")
_PREFIXED_INTEGER = re.compile(r"0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, object] = {
    **{word: True for base in ("true", "yes", "on") for word in (base, base.title(), base.upper())},
    **{word: False for base in ("false", "no", "off") for word in (base, base.title(), base.upper())},
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_LOOKS_LIKE_JSON = re.compile(r"[\[{]\s*[\"\[{\]}]")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class _Pairs:
    """A mapping as it was written: keys may repeat until they are checked."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        self.pairs = pairs


class _MalformedError(Exception):
    """The text is neither; the message says where it stops making sense."""


def load(text: str | bytes) -> object:
    r"""Give the value of one YAML or JSON document.

    Raises: InputError with every duplicate key, or with the one reason why the text can't be read
    (path "$").

    >>> load("hours: 1e3\nof: hosting")
    {'hours': 1000.0, 'of': 'hosting'}
    >>> load('{"hours": 730}')
    {'hours': 730}
    """
    source = _decoded(text)
    stripped = source.lstrip()
    if not stripped:
        _refuse("the document is empty")
    raw: object
    if stripped[0] in "[{":
        try:
            raw = _from_json(source)
        except _MalformedError as json_error:
            try:
                raw = _from_yaml(source)
            except _MalformedError as yaml_error:
                likely = json_error if _LOOKS_LIKE_JSON.match(stripped) else yaml_error
                _refuse(str(likely))
    else:
        try:
            raw = _from_yaml(source)
        except _MalformedError as yaml_error:
            _refuse(str(yaml_error))
    if raw is None:
        _refuse("the document is empty")
    problems: list[Problem] = []
    value = _Settled(problems).settle(raw, "$", 1)
    if problems:
        raise InputError(problems)
    return value


def child(path: str, key: str | int) -> str:
    """Give the path of a member of the value at `path`.

    >>> child(child("$", "items"), 2)
    '$.items[2]'
    >>> child("$", "my key")
    '$["my key"]'
    """
    if isinstance(key, int):
        return f"{path}[{key}]"
    if _PLAIN_KEY.fullmatch(key):
        return f"{path}.{shortened(key)}"
    return f"{path}[{json.dumps(shortened(key), ensure_ascii=True)}]"


def shown(value: object) -> str:
    """Give a value as a message may repeat it: on one line, bounded, in the words of YAML.

    >>> shown(True), shown("a" * 100)[-5:], shown({"a": 1})
    ('true', 'aaa…"', 'a mapping')
    """
    if isinstance(value, (dict, list, tuple)):
        return "a mapping" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return json.dumps(shortened(value), ensure_ascii=False)
    return shortened(str(value))


def shortened(text: str) -> str:
    """Give the text with at most `MAX_SHOWN` characters."""
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def _refuse(message: str, path: str = "$") -> NoReturn:
    raise InputError((Problem(path=path, message=message),))


def _decoded(text: str | bytes) -> str:
    if len(text) > MAX_BYTES:
        _refuse(f"the document is too large: at most {MAX_BYTES // 1024} kB are read")
    try:
        if isinstance(text, bytes):
            return text.decode("utf-8-sig")
        text.encode("utf-8")
    except UnicodeError:
        _refuse("the document is not UTF-8 text")
    return text.removeprefix("\ufeff")


def _whole_number(digits: str) -> int:
    cleaned = digits.replace("_", "")
    if len(cleaned.lstrip("+-0")) > MAX_INTEGER_DIGITS:
        raise _MalformedError(
            f"the whole number {shortened(cleaned)} is too large: at most {MAX_INTEGER_DIGITS} digits are read"
        )
    return int(cleaned)


def _from_json(source: str) -> object:
    try:
        return json.loads(source, object_pairs_hook=_Pairs, parse_int=_whole_number, strict=False)
    except json.JSONDecodeError as err:
        place = f"(line {err.lineno}, column {err.colno})"
        raise _MalformedError(f"the document is not valid JSON: {err.msg.lower()} {place}") from err
    except RecursionError:
        _refuse(f"the document is nested too deeply: at most {MAX_DEPTH} levels are read")


def _from_yaml(source: str) -> object:
    try:
        return _YamlReader(source).document()
    except yaml.MarkedYAMLError as err:
        reason = err.problem or err.context or "it can't be parsed"
        mark = err.problem_mark or err.context_mark
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise _MalformedError(f"the document is not valid YAML: {shortened(reason)}{place}") from err
    except yaml.reader.ReaderError as err:
        raise _MalformedError(f"the document is not valid YAML: {shortened(err.reason)}") from err
    except yaml.YAMLError as err:
        raise _MalformedError("the document is not valid YAML") from err


class _YamlReader:
    """Builds plain values from the event stream, and stops at the first thing that is refused."""

    def __init__(self, source: str) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(source, Loader=_LOADER)
        self._values = 0

    def document(self) -> object:
        value: object = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    _refuse("several documents in one file: keep one, without a second `---`")
            elif isinstance(event, yaml.NodeEvent):
                value = self._value(event, 1)
        return value

    def _value(self, event: yaml.Event, depth: int) -> object:
        place = _place(event)
        if isinstance(event, yaml.AliasEvent):
            _refuse(f"aliases are not read: write the value out {place}")
        anchor: str | None = getattr(event, "anchor", None)
        tag: str | None = getattr(event, "tag", None)
        if anchor is not None:
            _refuse(f"anchors are not read: remove &{shortened(anchor)} {place}")
        if tag is not None:
            _refuse(f"tags are not read: remove {shortened(tag)} {place}")
        if depth > MAX_DEPTH:
            _refuse(f"the document is nested too deeply: at most {MAX_DEPTH} levels are read {place}")
        self._values += 1
        if self._values > MAX_VALUES:
            _refuse(f"the document holds too many values: at most {MAX_VALUES} are read")
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(following := next(self._events), yaml.SequenceEndEvent):
                items.append(self._value(following, depth + 1))
            return items
        pairs: list[tuple[str, object]] = []
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            if not isinstance(key, yaml.ScalarEvent):
                _refuse(f"a key must be text {place}")
            self._value(key, depth)
            pairs.append((key.value, self._value(next(self._events), depth + 1)))
        return _Pairs(pairs)


def _place(event: yaml.Event) -> str:
    mark = event.start_mark
    return f"(line {mark.line + 1}, column {mark.column + 1})" if mark else ""


def _scalar(event: yaml.ScalarEvent) -> object:
    text: str = event.value
    if not event.implicit[0]:  # quoted or a block: always text
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return _whole_number(text)
    if _PREFIXED_INTEGER.fullmatch(text) and len(text) <= MAX_INTEGER_DIGITS:
        return int(text, 0)
    return float(text.replace("_", "")) if _FLOAT.fullmatch(text) else text


class _Settled:
    """Turns what was written into plain values, noting every duplicate key."""

    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems
        self._values = 0

    def settle(self, raw: object, path: str, depth: int) -> object:
        self._values += 1
        if self._values > MAX_VALUES:
            _refuse(f"the document holds too many values: at most {MAX_VALUES} are read")
        if depth > MAX_DEPTH:
            _refuse(f"the document is nested too deeply: at most {MAX_DEPTH} levels are read")
        if isinstance(raw, list):
            return [self.settle(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(raw)]
        if isinstance(raw, str):
            self._check_text(raw, path)
        if not isinstance(raw, _Pairs):
            return raw
        settled: dict[str, object] = {}
        for key, value in raw.pairs:
            below = child(path, key)
            self._check_text(key, below)
            if key in settled:
                self._problems.append(Problem(path=below, message=f"the key {shown(key)} is given twice"))
            settled[key] = self.settle(value, below, depth + 1)
        return settled

    def _check_text(self, text: str, path: str) -> None:
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:  # half of a surrogate pair, from a JSON escape
            self._problems.append(
                Problem(
                    path=path,
                    message="the text holds half a character (a lone surrogate)",
                )
            )
