"""The page about accuracy is written, and the one in the documentation is of the same kind."""

import re
from pathlib import Path

import pytest

from tests.accuracy import against_long_runs, against_measurements, against_sandbox
from tests.accuracy.__main__ import main
from tests.accuracy.against_theory import Check
from tests.accuracy.page import Section, with_hosted

ROOT = Path(__file__).parents[2]


def headings(text):
    return re.findall(r"^#+ .*$", text, re.MULTILINE)


def test_a_small_run_writes_every_part_of_the_page(tmp_path):
    page = tmp_path / "accuracy.md"
    main(["--requests", "40000", "--seeds", "4", "--alone", "--seconds", "0", "--out", str(page)])
    text = page.read_text(encoding="utf-8")
    assert headings(text) == headings((ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8"))
    assert "nan" not in text
    assert text.count("\n| c = ") == 12 * 4 + 2 + 5
    assert text.count(", 12 runs of ") == len(against_long_runs.CASES)


def test_the_page_in_the_documentation_comes_from_a_full_run_in_which_everything_held():
    text = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
    assert "20,000,000 requests for each line of theory" in text
    assert "over 200 seeds" in text
    assert "**no**" not in text
    assert "**differ**" not in text
    assert "make peers" not in text


def test_a_section_holds_only_if_every_line_does():
    near, far = Check("a", "mean", 2.0, 2.01), Check("b", "mean", 2.0, 1.9)
    assert Section(title="", text="", floor=0.01, checks=[near]).holds
    section = Section(title="", text="", floor=0.01, checks=[near, far])
    assert not section.holds
    assert section.worst == pytest.approx(0.05)


def test_the_simulator_meets_the_cold_starts_that_were_measured():
    found = against_measurements.runs(100_000)
    assert len(found) == 20
    assert all(run.is_within for run in found)
    off = dict(against_measurements.errors(100_000))
    assert off[600.0] < 0.2
    assert off[300.0] > 1.0


def test_bands_of_a_month_in_windows_hold_what_long_runs_show():
    found = against_long_runs.coverages(requests=100_000, long_requests=2_000_000, seeds=20)
    for one in found:
        assert min(one.shares) >= 0.8, one  # of twenty seeds; the page promises more of more of them
        assert max(one.widths) < 1, one


@pytest.fixture(scope="module")
def hosted():
    return against_sandbox.found(seconds=3, repeats=1, loads=(0.6,), alone=60)


def test_the_simulator_is_of_the_size_of_what_an_endpoint_of_the_sandbox_does(hosted):
    single, shared = hosted.lines
    assert hosted.alone.work_s >= 0.8 * against_sandbox.MEAN_S  # a wait is never shorter than asked for
    assert hosted.shared.load_s >= against_sandbox.LOAD_S
    # A busy machine only makes answers later, so the bound from above is wide.
    for line in (single, shared):
        assert -0.75 < line.off[0] < 0.5
        assert line.measured_ms[0] < line.measured_ms[1]
    seen_ratio, played_ratio = hosted.load_ratio
    assert abs(seen_ratio - played_ratio) < 0.15


def test_the_section_about_the_sandbox_can_be_written_alone(hosted):
    text = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
    written = with_hosted(text, hosted)
    assert headings(written) == headings(text)
    assert written.count("| Endpoints of the sandbox, p50 and p99 |") == 1
    assert with_hosted(written, hosted) == written
    assert "| one model, load 60% |" in written
