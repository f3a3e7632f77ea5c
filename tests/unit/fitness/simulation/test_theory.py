"""The loops against formulas, at sizes that run in seconds; `make accuracy` plays ten times as many requests."""

import math

import numpy as np
import pytest

from fitness.simulation import caches, histogram, queues
from fitness.simulation.sandboxes import sandboxes
from tests import theory

SIZE = 2_000_000


@pytest.fixture(scope="module")
def draws():
    """Gaps, exponential work and uniforms that every test here shares."""
    generator = np.random.default_rng(20261121)
    gaps, work = generator.exponential(size=SIZE), generator.exponential(size=SIZE).astype(np.float32)
    return {"times": np.cumsum(gaps), "work": work, "uniform": generator.random(SIZE, dtype=np.float32)}


def test_the_formulas_give_the_values_of_the_tables():
    assert theory.erlang_b(10, 10) == pytest.approx(0.214582, abs=1e-6)
    assert theory.erlang_c(2, 3) == pytest.approx(4 / 9)
    assert theory.ManyServers(1, 0.8).mean == pytest.approx(5)
    assert theory.ManyServers(1, 0.8).percentile(0.95) == pytest.approx(5 * math.log(20))
    assert theory.pollaczek_khinchine(0.8, 1.0) == pytest.approx(4)
    assert theory.che(theory.zipf(100, 0.0), 25) == pytest.approx(0.25, rel=0.01)


@pytest.mark.parametrize("servers", [1, 4, 16, 64])
@pytest.mark.parametrize("utilisation", [0.5, 0.8])
def test_one_queue_has_the_latencies_of_m_m_c(draws, servers, utilisation):
    expected = theory.ManyServers(servers, utilisation)
    hist = histogram.empty()
    queues.pooled(draws["times"] / expected.rate, draws["work"], 1.0, servers=servers, hist=hist, count_from=10_000)
    assert histogram.mean(hist) == pytest.approx(expected.mean, rel=0.02)
    for probability in (0.5, 0.95, 0.99):
        assert histogram.percentile(hist, probability) == pytest.approx(expected.percentile(probability), rel=0.02)


def test_arrivals_see_the_queue_as_it_is_on_average(draws):
    # PASTA: the share of arrivals that wait is the share of time in which all servers are busy (Erlang C).
    latency_s = np.zeros(SIZE, np.float32)
    queues.pooled(draws["times"] / 3.2, draws["work"], 1.0, servers=4, latency_s=latency_s)
    waits = (latency_s > draws["work"] * 1.00001 + 1e-4).mean()
    assert waits == pytest.approx(theory.erlang_c(3.2, 4), rel=0.02)


@pytest.mark.parametrize("cv", [0.0, 0.5, 2.0])
def test_one_server_has_the_mean_wait_of_pollaczek_and_khinchine(draws, cv):
    spread = math.sqrt(math.log1p(cv**2))
    normals = np.random.default_rng(3).standard_normal(SIZE)
    work = np.exp(spread * normals - spread**2 / 2)
    counts = queues.pooled(draws["times"] / 0.7, work, 1.0, servers=1)
    assert counts.wait_s / SIZE == pytest.approx(theory.pollaczek_khinchine(0.7, cv), rel=0.03)


@pytest.mark.parametrize(("offered", "servers"), [(3.0, 4), (20.0, 24), (100.0, 100)])
def test_a_limit_of_concurrency_refuses_as_erlang_b_says(draws, offered, servers):
    counts = sandboxes(
        draws["times"] / offered, draws["work"], 1.0, cold_s=0.0, ttl_s=math.inf, max_concurrency=servers
    )
    assert counts.refused / SIZE == pytest.approx(theory.erlang_b(offered, servers), rel=0.02)


@pytest.mark.parametrize("idle_time_outs", [0.5, 2.0, 4.0])
def test_rare_short_requests_start_cold_as_often_as_no_other_came_in_time(draws, idle_time_outs):
    counts = sandboxes(draws["times"], draws["work"], 0.0, cold_s=0.0, ttl_s=idle_time_outs, max_concurrency=10)
    assert counts.cold / SIZE == pytest.approx(math.exp(-idle_time_outs), rel=0.01)


@pytest.mark.parametrize("capacity", [50, 200, 500])
def test_a_cache_of_popular_models_hits_as_che_says(capacity):
    shares = theory.zipf(1_000, 0.9)
    models = np.random.default_rng(4).choice(1_000, SIZE, p=shares)
    misses = caches.lru(models, np.ones(1_000, np.int64), capacity)
    assert 1 - misses / SIZE == pytest.approx(theory.che(shares, capacity), rel=0.01)


def test_random_routing_is_as_many_single_queues(draws):
    expected = theory.ManyServers(1, 0.8)
    hist = histogram.empty()
    queues.routed(
        draws["times"] / 3.2, draws["work"], draws["uniform"], 1.0, instances=4, slots=1, hist=hist, count_from=10_000
    )
    assert histogram.mean(hist) == pytest.approx(expected.mean, rel=0.02)
    assert histogram.percentile(hist, 0.99) == pytest.approx(expected.percentile(0.99), rel=0.03)
