"""What a launch is made of reaches for nothing outside: no clock, no environment, no network, no randomness."""

from pathlib import Path

import pytest

from tests.unit.test_layout import PYPROJECT, impurities

ROOT = Path(__file__).parents[3]
CONTRACT = next(
    one for one in PYPROJECT["tool"]["importlinter"]["contracts"] if one["name"].startswith("What a launch is")
)
IMPORTED = ("api_calls", "forms", "notes", "reading", "roles", "settings", "template_parts")
PURE = sorted({
    *(name.removeprefix("launch.") for name in CONTRACT["source_modules"]),
    *IMPORTED,
    *(path.stem for path in (ROOT / "launch").glob("template_*.py")),
})  # fmt: skip


@pytest.mark.parametrize("module", PURE)
def test_it_is_pure(module: str):
    assert impurities((ROOT / "launch" / f"{module}.py").read_text(encoding="utf-8")) == set()
