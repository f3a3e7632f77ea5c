"""Pay per use: cold starts against runs of single requests, throttling by Erlang B, bills by hand."""

import heapq
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness import queueing
from tests.declared import BOOK, evaluated

IDLE_S = 600.0
FEW = {
    "request.processing_ms": 200,
    "request.processing_distribution": "constant",
    "request.measured_on": "ml.c5.xlarge",
    "request.concurrency": 4,
    "request.payload_in_mb": 0.5,
    "request.payload_out_mb": 0.1,
    "models.artifact_mb": 512,
    "models.memory_mb": 1500,
    "models.image_gb": 2,
    "objectives.latency_p95_ms": 5000,
    "objectives.cold_start_ok": True,
    "traffic.pattern": "steady",
}


def at(rate, **more):
    return {**FEW, "traffic.rps_mean": rate, "traffic.rps_peak": rate, **more}


def price(item: str) -> float:
    found = BOOK.price(item, "us-east-1")
    assert found is not None, item
    return float(found.usd_per_unit)


def cold_share(rate, service_s, count=40_000):
    """Share of Poisson requests that find no idle sandbox, the last used being used again."""
    rng = np.random.default_rng(20_261_121)
    arrived = np.cumsum(rng.exponential(1 / rate, count))
    takes = rng.lognormal(math.log(service_s) - 0.125, 0.5, count)
    busy: list[float] = []
    idle: list[float] = []
    cold = 0
    for now, work in zip(arrived, takes, strict=True):
        while busy and busy[0] <= now:
            idle.append(heapq.heappop(busy))
        while idle and idle[0] < now - IDLE_S:
            del idle[0]
        if idle:
            idle.pop()
        else:
            cold += 1
        heapq.heappush(busy, now + work)
    return cold / count


@pytest.mark.parametrize("rate", [1e-4, 1 / 1200, 1 / 600, 1 / 300])
def test_rare_requests_start_cold_with_the_chance_of_an_idle_time_out(rate):
    found = evaluated("serverless", at(rate))
    assert found.cold_ratio[0] == pytest.approx(math.exp(-rate * IDLE_S), abs=0.003)
    assert found.cold_ratio[0] == pytest.approx(cold_share(rate, 0.1), abs=0.01)


# Requests a second, seconds each: from one sandbox to fifteen at once.
@pytest.mark.parametrize(("rate", "service_s"), [(0.1, 0.1), (1, 1), (0.1, 5), (0.05, 30), (3, 1), (1, 5), (3, 5)])
def test_a_crowd_starts_further_sandboxes_as_often_as_in_a_run(rate, service_s):
    said = queueing.cold_ratio(np.array([rate]), np.array([service_s]), np.array([IDLE_S]))[0]
    run = cold_share(rate, service_s) - 3 * math.ceil(rate * service_s) / 40_000  # less what the run itself begins with
    assert said == pytest.approx(run, rel=0.35, abs=1e-4)


@given(st.floats(1e-9, 1e4), st.floats(1e-4, 60), st.floats(0, 1000))
def test_a_share_of_cold_starts_is_a_ratio(rate, service_s, idle_s):
    found = queueing.cold_ratio(np.array([rate]), np.array([service_s]), np.array([idle_s]))[0]
    assert 0 <= found <= 1


def test_without_an_idle_time_every_request_starts_cold():
    assert evaluated("serverless", at(0.5), priors={"serverless_idle_timeout_s": 0}).cold_ratio[0] == pytest.approx(1)


def test_a_cold_start_takes_its_base_and_the_model_and_comes_on_top():
    found = evaluated("serverless", at(1e-7))
    # 2 s + 3 s/GB x 0.5 GB, then the answer of 0.2 s
    assert found.latency.percentile(0.5)[0] == pytest.approx(3.7)


def test_the_smallest_size_that_holds_the_model_and_is_fast_enough_wins():
    # 1500 MB need 2048; there a request has 1 vCPU, as much as it kept busy where it was measured (4 at once on 4).
    found = evaluated("serverless", at(0.1))
    assert found.settings["memory_mb"][0] == 2048
    assert np.min(found.latency.seconds) == pytest.approx(0.2)


def test_a_request_that_needs_more_processors_takes_longer_in_a_small_sandbox():
    # One at a time on 4 vCPUs: at 6144 MB there are 3.
    found = evaluated("serverless", at(0.1, **{"request.concurrency": 1}), config={"memory_mb": 6144})
    assert np.min(found.latency.seconds) == pytest.approx(0.2 * 4 / 3)


def test_the_bill_is_busy_seconds_cold_seconds_and_data():
    rate = 1 / 1200
    found = evaluated("serverless", at(rate), config={"memory_mb": 2048})
    requests = rate * 730 * 3600
    cold = requests * math.exp(-0.5)
    metered = {item: float(quantity[0]) for item, quantity in found.metered.items()}
    assert metered == pytest.approx(
        {
            "serverless/duration/2048": requests * 0.2,
            "serverless/duration/2048#cold": cold * 3.5,
            "serverless/data_in": requests * 0.5 / 1024,
            "serverless/data_out": requests * 0.1 / 1024,
        }
    )
    usd = found.usd({item: price(item.partition("#")[0]) for item in metered})[0]
    assert usd == pytest.approx(
        (requests * 0.2 + cold * 3.5) * price("serverless/duration/2048")
        + requests * (0.5 * price("serverless/data_in") + 0.1 * price("serverless/data_out")) / 1024
    )


def test_a_fixed_concurrency_throttles_by_erlang_b():
    # 15 requests a second of 0.2 s keep 3 busy; on 5 at most, 11 % are refused.
    found = evaluated("serverless", at(15), config={"max_concurrency": 5, "memory_mb": 2048})
    assert found.dropped_ratio[0] == pytest.approx(0.110054, abs=1e-6)
    assert found.settings["max_concurrency"][0] == 5


def test_the_default_concurrency_is_the_limit_of_an_endpoint():
    assert evaluated("serverless", at(1)).settings["max_concurrency"][0] == 200
    crowded = evaluated("serverless", at(1500), config={"memory_mb": 2048})
    assert crowded.dropped_ratio[0] > 0.3


@pytest.mark.parametrize("option", ["serverless", "azure_functions"])
@pytest.mark.parametrize("config", [{}, {"max_concurrency": 1}, {"max_concurrency": 7}])
def test_the_bill_never_falls_as_load_grows(option, config):
    bills = []
    for rate in np.geomspace(1e-6, 3000, 120):
        found = evaluated(option, at(float(rate)), config=config)
        bills.append(found.usd({item: price(item.partition("#")[0]) for item in found.metered})[0])
    assert np.all(np.diff(bills) >= -1e-9)


def test_provisioned_units_cover_the_peak_and_are_paid_all_month():
    found = evaluated("serverless", at(20), variant="provisioned", config={"memory_mb": 2048})
    # 4 busy at the peak; 4 + 2.33 x 2 is 8.66.
    assert found.settings["provisioned_concurrency"][0] == 9
    metered = {item: float(quantity[0]) for item, quantity in found.metered.items()}
    assert metered["provisioned_concurrency/usage/2048"] == pytest.approx(9 * 730 * 3600)
    assert metered["provisioned_concurrency/duration/2048"] == pytest.approx(20 * 730 * 3600 * 0.2)
    assert found.cold_ratio[0] < 1e-4


def test_fixed_provisioned_units_spill_over_to_cold_starts():
    none = evaluated("serverless", at(1 / 600), variant="provisioned", config={"provisioned_concurrency": 0})
    one = evaluated("serverless", at(1 / 600), variant="provisioned", config={"provisioned_concurrency": 1})
    assert none.cold_ratio[0] == pytest.approx(math.exp(-1), abs=1e-3)
    # One unit is busy for a share of 0.2 / 600: a second request at once is that rare.
    assert one.cold_ratio[0] == pytest.approx(none.cold_ratio[0] * (0.2 / 600), rel=0.01)


def test_a_request_of_more_than_a_minute_is_lost():
    slow = at(0.01, **{"request.processing_ms": 70_000, "objectives.latency_p95_ms": 600_000})
    assert evaluated("serverless", slow).dropped_ratio[0] == 1
    assert evaluated("azure_functions", slow).dropped_ratio[0] == 0


def test_every_model_has_an_endpoint_and_its_own_cold_starts():
    many = at(1 / 60, **{"models.count": 100, "models.popularity": "uniform", "composition": "independent"})
    found = evaluated("serverless", many)
    assert found.settings["endpoints"][0] == 100
    assert found.cold_ratio[0] == pytest.approx(math.exp(-0.1), rel=1e-3)


def test_the_limit_of_an_endpoint_holds_for_the_hottest_one_not_for_all_together():
    many = at(3000, **{"models.count": 100, "models.popularity": "uniform", "composition": "independent"})
    found = evaluated("serverless", many)
    assert found.dropped_ratio[0] == 0
    assert found.step_within_ratio[0] == pytest.approx(1, abs=1e-3)


def test_azure_is_billed_by_gigabyte_seconds_and_executions():
    rate = 1 / 1200
    found = evaluated("azure_functions", at(rate), config={"memory_mb": 2048})
    requests = rate * 730 * 3600
    cold_s = requests * math.exp(-0.5) * 3.5
    assert found.metered["azure_functions/flex/executions"][0] == pytest.approx(requests / 1e6)
    assert found.metered["azure_functions/flex/duration"][0] == pytest.approx(2 * (requests * 0.2 + cold_s))


def test_the_article_knew_the_plan_before_it():
    rate = 1 / 1200
    found = evaluated("azure_functions", at(rate, limits="article", **{"models.memory_mb": 900}))
    requests = rate * 730 * 3600
    assert found.settings["memory_mb"][0] == 1536
    assert found.metered["azure_functions/consumption/executions"][0] == pytest.approx(requests / 1e6)
    cold_s = requests * math.exp(-0.5) * 3.5
    assert found.metered["azure_functions/consumption/duration"][0] == pytest.approx(1.5 * (requests * 0.2 + cold_s))


def test_a_chain_in_another_cloud_is_a_function_for_each_model():
    chain = at(1.0, **{"models.count": 3, "composition": "sequential", "models.memory_mb": 1800})
    found = evaluated("azure_functions", chain, priors={"invoke_overhead_ms": 5, "outside_hop_ms": 30})
    assert found.settings["endpoints"][0] == 3
    assert found.settings["memory_mb"][0] == 2048
    assert found.metered["azure_functions/flex/executions"][0] == pytest.approx(3 * 730 * 3600 / 1e6)
    assert np.min(found.latency.seconds) == pytest.approx(0.2 + 3 * 0.035)


def test_another_cloud_is_further_away():
    found = evaluated("azure_functions", at(10), priors={"invoke_overhead_ms": 5, "outside_hop_ms": 30})
    assert np.min(found.latency.seconds) == pytest.approx(0.235)


def test_hours_without_a_request_cool_the_endpoint_down():
    quick = {**FEW, "request.processing_ms": 1}
    busy = {**quick, "traffic.rps_mean": 0.05, "traffic.rps_peak": 0.05}
    broken = {**busy, "traffic.pattern": "intermittent", "traffic.rps_mean": 0.025, "traffic.idle_ratio": 0.5}
    assert evaluated("serverless", busy).cold_ratio[0] < 1e-4
    # Every other hour is idle: half of the active hours begin after one, with one cold request of 180.
    assert evaluated("serverless", broken).cold_ratio[0] == pytest.approx(0.5 / 180, rel=0.05)
