"""The layout of the project: what stands where, what may import what, what the locks hold."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("fitness", "launch", "monitoring", "pages", "sandbox", "ui")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

MAXIMUM_LINES = 400
# A longer file stands here with its reason.
LONG_FILES: dict[str, str] = {}

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}

# What reaches out of the process, or differs from one run to the next.
IMPURE_MODULES = frozenset({
    "asyncio", "ftplib", "http", "requests", "selectors", "smtplib", "socket", "ssl", "urllib", "urllib3",
    "boto3", "botocore", "pyathena", "sagemaker",
    "pandas", "plotly", "streamlit",
    "ctypes", "multiprocessing", "signal", "sqlite3", "subprocess", "threading",
    "locale", "random", "secrets", "shutil", "tempfile", "time", "uuid",
})  # fmt: skip
IMPURE_CALLS = frozenset({
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
    "os.environ", "os.getenv", "os.urandom", "sys.argv", "sys.stdin",
    "Path.home", "Path.cwd", "input",
})  # fmt: skip
# The command and the refresh of the price book are where the engine meets its surroundings. `compiled` keeps compiled
# code in the user's cache, `warm` has threads; the loops that they compile and run touch neither.
EDGE = {
    "fitness/cli.py", "fitness/__main__.py", "fitness/terminal.py", "fitness/download.py", "fitness/offers.py",
    "fitness/simulation/compiled.py", "fitness/simulation/warm.py",
}  # fmt: skip

LOCKS = ("requirements", "requirements-dev", "requirements-peers")

CHANGES = ("Security", "Removed", "Deprecated", "Added", "Changed", "Fixed")


def sources(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [*found, ROOT / "app.py", ROOT / "serve.py"] if "app" in folders or len(folders) > 1 else found


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


OWN = sources(*PACKAGES, "tests")


def test_pages_holds_only_folders_since_streamlit_serves_its_files_past_the_sign_in():
    assert [name_of(path) for path in (ROOT / "pages").glob("*.py")] == []


def test_pages_have_different_names_since_the_name_is_the_address():
    names = [path.stem for path in sources("pages")]
    assert sorted(names) == sorted(set(names))


def test_files_are_short_or_have_a_reason():
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in OWN}
    long = {name for name, lines in lengths.items() if lines > MAXIMUM_LINES}
    assert long == set(LONG_FILES), "split the file, or give the reason in LONG_FILES; remove what became short"


def test_names_say_what_a_module_holds():
    assert [name_of(path) for path in OWN if VAGUE_NAMES & set(path.relative_to(ROOT).with_suffix("").parts)] == []


def imported(tree: ast.Module) -> Iterator[str]:
    """Name the modules that a file imports, wherever it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def impurities(text: str) -> set[str]:
    """Name what a source text does that a pure function does not."""
    tree = ast.parse(text)
    found = {name for name in imported(tree) if name.split(".")[0] in IMPURE_MODULES}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            called = ast.unparse(node)
            found |= {call for call in IMPURE_CALLS if called == call or called.endswith(f".{call}")}
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            found |= {f"os.{alias.name}" for alias in node.names if f"os.{alias.name}" in IMPURE_CALLS}
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called.endswith("default_rng") and not (node.args or node.keywords):
                found.add("default_rng without a seed")
            # The functions of numpy.random itself share one hidden generator.
            if re.fullmatch(r"(np|numpy)\.random\.[a-z_]+", called) and not called.endswith("default_rng"):
                found.add(called)
    return found


@pytest.mark.parametrize("path", [path for path in sources("fitness") if name_of(path) not in EDGE], ids=name_of)
def test_the_decision_engine_is_pure(path: Path):
    assert impurities(path.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import urllib.request", {"urllib.request"}),
        ("def f():\n    from time import sleep", {"time"}),
        ("import datetime as dt\ndt.datetime.now(dt.UTC)", {"datetime.now"}),
        ("from datetime import date\nx = date.today()", {"date.today"}),
        ("import os\nx = os.environ['A']", {"os.environ"}),
        ("from os import getenv", {"os.getenv"}),
        ("import numpy as np\nnp.random.default_rng()", {"default_rng without a seed"}),
        ("import numpy as np\nnp.random.rand(3)", {"np.random.rand"}),
        ("import numpy as np\nnp.random.default_rng(7).random(3)", set()),
        ("from datetime import date\nx = date.fromisoformat('2026-01-01')", set()),
    ],
)
def test_the_guard_of_purity_sees(text: str, found: set[str]):
    assert impurities(text) == found


def test_nobody_imports_the_entry_and_only_its_own_files_import_the_sandbox():
    strays = {
        (name_of(path), name)
        for path in OWN
        for name in imported(ast.parse(path.read_text(encoding="utf-8")))
        if name.split(".")[0] == "app"
        or (name.split(".")[0] == "sandbox" and path.relative_to(ROOT).parts[0] not in {"sandbox", "tests"})
    }
    assert strays == set()


def test_each_package_is_under_the_import_contracts():
    present = {folder for folder in PACKAGES if sources(folder)}
    assert set(PYPROJECT["tool"]["importlinter"]["root_packages"]) == present


def test_each_rule_left_out_has_its_reason_beside_it():
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    bare = [line for line in lines if re.fullmatch(r'\s+"[A-Z]+\d*",(\s*#\s*)?', line)]
    assert bare == []


def requirements(name: str) -> list[str]:
    """Name the packages that a file of direct requirements asks for."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [re.split(r"[^A-Za-z0-9_-]", line)[0].lower() for line in lines if line and line[0] not in "#-"]


def pins(name: str) -> dict[str, str]:
    """Give the version of each package in a lock."""
    found = re.findall(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
    assert len(found) == len(dict(found)), "a package stands twice in the lock"
    return dict(found)


def test_the_six_packages_that_the_project_is_built_on_are_required():
    assert set(requirements("requirements.in")) >= {"streamlit", "boto3", "pandas", "plotly", "sagemaker", "pyathena"}


@pytest.mark.parametrize("stem", LOCKS)
def test_the_lock_is_compiled_from_the_direct_requirements(stem: str):
    assert set(requirements(f"{stem}.in")) <= set(pins(f"{stem}.txt"))


@pytest.mark.parametrize("stem", LOCKS)
def test_the_lock_pins_each_file_and_names_no_registry(stem: str):
    text = (ROOT / f"{stem}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^--?(i|f|index|extra|find)", text, re.MULTILINE)
    blocks = re.split(r"\n(?=[a-z0-9])", text)
    assert [block.splitlines()[0] for block in blocks if "==" in block and "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("stem", LOCKS)
def test_the_locks_agree(stem: str):
    program, other = pins("requirements.txt"), pins(f"{stem}.txt")
    assert {name: version for name, version in other.items() if program.get(name, version) != version} == {}


def changelog_faults(text: str) -> list[str]:
    """Name what is wrong with a changelog: its versions, its headings, their order, an empty heading."""
    faults = []
    versions = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    if not versions or not versions[0].startswith("Unreleased\n"):
        faults.append("the first section is not Unreleased")
    for version in versions:
        title, *rest = re.split(r"^### ", version, flags=re.MULTILINE)
        heading = title.splitlines()[0]
        if not re.fullmatch(r"Unreleased|\d+\.\d+\.\d+ - \d{4}-\d{2}-\d{2}", heading):
            faults.append(f"{heading}: neither Unreleased nor a version with its date")
        kinds = [section.splitlines()[0] for section in rest]
        if kinds != [kind for kind in CHANGES if kind in kinds]:
            faults.append(f"{heading}: {', '.join(kinds)}; allowed in this order: {', '.join(CHANGES)}")
        faults += [
            f"{heading}: {kind} is empty" for kind, section in zip(kinds, rest, strict=True) if "\n- " not in section
        ]
    return faults


def test_the_changelog_has_the_agreed_form():
    assert changelog_faults((ROOT / "CHANGELOG.md").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("# Changelog\n", "the first section is not Unreleased"),
        ("## Unreleased\n### Added\n", "Unreleased: Added is empty"),
        ("## Unreleased\n### News\n- a\n", "Unreleased: News; allowed"),
        ("## Unreleased\n### Fixed\n- a\n### Added\n- b\n", "Unreleased: Fixed, Added; allowed"),
        ("## Unreleased\n## 1.2 - today\n", "1.2 - today: neither"),
    ],
)
def test_the_guard_of_the_changelog_sees(text: str, fault: str):
    assert any(found.startswith(fault) for found in changelog_faults(text))
