"""The queueing formulas against textbook values, exact formulas and runs of single requests."""

import heapq
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness import queueing
from fitness.analytic import fleet
from tests.declared import resolved


def erlang_c(offered: float, servers: int) -> float:
    """Probability of waiting in M/M/c, from the definition."""
    last = offered**servers / math.factorial(servers) * servers / (servers - offered)
    return last / (sum(offered**n / math.factorial(n) for n in range(servers)) + last)


# Erlang B as every table of traffic theory prints it: (erlangs, servers, share blocked).
TABLE = [(1, 1, 0.5), (2, 3, 0.210526), (5, 5, 0.284868), (10, 10, 0.214582), (4.461, 10, 0.01), (84.064, 100, 0.01)]


@pytest.mark.parametrize(("offered", "servers", "blocked"), TABLE)
def test_erlang_b_gives_the_values_of_the_tables(offered, servers, blocked):
    found = queueing.erlang_b(np.array([float(offered)]), np.array([float(servers)]))
    assert found[0] == pytest.approx(blocked, abs=2e-5)


def test_erlang_b_of_many_server_counts_at_once_is_each_alone():
    offered = np.array([[0.5], [3.0], [40.0]])
    servers = np.array([[1.0, 4.0, 50.0]])
    together = queueing.erlang_b(offered, servers)
    for row, load in enumerate(offered[:, 0]):
        for column, count in enumerate(servers[0]):
            assert together[row, column] == pytest.approx(queueing.erlang_b(np.array([load]), np.array([count]))[0])


def test_no_server_blocks_everything():
    assert queueing.erlang_b(np.array([2.0]), np.array([0.0]))[0] == 1


@given(st.floats(0.01, 300), st.integers(1, 250))
def test_what_is_carried_never_falls_as_more_is_offered(offered, servers):
    loads = np.array([offered, offered * 1.1])
    carried = loads * (1 - queueing.erlang_b(loads, np.full(2, float(servers))))
    assert carried[1] >= carried[0] * (1 - 1e-12)
    assert carried[1] <= servers


@pytest.mark.parametrize("load", [0.1, 0.5, 0.8, 0.95])
def test_one_server_waits_as_often_as_it_is_busy(load):
    assert queueing.waits(np.array(load), np.array(1.0)) == pytest.approx(load)


@pytest.mark.parametrize("servers", [2, 4, 8, 16, 64])
@pytest.mark.parametrize("load", [0.3, 0.5, 0.7, 0.8, 0.9, 0.95])
def test_sakasegawa_is_near_erlang_c(load, servers):
    exact = erlang_c(load * servers, servers)
    assert queueing.waits(np.array(load), np.array(float(servers))) == pytest.approx(exact, abs=0.06)


def test_full_servers_always_wait():
    assert queueing.waits(np.array([1.0, 1.5]), np.array([1.0, 8.0])).tolist() == [1, 1]


@pytest.mark.parametrize("load", [0.2, 0.6, 0.9])
def test_mean_wait_of_one_exponential_server_is_that_of_m_m_1(load):
    mean = queueing.waits(np.array(load), np.array(1.0)) * queueing.mean_wait_of_waiting(
        np.array(load), np.array(1.0), np.array(0.2), np.array(1.0)
    )
    assert mean == pytest.approx(load * 0.2 / (1 - load))


@pytest.mark.parametrize("cv", [0.0, 0.5, 2.0])
def test_mean_wait_of_one_server_is_that_of_pollaczek_and_khinchine(cv):
    load, service_s = 0.8, 0.05
    second_moment = service_s**2 * (1 + cv**2)
    exact = load / service_s * second_moment / (2 * (1 - load))
    mean = queueing.waits(np.array(load), np.array(1.0)) * queueing.mean_wait_of_waiting(
        np.array(load), np.array(1.0), np.array(service_s), np.array(cv)
    )
    assert mean == pytest.approx(exact)


def test_share_above_is_exact_for_an_exponential_service_and_no_wait():
    nodes, weights = queueing.service_nodes("gamma", np.array([1.0]), fine=True)
    for limit in (0.5, 1.0, 3.0):
        above = queueing.share_above(
            np.array([limit]),
            nodes=nodes,
            weights=weights,
            service_s=np.array([1.0]),
            wait_probability=np.array([0.0]),
            wait_s=np.array([1.0]),
        )
        assert above[0] == pytest.approx(math.exp(-limit), abs=0.02)


def test_share_above_is_that_of_the_sojourn_in_m_m_1():
    # Sojourn of M/M/1 is exponential with mean 1 / (mu - lambda).
    nodes, weights = queueing.service_nodes("gamma", np.array([1.0]), fine=True)
    load = np.array([0.75])
    for limit, exact in ((4.0, math.exp(-1)), (12.0, math.exp(-3)), (18.0, math.exp(-4.5))):
        above = queueing.share_above(
            np.array([limit]),
            nodes=nodes,
            weights=weights,
            service_s=np.array([1.0]),
            wait_probability=queueing.waits(load, np.ones(1)),
            wait_s=queueing.mean_wait_of_waiting(load, np.ones(1), np.ones(1), np.ones(1)),
        )
        assert above[0] == pytest.approx(exact, rel=0.05)


# Quantiles of the gamma of mean 1 (shape 1 / cv ** 2), from its exact inverse to four digits.
GAMMA = [(0.5, 0.5, 0.9180), (0.5, 0.99, 2.5113), (1.0, 0.5, 0.6931), (1.0, 0.99, 4.6052), (3.0, 0.99, 15.0598),
         (5.0, 0.99, 23.6318), (10.0, 0.99, 26.5047), (10.0, 0.5, 0.0)]  # fmt: skip


@pytest.mark.parametrize(("cv", "probability", "value"), GAMMA)
def test_a_gamma_service_time_has_the_gammas_quantiles(cv, probability, value):
    nodes, weights = queueing.service_nodes("gamma", np.array([cv]), fine=True)
    at = np.cumsum(weights) - weights / 2
    assert np.interp(probability, at, nodes[0]) == pytest.approx(value, rel=0.15, abs=0.03)


@pytest.mark.parametrize("cv", [0.2, 0.5, 1.0, 2.0])
def test_a_lognormal_service_time_has_the_lognormals_quantiles(cv):
    nodes, weights = queueing.service_nodes("lognormal", np.array([cv]), fine=True)
    at = np.cumsum(weights) - weights / 2
    sigma = math.sqrt(math.log1p(cv**2))
    for probability, z in ((0.5, 0.0), (0.95, 1.6449), (0.99, 2.3263)):
        exact = math.exp(sigma * z - sigma**2 / 2)
        assert np.interp(probability, at, nodes[0]) == pytest.approx(exact, rel=0.06)


@given(st.sampled_from(["lognormal", "gamma", "constant"]), st.floats(0, 100), st.booleans())
def test_every_service_time_keeps_its_mean(distribution, cv, fine):
    nodes, weights = queueing.service_nodes(distribution, np.array([cv]), fine=fine)
    assert np.sum(weights) == pytest.approx(1)
    assert np.sum(nodes[0] * weights) == pytest.approx(1)
    assert np.all(nodes >= 0)


def test_queues_one_after_the_other_keep_their_mean_wait():
    probability, wait_s = queueing.over_hops(np.array([0.6]), np.array([0.1]), np.array([3.0]))
    assert probability[0] == pytest.approx(1 - 0.4**3)
    assert probability[0] * wait_s[0] == pytest.approx(3 * 0.6 * 0.1)


def test_queues_without_waiting_have_none():
    probability, wait_s = queueing.over_hops(np.array([0.0]), np.array([0.1]), np.array([3.0]))
    assert probability[0] * wait_s[0] == 0


def sojourns_s(rps, instances, slots, service_s, cv, *, pooled=False, hops=1, count=120_000):
    """Every request of a run: Poisson arrivals, a random instance, first come first served at its slots."""
    rng = np.random.default_rng(20_261_121)
    arrived = np.cumsum(rng.exponential(1 / rps, count))
    sigma = math.sqrt(math.log1p(cv**2))
    at = arrived
    for _ in range(hops):
        takes = rng.lognormal(math.log(service_s / hops) - sigma**2 / 2, sigma, count)
        chosen = np.zeros(count, dtype=int) if pooled else rng.integers(0, instances, count)
        free = [[0.0] * (slots * (instances if pooled else 1)) for _ in range(1 if pooled else instances)]
        done = np.empty(count)
        for index in np.argsort(at, kind="stable"):
            servers = free[chosen[index]]
            done[index] = max(at[index], servers[0]) + takes[index]
            heapq.heapreplace(servers, done[index])
        at = done
    return (at - arrived)[count // 10 :]


def analytic_latency(rps, instances, slots, service_s, cv, *, pooled=False, hops=1):
    inputs = resolved({"request.processing_ms": service_s * 1000, "request.processing_cv": cv})
    return fleet.latency(
        inputs,
        utilisation=np.array([[rps * service_s / hops / (instances * slots)]]),
        weight=np.ones((1, 1)),
        service_s=np.array([service_s]),
        servers=np.array([[float(slots * (instances if pooled else 1))]]),
        overhead_s=np.zeros(1),
        hops=np.array([float(hops)]),
    )


# Load, instances, slots, seconds, spread: what fleets are sized for (load at most 1 / 1.3).
FLEETS = [(60, 4, 1, 0.05, 0.5), (120, 4, 2, 0.05, 0.5), (56, 4, 2, 0.1, 1.0), (28, 2, 4, 0.2, 0.5)]


@pytest.mark.parametrize("fleet_of", FLEETS)
@pytest.mark.parametrize("probability", [0.5, 0.95, 0.99])
def test_percentiles_under_random_routing_are_those_of_single_requests(fleet_of, probability):
    run = float(np.quantile(sojourns_s(*fleet_of), probability))
    assert analytic_latency(*fleet_of).percentile(probability)[0] == pytest.approx(run, rel=0.1)


def test_one_pooled_queue_waits_less_than_random_routing_and_both_are_foreseen():
    one = (60, 4, 1, 0.05, 0.5)
    pooled, apart = np.quantile(sojourns_s(*one, pooled=True), 0.99), np.quantile(sojourns_s(*one), 0.99)
    assert pooled < 0.6 * apart
    assert analytic_latency(*one, pooled=True).percentile(0.99)[0] == pytest.approx(pooled, rel=0.1)


def test_three_queues_in_a_row_keep_the_mean_and_err_on_the_late_side():
    chain = (150, 4, 2, 0.12, 0.5)
    run = sojourns_s(*chain, hops=3, count=60_000)
    found = analytic_latency(*chain, hops=3)
    assert np.sum(found.seconds * found.weight) == pytest.approx(run.mean(), rel=0.05)
    for probability in (0.95, 0.99):
        late = found.percentile(probability)[0] / np.quantile(run, probability)
        assert 1 <= late <= 1.3
