"""The background says what the code does: tables made from it, anchors that it cites, one sentence a line."""

import re

import pytest

from fitness.inputs import HOURS_PER_MONTH
from tests.docs import background_tables
from tests.docs.limit_tables import DOCS, between

DOC = (DOCS / "background.md").read_text(encoding="utf-8")
ROOT = DOCS.parent
RECORDS = sorted((DOCS / "adr").glob("*.md"))
ANCHORS = {
    re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
    for title in re.findall(r"^#+ (.+)$", DOC, flags=re.MULTILINE)
}


def prose(text):
    """Lines of running text: no tables, titles, markers, lists or code."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return [line for line in text.splitlines() if line and not line.startswith(("|", "#", "<", "- "))]


@pytest.mark.parametrize("marker", background_tables.tables())
def test_a_table_says_what_the_program_knows(marker):
    assert between(DOC, marker) == background_tables.tables()[marker]


def test_every_section_that_the_code_or_a_page_cites_exists():
    cited = set()
    for path in [*ROOT.glob("fitness/**/*.py"), *ROOT.glob("ui/*.py"), *ROOT.glob("*.md"), *DOCS.rglob("*.md")]:
        cited |= set(re.findall(r"background\.md#([a-z-]+)", path.read_text(encoding="utf-8")))
    cited |= set(re.findall(r"\]\(#([a-z-]+)\)", DOC))
    assert len(cited) > 10
    assert cited <= ANCHORS


def test_the_month_of_the_text_is_the_month_of_the_code():
    assert f"a month has {HOURS_PER_MONTH:g} hours" in DOC


def test_each_line_of_prose_holds_one_sentence():
    assert [line for line in prose(DOC) if re.search(r"[.!?] [A-Z]", line)] == []


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_a_decision_record_has_its_four_parts_and_is_half_a_page(record):
    text = record.read_text(encoding="utf-8")
    assert re.match(r"\d{4}-[a-z-]+$", record.stem)
    assert text.startswith("# ")
    parts = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
    assert parts == ["Context", "Decision", "Refused", "How we would notice that we were wrong"]
    assert 80 <= len(text.split()) <= 330
    assert [line for line in prose(text) if re.search(r"[.!?] [A-Z]", line)] == []


def test_decision_records_are_numbered_without_a_gap():
    assert [path.stem[:4] for path in RECORDS] == [f"{number:04}" for number in range(1, len(RECORDS) + 1)]
    assert RECORDS


def test_links_between_the_pages_lead_somewhere():
    for path in [DOCS / "background.md", *RECORDS]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (path.parent / target).exists(), (path.name, target)
