"""What the verdict hangs on: draws, questions worth asking, and changes that turn the order."""

import numpy as np
import pytest

from fitness import presets
from fitness.errors import InputError
from fitness.fields import Kind, field
from fitness.inputs import Draws
from fitness.sensitivity import Sampled, ask_next, changes_to_win, sampled, value_of
from fitness.study import study
from tests.declared import BOOK, declared, resolved, studied
from tests.gated import CHAIN, JOB, LATER, ONLINE

THIN = {"request.synchronous": True, "traffic.pattern": "steady", "objectives.cold_start_ok": True}
KNOWN = {**ONLINE, "request.measured_on": "ml.c5.xlarge", "request.processing_cv": 0.5,
         "request.processing_distribution": "lognormal"}  # fmt: skip


def ranked(work):
    return sorted(work.played.values(), key=lambda one: (one.scores is None, -one.value))


def of_values(value) -> Sampled:
    value = np.array(value, dtype=np.float64)
    return Sampled(options=("a", "b"), inputs=resolved({}), value=value, monthly_usd=value * 100)


def test_the_probability_of_being_best_counts_the_draws_in_which_anything_may_run():
    sample = of_values([[0.5, 0.2, 0.0, 0.9], [0.4, 0.3, 0.0, 0.1]])
    assert sample.probability("a") == pytest.approx(2 / 3)
    assert sample.probability("b") == pytest.approx(1 / 3)


def test_where_nothing_may_run_nothing_is_best():
    assert of_values([[0.0, 0.0], [0.0, 0.0]]).probability("a") == 0


def test_costs_of_an_option_are_given_by_draw():
    assert of_values([[0.5, 0.2], [0.4, 0.3]]).usd("b").tolist() == [40, 30]


def test_draws_repeat_and_options_do_not_disturb_one_another():
    whole = sampled(studied(THIN), 64)
    again = sampled(studied(THIN), 64)
    assert np.array_equal(whole.value, again.value)
    alone = sampled(studied(THIN, options=("serverless", "real_time")), 64)
    for option in alone.options:
        row = whole.value[whole.options.index(option)]
        assert alone.value[alone.options.index(option)] == pytest.approx(row, rel=0.05)


def test_the_draws_cover_the_point():
    work = studied(KNOWN)
    sample = sampled(work, 64)
    for option in ("real_time", "serverless"):
        low, high = np.percentile(sample.usd(option), [0, 100])
        assert low <= float(work.played[option].monthly_usd[0]) * 1.001
        assert high >= float(work.played[option].monthly_usd[0]) * 0.999


def test_a_conditional_gate_holds_in_as_many_draws_as_it_is_likely():
    # Between the two limits that sources give: one half.
    work = studied({**KNOWN, "request.payload_in_mb": 10})
    sample = sampled(work, 400)
    runs = np.mean(sample.value[sample.options.index("real_time")] > 0)
    assert runs == pytest.approx(0.5, abs=0.01)


def test_only_what_is_unknown_is_asked_and_at_most_two_fields():
    work = studied(THIN)
    asked = ask_next(work, sampled(work, 256))
    assert 1 <= len(asked) <= 2
    assert set(asked) <= set(work.point.assumed)
    known = studied(KNOWN)
    assert not set(ask_next(known, sampled(known, 256))) & set(KNOWN)


def test_the_input_on_which_the_choice_hangs_is_asked_first():
    # All is known but how often requests come: rare ones suit serverless, frequent ones an endpoint.
    values = {path: value for path, value in KNOWN.items() if not path.startswith("traffic.rps")}
    work = studied({**values, "objectives.cold_start_budget_s": 60, "models.count": 1})
    asked = ask_next(work, sampled(work, 512))
    assert asked[0] in ("traffic.rps_mean", "traffic.rps_peak")


def test_a_gate_on_a_word_that_is_missing_is_asked():
    values = {path: value for path, value in LATER.items() if path != "request.synchronous"}
    work = studied({**values, "request.payload_in_mb": 500, "request.processing_ms": 300_000})
    assert "request.synchronous" in ask_next(work, sampled(work, 256))


@pytest.mark.parametrize("preset", [one.id for one in presets.PRESETS])
def test_the_changes_of_an_infeasible_option_make_its_gates_pass(preset):
    work = study(presets.load(preset), book=BOOK)
    for option, changes in changes_to_win(work, ranked(work)).items():
        if work.played[option].scores is not None:
            continue
        assert changes, option
        for change in changes:
            if change.after is None:
                continue
            try:
                workload = work.workload.replace({change.field: change.after})
            except InputError:  # contradicts another field, as a p99 below the p95
                continue
            title = change.why.split("'")[1]
            before = [gate for gate in work.played[option].gates if gate.title == title and gate.passes is False]
            after = study(workload, book=BOOK).played[option].gates
            assert before
            assert [gate for gate in after if gate.title == title and gate.passes is False] == [], (option, change)


@pytest.mark.parametrize(
    ("values", "option", "field"),
    [
        ({**ONLINE, "models.memory_mb": 6543.21}, "serverless", "models.memory_mb"),
        ({**ONLINE, "traffic.rps_peak": 12_345.678, "request.processing_ms": 33.3}, "serverless", "traffic.rps_peak"),
        ({**CHAIN, "models.memory_mb": 999_999.0}, "serial_pipeline", "models.memory_mb"),
        ({**ONLINE, "models.artifact_mb": 2_600.0}, "serverless", "models.artifact_mb"),
    ],
)
def test_a_rounded_remedy_still_keeps_the_limit(values, option, field):
    work = studied(values)
    (change,) = [one for one in changes_to_win(work, ranked(work))[option] if one.field == field]
    after = studied({**values, field: change.after}).played[option].gates
    assert [gate.limit for gate in after if gate.field == field and gate.passes is False] == []


@pytest.mark.parametrize("preset", ["customer-models", "nightly-scoring"])
def test_a_change_of_one_field_puts_a_loser_first(preset):
    work = study(presets.load(preset), book=BOOK)
    first, *others = ranked(work)
    found = changes_to_win(work, ranked(work))
    assert first.option not in found
    turned = [(one.option, change) for one in others if one.scores is not None for change in found[one.option]]
    assert turned
    for option, change in turned:
        assert change.before == work.workload.get(change.field)
        assert isinstance(change.after, int if field(change.field).kind is Kind.INTEGER else float)
        again = study(work.workload.replace({change.field: change.after}), book=BOOK)
        assert ranked(again)[0].option == option


def test_a_fields_value_is_the_declared_one_or_what_is_assumed_and_none_without_a_part():
    work = studied({"request.processing_ms": 20, "traffic.pattern": "steady", "traffic.rps_mean": 3})
    assert value_of(work, "request.processing_ms") == 20
    assert value_of(work, "traffic.rps_mean") == 3
    assert value_of(work, "models.artifact_mb") == pytest.approx(100)
    assert value_of(work, "traffic.records_per_job") is None
    assert value_of(work, "objectives.deadline_s") is None
    unknown = studied({})
    assert value_of(unknown, "request.processing_ms") == pytest.approx(
        float(unknown.point.request.processing_s[0]) * 1000
    )


def test_records_of_a_job_play_a_part_only_in_a_job():
    assert value_of(studied(JOB), "traffic.records_per_job") == 1000
    assert value_of(studied(JOB), "traffic.rps_mean") is None


def test_rows_of_a_what_if_are_the_changed_workloads_asked_anew():
    work = studied(KNOWN)
    sizes = np.array([np.nan, 50.0, 500.0])
    rows = work.rows(work.inputs(Draws(size=3, seed=None), {"traffic.rps_peak": sizes}), gate_draws=None)
    for column, peak in enumerate((8, 50, 500)):
        alone = study(declared({**KNOWN, "traffic.rps_peak": peak}), book=BOOK).played
        for option in ("real_time", "serverless"):
            row = work.options.index(option)
            # The sample tries the types that win somewhere, so that it may pay a little more.
            assert rows.monthly_usd[row, column] == pytest.approx(float(alone[option].monthly_usd[0]), rel=0.1)
            assert rows.value[row, column] == pytest.approx(alone[option].value, rel=0.05)
