import re

import pytest

from fitness import document, trace, workload_file
from fitness.errors import InputError
from fitness.fields import FIELDS, SMALLEST
from tests.docs import field_tables
from tests.docs.limit_tables import DOCS, between

DOC = (DOCS / "workload.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```(\w*)\n(.*?)^```$", DOC, re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize("marker", field_tables.tables())
def test_a_table_says_what_the_program_knows(marker):
    assert between(DOC, marker) == field_tables.tables()[marker]


@pytest.mark.parametrize("one", FIELDS, ids=lambda one: one.path)
def test_every_field_is_described(one):
    table = between(DOC, f"fields {one.section or field_tables.TOP}")
    (row,) = [line for line in table.splitlines() if line.startswith(f"| `{one.name}` |")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert len(cells) == 6
    assert all(cells)
    assert cells[1] == one.help
    assert cells[3] == one.allowed


def test_the_example_is_a_workload_file_written_as_the_program_writes():
    assert workload_file.write(workload_file.read(BLOCKS["yaml"])) == BLOCKS["yaml"]


def test_the_shown_messages_are_the_messages():
    wrong = "{name: x, accelerator: GPU, traffic: {rps_peak: -3, rps_peek: 3}}"
    with pytest.raises(InputError) as caught:
        workload_file.read(wrong)
    assert sorted(map(str, caught.value.problems)) == sorted(BLOCKS[""].splitlines())


def test_the_bounds_in_the_text_are_the_bounds():
    assert f"of at most {document.MAX_BYTES // 1024} kB" in DOC
    assert f"at least {SMALLEST:g};" in DOC
    assert f"A file may have {trace.MAX_BYTES // 1024**3} GB, ten million rows and {trace.MAX_MODELS:,} models" in DOC
    assert trace.MAX_ROWS == 10_000_000


def test_each_line_of_prose_holds_one_sentence():
    prose = re.sub(r"```.*?```", "", DOC, flags=re.DOTALL)
    lines = [line for line in prose.splitlines() if line and not line.startswith(("|", "#", "<", "- "))]
    assert [line for line in lines if re.search(r"[.!?] [A-Z]", line)] == []
