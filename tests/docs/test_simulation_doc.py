import re
from pathlib import Path

from fitness.simulation import control, months, multipliers, policies, rules, streams
from fitness.simulation.policy_lint import metrics
from tests.docs import metric_tables
from tests.docs.limit_tables import DOCS, between

DOC = (DOCS / "simulation.md").read_text(encoding="utf-8")
CODE = Path(__file__).resolve().parents[2] / "fitness"


def test_the_table_of_metrics_says_what_the_program_knows():
    assert between(DOC, metric_tables.MARKER) == metric_tables.metric_table()
    assert all(f"`{one.name}`" in DOC for one in metrics())


def test_every_section_that_the_code_cites_is_there():
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lower()).strip().replace(" ", "-")
        for line in re.findall(r"^#+ (.*)$", DOC, re.MULTILINE)
    }
    cited = {
        (path.name, anchor)
        for path in CODE.rglob("*.py")
        for anchor in re.findall(r"docs/simulation\.md#([a-z-]+)", path.read_text(encoding="utf-8"))
    }
    here = {"control.py", "multipliers.py", "months.py", "policies.py", "rules.py", "streams.py", "timeline.py"}
    assert {name for name, _ in cited} >= here
    assert not {(name, anchor) for name, anchor in cited if name in here and anchor not in headings}


def test_the_numbers_in_the_text_are_the_numbers():
    assert f"bursts of {months.BURST_MINUTES:.0f} minutes" in DOC
    assert f"busiest at {months.BUSIEST_MINUTE // 60}:00 UTC" in DOC
    assert f"{rules.OUT_POINTS} of {rules.OUT_POINTS} datapoints exceed the target" in DOC
    assert f"{rules.IN_POINTS} of {rules.IN_POINTS} are below {rules.IN_RATIO} of the target" in DOC
    assert f"| default cooldowns | {rules.COOLDOWN_S:.0f} s and {rules.COOLDOWN_S:.0f} s |" in DOC
    assert f"paid for {control.DRAIN_S:.0f} seconds more" in DOC
    assert f"at most {streams.LEAD_S:,.0f} seconds long" in DOC
    assert (streams.WINDOWS, streams.FEWEST_WINDOWS, streams.LEAD_SHARE) == (16, 8, 0.25)
    assert "within {:.0f} and {:.0f} seconds".format(*streams.SHORTEST_S) in DOC
    assert f"a table of {multipliers._Z.size:,} points" in DOC
    assert f"integrated on {multipliers._POINTS:,} points" in DOC
    assert f"at most {policies.MOST_ACTIONS} actions" in DOC
    assert f"correlation above {policies.REPEATS}" in DOC
    assert f"the last {policies.MOST_MINUTES // rules.MINUTES_PER_WEEK} weeks" in DOC
    assert "50 to 100 %" in DOC
    assert (min(policies.TARGETS), max(policies.TARGETS)) == (0.5, 1.0)
    assert "the 10, 50 and 90 % quantiles" in DOC
    assert policies.LAUNCH_QUANTILES == (0.1, 0.5, 0.9)
