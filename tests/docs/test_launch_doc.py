"""The pages about launches say what the plans say: every option, every field, what is created, what it costs."""

import re

import pytest

from launch.request import (
    OPTIONS_TO_LAUNCH,
    STRATEGIES,
    Alarms,
    Capture,
    Container,
    Model,
    Network,
    Request,
    Transform,
    Update,
    Variant,
    names_of,
    read_request,
)
from tests.docs import launch_tables
from tests.docs.limit_tables import between

PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted(launch_tables.HERE.glob("*.md"))}
PARTS = (Request, Model, Container, Variant, Capture, Network, Update, Alarms, Transform)


@pytest.mark.parametrize("page", launch_tables.tables())
def test_a_table_says_what_the_plans_say(page):
    for marker, table in launch_tables.tables()[page].items():
        assert between(PAGES[page], marker) == table, "python -m tests.docs.launch_tables rewrites it"


@pytest.mark.parametrize("option", OPTIONS_TO_LAUNCH)
def test_every_option_has_a_page_with_what_a_person_asks(option):
    titles = re.findall(r"^## (.+)$", PAGES[f"{option}.md"], flags=re.MULTILINE)
    assert titles == ["What is created", "What it costs idle", "How to change it", "How to remove it"]
    assert f"({option}.md)" in PAGES["README.md"]


@pytest.mark.parametrize("field", sorted({name for part in PARTS for name in names_of(part)} | set(STRATEGIES)))
def test_every_field_of_a_launch_file_is_described(field):
    assert f"`{field}`" in PAGES["README.md"]


def test_the_example_is_a_launch_file():
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGES["README.md"], flags=re.DOTALL)
    assert read_request(example).name == "fraud"


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)[^)]*\)", PAGES[page]):
        assert (launch_tables.HERE / target).exists(), target
