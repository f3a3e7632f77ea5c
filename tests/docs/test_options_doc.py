import re

import pytest

from fitness import limits
from fitness.options import FUNCTIONS, OPTIONS
from tests.docs import limit_tables

OPTIONS_DOC = (limit_tables.DOCS / "options.md").read_text(encoding="utf-8")
LIMITS_DOC = (limit_tables.DOCS / "limits.md").read_text(encoding="utf-8")
SECTION = re.compile(r"^## [^\n]*\(`(\w+)`\)\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
SECTIONS = dict(SECTION.findall(OPTIONS_DOC))


def test_each_option_has_a_section_in_the_order_of_the_contract():
    assert list(SECTIONS) == list(OPTIONS)


@pytest.mark.parametrize("option", OPTIONS.values(), ids=list(OPTIONS))
def test_a_section_says_what_the_option_is_when_to_use_it_and_what_it_costs_idle(option):
    section = SECTIONS[option.id]
    assert f"## {option.title} (`{option.id}`)" in OPTIONS_DOC
    assert option.summary in section
    for heading in ("When the guide says to use it", "While idle", "Limits"):
        assert f"### {heading}\n" in section
    for function in FUNCTIONS:
        assert option.guide[function] in section


@pytest.mark.parametrize("option", OPTIONS)
def test_a_section_has_every_limit_of_both_profiles(option):
    written = limit_tables.between(SECTIONS[option], f"limits {option}")
    assert written == limit_tables.option_table(option)


@pytest.mark.parametrize("marker", ["names", "statuses"])
def test_the_page_of_the_register_explains_every_limit_and_status(marker):
    assert limit_tables.between(LIMITS_DOC, marker) == limit_tables.tables()["limits.md"][marker]


def test_a_row_of_the_table_holds_both_values_their_dates_and_sources():
    (line,) = [line for line in SECTIONS["async"].splitlines() if line.startswith("| Processing time (`processing_s`)")]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[1:3] == ["900 s", "3600 s"]
    superseded, current = cells[3].split("<br>")
    assert superseded.startswith("superseded, 2023-06, [")
    sources = dict(re.findall(r"^(\d+)\. (.*)$", OPTIONS_DOC, re.MULTILINE))
    (number,) = re.findall(r"\[(\d+)\]", current)
    assert sources[number].startswith("https://docs.aws.amazon.com/sagemaker/latest/dg/hosting-faqs")


def test_the_sources_are_listed_once_below_the_options():
    written = limit_tables.between(OPTIONS_DOC, "sources")
    assert written == limit_tables.sources_list()
    assert len(written.splitlines()) == len({source for row in limits.register() for source in row.sources})


def test_no_cell_breaks_its_table():
    for row in limits.register():
        for text in (row.text, row.source, row.note):
            assert "|" not in text, row
            assert "\n" not in text, row


def test_a_missing_marker_is_reported():
    with pytest.raises(LookupError, match="limits lambda"):
        limit_tables.between(OPTIONS_DOC, "limits lambda")
