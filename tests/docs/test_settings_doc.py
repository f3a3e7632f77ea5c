"""Every setting, command and page is in the documentation."""

from pathlib import Path

import pytest

from fitness.analytic.settings import NUMBERS
from fitness.cli import _parser
from fitness.score import FUNCTIONS

ROOT = Path(__file__).parents[2]
SETTINGS = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*NUMBERS, "instance_type", "routing"])
def test_every_setting_of_a_configuration_is_described(name):
    assert f"`{name}`" in SETTINGS


@pytest.mark.parametrize("command", sorted(_parser()._subparsers._group_actions[0].choices))
def test_every_command_is_named(command):
    assert f"`{command}`" in SETTINGS
    assert f"-m fitness {command}" in README


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_fitness_function_is_described(function):
    assert f"## {function.title()}" in (ROOT / "docs" / "background.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", sorted(path.stem for path in (ROOT / "pages").rglob("*.py")))
def test_every_page_is_in_the_guide(page):
    assert f"## {page.title()}" in (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")


def test_every_link_of_the_readme_leads_somewhere():
    targets = [part.split(")")[0] for part in README.split("](")[1:]]
    missing = [one for one in targets if not one.startswith("http") and not (ROOT / one.split("#")[0]).exists()]
    assert not missing
