"""How much one instance carries within the objectives, and how answers are late."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness import queueing
from fitness.analytic import fleet
from fitness.machines import candidates
from tests.declared import BOOK, resolved

STEADY = {
    "request.measured_on": "ml.c5.xlarge",
    "request.processing_ms": 100,
    "request.processing_cv": 1,
    "request.processing_distribution": "gamma",  # with a spread of 1: the exponential
    "request.concurrency": 1,
    "traffic.pattern": "steady",
    "traffic.rps_mean": 1,
}


def sustainable(values, hops=1.0, loads=None):
    inputs = resolved(values)
    machines = candidates(inputs, BOOK, instance_type="ml.c5.xlarge")
    carries, unmet = fleet.sustainable(inputs, machines, overhead_s=np.zeros(1), hops=np.array([hops]), loads=loads)
    return carries[0, 0], unmet[0, 0]


def test_an_easy_objective_leaves_the_headroom_alone():
    assert sustainable({**STEADY, "objectives.latency_p95_ms": 60_000})[0] == pytest.approx(10 / 1.3)


def loading(seconds, excused):
    """One of four requests loads its model first."""
    return fleet.Loads(ratio=np.array([[0.25]]), seconds=np.array([seconds]), excused=np.array([excused]))


def test_a_load_keeps_its_slot_busy():
    easy = {**STEADY, "objectives.latency_p95_ms": 60_000}
    # 100 ms of work, and 400 ms of loading in one of four requests.
    assert sustainable(easy, loads=loading(0.4, 0.0))[0] == pytest.approx(5 / 1.3)


def test_a_load_is_late_unless_it_is_excused():
    values = {**STEADY, "objectives.latency_p95_ms": 1000}
    alone = sustainable(values)[1]
    assert sustainable(values, loads=loading(2.0, 1.0))[1] == alone
    # A quarter is late for certain, the others in exp(-10) of the cases; 5 % may be.
    assert sustainable(values, loads=loading(2.0, 0.0))[1] == pytest.approx(0.25 + 0.75 * np.exp(-10) - 0.05, abs=1e-3)


@pytest.mark.parametrize("objective_ms", [500, 700, 1000])
def test_a_tight_objective_is_met_at_the_load_that_m_m_1_allows(objective_ms):
    # 95 of 100 sojourns of M/M/1 are within ln(20) / (mu - lambda).
    exact = 10 - np.log(20) / (objective_ms / 1000)
    assert sustainable({**STEADY, "objectives.latency_p95_ms": objective_ms})[0] == pytest.approx(exact, rel=0.05)


def test_the_tighter_of_two_objectives_counts():
    # p99 within 1 s: ln(100) / 1 s below the 10 a second that are served.
    both = {**STEADY, "objectives.latency_p95_ms": 900, "objectives.latency_p99_ms": 1000}
    assert sustainable(both)[0] == pytest.approx(10 - np.log(100), rel=0.05)


def test_what_no_count_repairs_is_the_share_that_is_late_alone():
    # Exponential work of 100 ms is over 200 ms in exp(-2) of the cases; 5 % may be.
    carries, unmet = sustainable({**STEADY, "objectives.latency_p95_ms": 200})
    assert unmet == pytest.approx(np.exp(-2) - 0.05, abs=0.03)
    assert carries == pytest.approx(10 / 1.3)  # then the objective does not size the fleet


def test_each_of_several_queues_carries_its_part_of_the_work():
    easy = {**STEADY, "objectives.latency_p95_ms": 60_000}
    assert sustainable(easy, hops=4.0)[0] == pytest.approx(4 * 10 / 1.3)


def test_records_of_a_job_do_not_wait_for_one_another():
    job = {**STEADY, "traffic.pattern": "scheduled", "traffic.rps_mean": None}
    job = {path: value for path, value in job.items() if value is not None}
    carries, unmet = sustainable({**job, "objectives.deadline_s": 1})
    assert (carries, unmet) == (pytest.approx(10 / 1.3), 0)


@given(st.floats(150, 20_000), st.floats(1.05, 5))
def test_a_looser_objective_never_carries_less(objective_ms, factor):
    tight = sustainable({**STEADY, "objectives.latency_p95_ms": objective_ms})
    loose = sustainable({**STEADY, "objectives.latency_p95_ms": objective_ms * factor})
    assert loose[1] <= tight[1] + 1e-12
    if tight[1] <= 0:
        assert loose[0] >= tight[0] * (1 - 1e-3)


def test_the_late_least_is_picked_then_the_cheapest_that_fits():
    usd = np.array([[5.0, 1.0, 3.0, 2.0]])
    fits = np.array([[True, True, True, False]])
    met = np.zeros((1, 4))
    assert fleet.pick(met, usd, fits).tolist() == [1]
    late = np.array([[0.0, 0.2, 0.0, 0.0]])
    assert fleet.pick(late, usd, fits).tolist() == [2]
    # A difference below a hundredth is none.
    assert fleet.pick(np.array([[0.001, 0.009, 0.002, 0.0]]), usd, fits).tolist() == [1]
    assert fleet.pick(late, usd, np.zeros((1, 4), dtype=bool)).tolist() == [3]


def warm(values, utilisation, servers=1.0):
    return fleet.latency(
        resolved(values),
        utilisation=np.array([[utilisation]]),
        weight=np.ones((1, 1)),
        service_s=np.array([0.1]),
        servers=np.array([[servers]]),
        overhead_s=np.array([0.01]),
        hops=np.ones(1),
    )


def test_an_idle_fleet_answers_in_overhead_and_work():
    found = warm({**STEADY, "request.processing_distribution": "constant"}, 0.0)
    assert found.percentile(0.5)[0] == pytest.approx(0.11)
    assert found.percentile(0.99)[0] == pytest.approx(0.11)


def test_percentiles_of_a_busy_server_are_those_of_m_m_1():
    found = warm(STEADY, 0.5)
    for probability in (0.5, 0.95, 0.99):
        exact = 0.01 - np.log(1 - probability) / 5  # sojourn at rate mu - lambda = 5 a second
        assert found.percentile(probability)[0] == pytest.approx(exact, rel=0.07)


@given(st.floats(0, 0.95), st.integers(1, 32))
def test_the_mean_of_the_histogram_is_overhead_work_and_wait(utilisation, servers):
    found = warm(STEADY, utilisation, float(servers))
    load, count = np.array(utilisation), np.array(float(servers))
    wait = queueing.waits(load, count) * queueing.mean_wait_of_waiting(load, count, np.array(0.1), np.array(1.0))
    assert np.sum(found.weight) == pytest.approx(1)
    assert np.sum(found.weight * found.seconds) == pytest.approx(0.11 + wait, rel=1e-6)


def test_levels_of_load_are_mixed_by_their_requests():
    inputs = resolved({**STEADY, "request.processing_distribution": "constant"})
    mixed = fleet.latency(
        inputs,
        utilisation=np.array([[0.0, 0.9]]),
        weight=np.array([[3.0, 1.0]]),
        service_s=np.array([0.1]),
        servers=np.ones((1, 2)),
        overhead_s=np.zeros(1),
        hops=np.ones(1),
    )
    # Only the busy quarter waits, nine times of ten.
    assert mixed.share_above(np.array([0.1 + 1e-9]))[0] == pytest.approx(0.25 * 0.9)


def test_cold_answers_come_on_top_and_may_be_excused():
    plain = warm({**STEADY, "request.processing_distribution": "constant"}, 0.0)
    for accepted in (0.0, 1.0):
        mixed = fleet.with_cold(
            plain, cold_ratio=np.array([0.1]), cold_s=np.array([3.0]), accepted=np.array([accepted])
        )
        assert np.sum(mixed.weight) == pytest.approx(1)
        assert mixed.percentile(0.99)[0] == pytest.approx(3.11)
        assert mixed.share_above(np.array([1.0]))[0] == pytest.approx(0.1 * (1 - accepted))


@pytest.mark.parametrize(
    ("declared", "cold_s", "accepted"),
    [
        ({}, 3, 0),
        ({"objectives.cold_start_ok": False}, 3, 0),
        ({"objectives.cold_start_ok": True}, 3, 1),
        ({"objectives.cold_start_ok": True, "objectives.cold_start_budget_s": 5}, 3, 1),
        ({"objectives.cold_start_ok": True, "objectives.cold_start_budget_s": 2}, 3, 0),
    ],
)
def test_a_cold_start_is_accepted_when_the_architect_says_so_and_within_the_budget(declared, cold_s, accepted):
    assert fleet.accepts_cold(resolved(declared), np.array([float(cold_s)]))[0] == accepted


def test_an_hour_costs_the_instance_and_its_volume():
    inputs = resolved({"request.measured_on": "ml.c5.xlarge"})
    for name, has_volume in (("ml.c5.xlarge", True), ("ml.m5d.large", False)):
        machines = candidates(inputs, BOOK, instance_type=name)
        hour = fleet.usd_per_hour(machines, BOOK, "us-east-1", np.array([73.0]))[0, 0]
        storage = float(BOOK.price("storage/hosting", "us-east-1").usd_per_unit) * 0.1
        assert hour == pytest.approx(machines.usd_per_hour[0] + has_volume * storage)
