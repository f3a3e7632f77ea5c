"""A stranger's document becomes plain values, or one clear InputError, quickly."""

import math
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fitness import document
from fitness.errors import InputError


def refusal(text: str | bytes) -> str:
    with pytest.raises(InputError) as caught:
        document.load(text)
    return str(caught.value)


def problems_of(text: str | bytes) -> list[str]:
    """The reasons why a document is refused, none if it is read; another error fails the test."""
    try:
        document.load(text)
    except InputError as err:
        return [str(problem) for problem in err.problems]
    return []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1e6", 1e6),
        ("a: 1E6", 1e6),
        ("a: 2.5e-7", 2.5e-7),
        ("a: 1.e3", 1000.0),
        ("a: .5", 0.5),
        ("a: -3", -3),
        ("a: 1_000_000", 1_000_000),
        ("a: 010", 10),
        ("a: 0x10", 16),
        ("a: '5'", "5"),
        ("a: 12:30:00", "12:30:00"),
        ("a: 2026-01-31", "2026-01-31"),
        ("a: zipf:0.9", "zipf:0.9"),
        ("a: yes", True),
        ("a: false", False),
        ("a: ~", None),
        ("a:", None),
        ('{\n\t"a": [1, 2.5]\n}', [1, 2.5]),
        ('{"a": 1e6}', 1e6),
        ('{"a": "\\ud83d\\ude00"}', "😀"),
        ("{a: 1, }", 1),
    ],
)
def test_value_is_read_as_written(text, value):
    read = document.load(text)
    assert read == {"a": value}
    assert type(read["a"]) is type(value)


def test_non_finite_numbers_pass_for_the_caller_to_refuse_with_the_rest():
    assert math.isnan(document.load("a: .nan")["a"])
    assert document.load('{"a": Infinity}') == {"a": math.inf}
    assert document.load("a: 1e999") == {"a": math.inf}


def test_bytes_with_a_byte_order_mark_are_read():
    assert document.load(b"\xef\xbb\xbfa: 1") == {"a": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the document is empty @ $"),
        ("# nothing\n", "the document is empty @ $"),
        ("null", "the document is empty @ $"),
        (b"\xff\xfea", "the document is not UTF-8 text @ $"),
        ("\ud800", "the document is not UTF-8 text @ $"),
        (
            '{"a": {"b": "\\ud800"}}',
            "the text holds half a character (a lone surrogate) @ $.a.b",
        ),
        ("x" * 300_000, "the document is too large: at most 256 kB are read @ $"),
        ("a: &x 1\nb: *x", "anchors are not read: remove &x (line 1, column 4) @ $"),
        ("a: *x", "aliases are not read: write the value out (line 1, column 4) @ $"),
        ("a: !int 1", "tags are not read: remove !int (line 1, column 4) @ $"),
        (
            "a: 1\n---\nb: 2",
            "several documents in one file: keep one, without a second `---` @ $",
        ),
        ("? [a]\n: 1", "a key must be text (line 1, column 1) @ $"),
        (
            "a: 1\nb: {c: 1, c: 2}\na: 3",
            'the key "c" is given twice @ $.b.c\nthe key "a" is given twice @ $.a',
        ),
        ('[{"a": 1, "a": 2}]', 'the key "a" is given twice @ $[0].a'),
        (
            "[" * 30 + "]" * 30,
            "the document is nested too deeply: at most 20 levels are read @ $",
        ),
        (
            '{"a":' * 50_000,
            "the document is nested too deeply: at most 20 levels are read @ $",
        ),
        (
            "- " * 30,
            "the document is nested too deeply: at most 20 levels are read (line 1, column 41) @ $",
        ),
        (
            "[" + "1," * 30_000 + "1]",
            "the document holds too many values: at most 20000 are read @ $",
        ),
        (
            "- 1\n" * 30_000,
            "the document holds too many values: at most 20000 are read @ $",
        ),
        (
            '{"a" 1}',
            "the document is not valid JSON: expecting ':' delimiter (line 1, column 6) @ $",
        ),
    ],
)
def test_refusal_names_the_place_and_what_to_do(text, message):
    assert refusal(text) == message


@pytest.mark.parametrize("text", ["a: " + "9" * 5000, '{"a": ' + "9" * 5000 + "}"])
def test_huge_integer_is_refused_without_repeating_it(text):
    assert refusal(text).endswith("is too large: at most 30 digits are read @ $")
    assert len(refusal(text)) < 200


def test_syntax_error_names_line_and_column():
    assert refusal("a: 1\n b: 2").startswith("the document is not valid YAML: mapping values are not allowed")
    assert refusal("a: 1\n b: 2").endswith("(line 2, column 3) @ $")


HOSTILE = {
    "open brackets": "[" * 200_000,
    "escaped quotes": '"' + '\\"' * 120_000,
    "quoted list": "[" + '"\\"' * 80_000,
    "blank block": "|" + "\n" * 200_000,
    "anchors": "&a " * 80_000,
    "bangs": "!" * 200_000,
    "comments": "# " * 120_000,
    "endless key": "k" * 250_000 + ": 1",
    "question marks": "? " * 100_000,
    "wide mapping": "\n".join(f"k{i}: 1" for i in range(9_000)),
    "folded text": "--- >\n" + " a\n" * 50_000,
    "directives": "%TAG " * 50_000,
}


@pytest.mark.parametrize("loader", ["fast", "pure"])
@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_document_is_settled_within_two_seconds(name, loader, monkeypatch):
    if loader == "pure":  # machines whose PyYAML was built without libyaml
        monkeypatch.setattr(document, "_LOADER", yaml.SafeLoader)
    started = time.perf_counter()
    problems = problems_of(HOSTILE[name])
    assert time.perf_counter() - started < 2
    assert len("".join(problems)) < 500


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(
            alphabet=st.sampled_from(list("ab:-?[]{}\"'\\&*!|>%@`#,\n\t 019.eE~\x00\ud800")),
            max_size=60,
        ),
        st.binary(max_size=60),
    )
)
def test_any_text_gives_a_value_or_an_input_error(text):
    assert all(" @ $" in problem for problem in problems_of(text))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**29), 10**29) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(max_size=5), PLAIN, max_size=4))
def test_json_is_read_back_unchanged(value):
    import json

    assert document.load(json.dumps(value, indent="\t")) == value


@pytest.mark.parametrize(
    ("path", "key", "expected"),
    [
        ("$", "items", "$.items"),
        ("$.items", 2, "$.items[2]"),
        ("$", "a b", '$["a b"]'),
        ("$", "", '$[""]'),
        ("$", "é\n", '$["\\u00e9\\n"]'),
    ],
)
def test_path_of_a_member(path, key, expected):
    assert document.child(path, key) == expected
