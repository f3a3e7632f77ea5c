"""Malformed workload documents from a seed: what a stranger, a broken editor or an attacker could send.

python -m tests.fuzz_documents --seed 1 --count 5000 --into FOLDER     # one file each
"""

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from fitness import workload_file
from fitness.fields import FIELDS, SECTIONS
from fitness.workload import Workload

BASE = workload_file.to_dict(
    Workload.from_values({one.path: one.example for one in FIELDS if one.path != "traffic.trace"})
)
WRONG_VALUES: tuple[object, ...] = (
    None, True, False, -1, 0, 1, -0.0, 1.5, 10**29, -(10**29), 2**63, 1e308, -1e308, 5e-324,
    float("nan"), float("inf"), float("-inf"), "", " ", "x", "12", "1e9", "nan", "null", "\u202e", "\ud7ff", "é" * 70,
    "a" * 5000,
    [], [1], [[]], {}, {"a": 1}, {"count": {"count": {}}}, "zipf:", "zipf:-1", "hot:2", "zipf:1e999",
    "2024-01-01", "ml.c5.", "ml.x9.huge", "../../etc/passwd", "<script>alert(1)</script>", "${HOME}", "\x00",
    "\x1b[31m", "\ud800",
)  # fmt: skip
RAW_VALUES = (
    "!!python/object/apply:os.system ['true']", "!!binary aGVsbG8=", "!!set {a, b}", "!!timestamp 2024-01-01",
    "&a [*a]", "*missing", "&a x", "!x y", "1_000", "0x1F", "0o17", "1e3", "1E400", "12:30:45", "2024-01-01", "yes",
    "~", ".nan", "-.inf", "9" * 5000, "1." + "0" * 5000, "'unclosed", '"unclosed', "[1, 2", "{a: ", "| \n text",
    "? a : b", "@at", "`tick", "%TAG", "- - -", "<<: x", '"\\ud800"', '"\\x00"', '"\\uFFFF"', "? ", "#", ": :",
    "\t1", "!", "&", "*",
)  # fmt: skip


def documents(seed: int, n: int) -> Iterator[str | bytes]:
    """Give `n` documents, the same for the same seed; a few of them are valid."""
    chance = random.Random(seed)  # noqa: S311 not a secret
    for _ in range(n):
        yield chance.choice(MAKERS)(chance)


def _wrong_types(chance: random.Random) -> str:
    content = _copy()
    for _ in range(chance.randint(1, 6)):
        _put(content, chance.choice(FIELDS).path, chance.choice(WRONG_VALUES))
    return _dumped(chance, content)


def _wrong_sections(chance: random.Random) -> str:
    content = _copy()
    for _ in range(chance.randint(1, 3)):
        content[chance.choice(SECTIONS)] = chance.choice(WRONG_VALUES)
    return _dumped(chance, content)


def _unknown_keys(chance: random.Random) -> str:
    content = _copy()
    for _ in range(chance.choice([1, 3, 10, 300])):
        key = _misspelt(chance, chance.choice(FIELDS).name) + chance.choice(["", "_ms", "2", "." * 50, "é", " "])
        if chance.random() < 0.5:
            content[key] = chance.choice(WRONG_VALUES)
        else:
            _put(content, f"{chance.choice(SECTIONS)}.{key}", 1)
    return _dumped(chance, content)


def _raw_values(chance: random.Random) -> str:
    lines = workload_file.write(workload_file.from_dict(BASE)).splitlines()
    for _ in range(chance.randint(1, 3)):
        number = chance.randrange(len(lines))
        if ":" in lines[number]:
            lines[number] = f"{lines[number].partition(':')[0]}: {chance.choice(RAW_VALUES)}"
    return "\n".join(lines)


def _damaged_lines(chance: random.Random) -> str:
    lines = workload_file.write(workload_file.from_dict(BASE)).splitlines()
    for _ in range(chance.randint(1, 8)):
        number = chance.randrange(len(lines))
        damage = chance.randrange(6)
        if damage == 0:
            del lines[number]
        elif damage == 1:
            lines.insert(number, lines[number])
        elif damage == 2:
            lines[number] = " " * chance.randint(1, 5) + lines[number]
        elif damage == 3:
            lines[number] = lines[number].replace(":", chance.choice(["", "::", "=", ":\t", ": -"]))
        elif damage == 4:
            lines.insert(number, chance.choice(["---", "...", "%YAML 1.1", "- x", "? [a]", "{", "]", "\x07"]))
        else:
            chance.shuffle(lines)
    return chance.choice(["\n", "\r\n", "\n"]).join(lines)


def _damaged_bytes(chance: random.Random) -> bytes:
    text = bytearray(_dumped(chance, _copy()).encode("utf-8", "surrogatepass"))
    for _ in range(chance.randint(1, 12)):
        text[chance.randrange(len(text))] = chance.randrange(256)
    return bytes(text[: chance.choice([len(text), chance.randrange(len(text)) + 1])])


def _binary(chance: random.Random) -> bytes:
    start = chance.choice([b"", b"\x7fELF", b"\x89PNG\r\n", b"PK\x03\x04", b"\x1f\x8b", b"\xff\xfe", b"\xef\xbb\xbf"])
    return start + chance.randbytes(chance.choice([0, 1, 7, 100, 5000]))


def _deep(chance: random.Random) -> str:
    depth = chance.choice([5, 19, 20, 21, 100, 1000, 20_000])
    opening, closing = chance.choice([("[", "]"), ('{"a":', "}"), ("{a: ", "}"), ("- ", ""), ("? ", "")])
    inside = opening * depth + "1" + closing * chance.choice([depth, 0])
    return chance.choice(["{}", "name: x\nmodels: {}", '{{"name": "x", "models": {}}}']).replace("{}", inside, 1)


def _aliases(chance: random.Random) -> str:
    levels = chance.choice([2, 9, 40])
    lines = ["a0: &a0 [lol, lol, lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, levels)]
    return "\n".join([*lines, "name: x", f"models: *a{levels - 1}", "traffic: {<<: *a0}"])


def _large(chance: random.Random) -> str:
    size = chance.choice([1000, 5000, 30_000])
    kind = chance.randrange(5)
    if kind == 0:
        return "name: " + "x" * size * 4
    if kind == 1:
        return "name: x\n" + "\n".join(f"k{i}: {i}" for i in range(size))
    if kind == 2:
        return json.dumps({"name": "x", "models": list(range(size))})
    if kind == 3:
        return "name: x\ntraffic: {rps_peak: " + "9" * size + "}"
    return "name: x\n" + "models: {count: 1}\n" * size


def _fragments(chance: random.Random) -> str:
    return chance.choice([
        "", " ", "\n", "\t", "null", "~", "---", "--- \n---", "...", "{}", "[]", '""', "x", "0", "-", ":", "{", "}",
        "[", "name", "name:", "name: x", "{name: x}", '{"name": "x"', '{"name": "x",}', "name: [x]", "name: {a: b}",
        "NaN", '{"name": "x", "name": "y"}', "name: x\nname: y", "# only a comment", "\ufeffname: x",
        "%YAML 9.9\n---\nname: x",
        "!!map {name: x}", "version: 1", "version: '1'\nname: x", "version: 1.0\nname: x", "version: 99\nname: x",
        '{"name": "\\ud800"}', '{"name": NaN}', "name: x\ntraffic: {rps_mean: 5, rps_peak: 1}", "\x00", "\x1a",
        "\u2028",
    ])  # fmt: skip


MAKERS: tuple[Callable[[random.Random], str | bytes], ...] = (
    _wrong_types,
    _wrong_types,
    _wrong_sections,
    _unknown_keys,
    _raw_values,
    _raw_values,
    _damaged_lines,
    _damaged_lines,
    _damaged_bytes,
    _binary,
    _deep,
    _aliases,
    _large,
    _fragments,
)


def _copy() -> dict[str, object]:
    return json.loads(json.dumps(BASE))


def _put(content: dict[str, object], path: str, value: object) -> None:
    section, _, name = path.partition(".") if "." in path else ("", "", path)
    inside = content.setdefault(section, {}) if section else content
    if isinstance(inside, dict):
        inside[name] = value


def _dumped(chance: random.Random, content: dict[str, object]) -> str:
    if chance.random() < 0.5:
        return json.dumps(content, ensure_ascii=chance.random() < 0.5)
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def _misspelt(chance: random.Random, word: str) -> str:
    place = chance.randrange(len(word))
    return chance.choice([word[:place] + word[place + 1 :], word[:place] + "x" + word[place:], word.upper()])


def main(arguments: list[str]) -> int:
    """Write documents into a folder, one file each."""
    parser = argparse.ArgumentParser(description="Write malformed workload documents into a folder.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--into", type=Path, required=True)
    asked = parser.parse_args(arguments)
    asked.into.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(documents(asked.seed, asked.count)):
        raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        (asked.into / f"{number:05d}.yaml").write_bytes(raw)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
