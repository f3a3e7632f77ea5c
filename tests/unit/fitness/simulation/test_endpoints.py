"""Which of many alike endpoints are played, and what one of them is configured with."""

import numpy as np
import pytest

from fitness import presets, prices
from fitness.outcome import configuration
from fitness.simulation import endpoints
from fitness.study import study
from fitness.trace import read_trace

BOOK = prices.load_book()
CUSTOMERS = study(presets.load("customer-models"), book=BOOK)
REAL_TIME = CUSTOMERS.configured("real_time").outcome
MODELS = "".join(f"{second}.5,{'a' if second % 10 else 'b'}\n" for second in range(3600))


def recorded(count):
    """Customers whose recording has 3,240 requests for model a and 360 for model b in an hour."""
    trace = read_trace(b"timestamp,model\n" + MODELS.encode(), exact=True)
    workload = presets.load("customer-models").replace({"models.count": count})
    return study(workload, book=BOOK, trace=trace).point


def test_the_parts_stand_for_every_endpoint_and_every_request():
    found = endpoints.parts(CUSTOMERS.point, REAL_TIME, 1)
    assert len(found) <= endpoints.MOST_ENDPOINTS
    assert sum(alike for _, alike in found) == pytest.approx(1000, rel=1e-6)
    total = sum(float(one.traffic.rps_mean[0]) * alike for one, alike in found)
    assert total == pytest.approx(float(CUSTOMERS.point.traffic.rps_mean[0]), rel=1e-9)
    rates = [float(one.traffic.rps_mean[0]) for one, _ in found]
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize("option", ["mme", "serial_pipeline", "triton_ensemble"])
def test_an_option_with_one_endpoint_has_one_part(option):
    assert endpoints.parts(CUSTOMERS.point, CUSTOMERS.configured(option).outcome, 1) == [(CUSTOMERS.point, 1.0)]


def test_endpoints_of_a_recording_with_models_get_their_own_requests():
    (hot, one), (cold, others) = endpoints.parts(recorded(5), REAL_TIME, 1)
    assert (one, others) == (1, 4)  # three models that nobody asked for are like the coldest
    assert hot.traffic.trace.counts.sum() == 3240
    assert cold.traffic.trace.counts.sum() == 360
    assert np.all(np.diff(cold.traffic.trace.rows.time_s) == 10)
    assert float(cold.traffic.rps_mean[0]) == pytest.approx(0.1)
    assert float(hot.units[0]) == 1
    assert endpoints.parts(recorded(5), REAL_TIME, 2)[0][0].traffic.trace is not None


def test_the_hottest_endpoint_of_a_recording_is_its_most_requested_model():
    alone, share = endpoints.hottest(recorded(2), 1)
    assert share == pytest.approx(0.9)
    assert alone.traffic.trace.models == ("a",)


def test_a_recording_without_models_is_shared_out_by_chance_and_alike_each_time():
    trace = read_trace(b"count\n" + b"600\n" * 240)
    point = study(presets.load("customer-models"), book=BOOK, trace=trace).point
    found = endpoints.parts(point, REAL_TIME, 1)
    again = endpoints.parts(point, REAL_TIME, 1)
    for (one, alike), (other, _) in zip(found, again, strict=True):
        share = float(one.traffic.rps_mean[0] / point.traffic.rps_mean[0])
        assert one.traffic.trace is other.traffic.trace
        assert one.traffic.trace.counts.sum() == pytest.approx(
            600 * 240 * share, abs=5 * (600 * 240 * share) ** 0.5 + 1
        )
        assert alike >= 1


def configured(preset, option, **config):
    work = study(presets.load(preset), book=BOOK, config=config)
    return endpoints.endpoint_of(work.point, work.configured(option).outcome, work.config, 1)


def test_a_batch_takes_longer_with_every_request_in_it():
    work = study(presets.load("defect-inspection"), book=BOOK, priors={"batch_growth.accelerated": 0.25})
    outcome = work.configured("triton_ensemble").outcome
    alone_s = float(outcome.serving["service_s"][0])
    batching = endpoints.endpoint_of(work.point, outcome, {}, 1).batching
    assert batching.service_s[1:].tolist() == pytest.approx([alone_s * (1 + 0.25 * more) for more in range(4)])
    assert batching.delay_s == 0


def test_an_instance_carries_what_its_best_batches_do():
    one_by_one = configured("keystroke-search", "triton_ensemble", max_batch_size=1)
    gathering = configured("keystroke-search", "triton_ensemble", max_batch_size=8, max_queue_delay_ms=0.5)
    assert one_by_one.batching is None
    assert gathering.batching.delay_s == 0.0005
    assert gathering.carries_per_minute == pytest.approx(one_by_one.carries_per_minute * 8 / (1 + 0.2 * 7))


def test_nothing_is_gathered_where_it_gains_little_unless_it_is_asked_for():
    assert configured("retail-pipeline", "triton_ensemble").batching is None  # no accelerator
    assert configured("keystroke-search", "triton_ensemble").batching is None  # serves four at once as it is
    assert configured("retail-pipeline", "triton_ensemble", max_batch_size=2).batching.service_s.size == 3
    assert configured("keystroke-search", "real_time", max_batch_size=8).batching is None


def test_the_answer_says_how_a_server_gathers():
    work = study(presets.load("keystroke-search"), book=BOOK, config={"max_batch_size": 8, "max_queue_delay_ms": 0.25})
    said = configuration(work.configured("triton_ensemble").outcome)
    assert (said["max_batch_size"], said["max_queue_delay_ms"]) == (8, 0.25)
    assert "max_batch_size" not in configuration(work.configured("real_time").outcome)
