"""Which of many alike endpoints are played, and what one of them is configured with."""

import numpy as np
import pytest

from fitness import presets, prices
from fitness.outcome import configuration
from fitness.simulation import endpoints
from fitness.simulation.rules import Fixed
from fitness.study import study
from fitness.trace import read_trace
from tests.declared import PLAIN, studied

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


@pytest.mark.parametrize(
    ("rows", "width_s"),
    [
        (b"timestamp\n" + b"".join(b"%d.25\n" % second for second in range(7200)), 0),
        (b"timestamp,count\n" + b"".join(b"%d,%d\n" % (second, second % 3) for second in range(7200)), 1),
    ],
)
def test_a_share_of_a_recording_keeps_the_times_of_its_requests(rows, width_s):
    trace = read_trace(rows, exact=True)
    point = study(presets.load("customer-models"), book=BOOK, trace=trace).point
    own = endpoints.parts(point, REAL_TIME, 1)[0][0].traffic.trace
    assert own.rows.width_s == width_s
    assert np.all(np.isin(own.rows.time_s, trace.rows.time_s))
    assert np.all(np.diff(own.rows.time_s) > 0)
    requests = own.rows.time_s.size if own.rows.count is None else own.rows.count.sum()
    assert own.counts.sum() == requests
    assert own.counts.size == trace.counts.size
    share = float(endpoints.parts(point, REAL_TIME, 1)[0][0].traffic.rps_mean[0] / point.traffic.rps_mean[0])
    assert requests == pytest.approx(7200 * share, abs=6 * (7200 * share) ** 0.5)


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


MANY = {
    "models.count": 1,
    "models.artifact_mb": 100,
    "models.memory_mb": 500,
    "accelerator": "none",
    "request.processing_ms": 100,
    "request.concurrency": 2,
    "request.measured_on": "ml.m5.large",
    "request.synchronous": True,
    "traffic.pattern": "diurnal",
    "traffic.rps_mean": 20_000,
    "traffic.rps_peak": 60_000,
    "objectives.latency_p95_ms": 1_000,
}
ASYNC = {"request.synchronous": False, "objectives.latency_p95_ms": None, "objectives.deadline_s": 600}


def sliced(option, changes=None, config=None):
    """The study, the outcome of an option, and its slice."""
    values = {path: value for path, value in {**MANY, **(changes or {})}.items() if value is not None}
    work = studied(values, priors=PLAIN, config=config)
    outcome = work.configured(option).outcome
    return work, outcome, endpoints.slice_of(work.point, outcome, requests=40_000, seed=1)


def test_an_endpoint_that_can_be_played_is_no_slice():
    for option in ("real_time", "serverless", "mme"):
        outcome = CUSTOMERS.configured(option).outcome
        assert endpoints.slice_of(CUSTOMERS.point, outcome, requests=40_000, seed=1) == (CUSTOMERS.point, outcome, 1.0)
    # Sandboxes are counted by their limit, not by the load.
    work, outcome, found = sliced("azure_functions")
    assert found == (work.point, outcome, 1.0)


@pytest.mark.parametrize(
    ("option", "changes"),
    [
        ("real_time", {}),
        ("mce_direct", {"models.count": 2, "composition": "independent"}),
        ("triton_ensemble", {"models.count": 2, "composition": "sequential"}),
        ("async", ASYNC),
    ],
)
def test_a_slice_has_its_part_of_the_load_and_of_the_instances(option, changes):
    work, outcome, (part, own, slices) = sliced(option, changes)
    fewest, most = (float(outcome.settings[name][0]) for name in ("min_instances", "max_instances"))
    # Of n instances ceil(n / 500) slices are made.
    assert most > 500
    assert slices == np.ceil(most / 500)
    for name in ("rps_mean", "rps_peak"):
        whole = float(getattr(work.point.traffic, name)[0])
        assert float(getattr(part.traffic, name)[0]) * slices == pytest.approx(whole)
    assert part.models is work.point.models
    policy = endpoints.endpoint_of(part, own, {}, 1).policy
    assert policy.maximum == round(most / slices)
    assert policy.minimum == max(round(fewest / slices), min(1, fewest))
    whole = endpoints.endpoint_of(work.point, outcome, {}, 1).policy
    assert whole.maximum == round(most)


def test_a_slice_has_its_part_of_a_maximum_that_the_caller_fixed():
    # 600 instances where the load asks for thousands: two slices of 300.
    _, outcome, (part, own, slices) = sliced("real_time", config={"min_instances": 600, "max_instances": 600})
    assert slices == 2
    assert endpoints.endpoint_of(part, own, {}, 1).policy == Fixed(instances=300)
    assert endpoints.endpoint_of(part, outcome, {}, 1).policy == Fixed(instances=600)


def test_bounds_of_a_schedule_are_shared_by_the_slices():
    schedule = {"schedule": [{"at": "daily 08:00", "min_instances": 4_000, "max_instances": 8_000}]}
    work, _, (part, own, slices) = sliced("real_time", config={"policy": schedule})
    (action, *_) = endpoints.endpoint_of(part, own, work.config, 1).policy.actions
    assert (action.minimum, action.maximum) == (round(4_000 / slices), round(8_000 / slices))


def test_a_slice_of_a_cache_has_its_part_of_the_load():
    changes = {"models.count": 10_000, "models.popularity": "uniform", "composition": "independent"}
    _, _, (part, _, slices) = sliced("mme", changes, {"instance_type": "ml.m5.large"})
    assert slices > 1
    assert float(part.traffic.rps_peak[0]) * slices == pytest.approx(60_000)


def test_a_slice_of_a_cache_has_its_part_of_the_models_but_not_too_few():
    changes = {"models.count": 20_000, "models.popularity": "uniform", "composition": "independent"}
    small = {"instance_type": "ml.m5.large"}
    _, outcome, (part, _, slices) = sliced("mme", changes, small)
    most = float(outcome.settings["max_instances"][0])
    # Places are models times instances, and both are cut: 25 for each of 40,000 requests are left of each slice.
    assert slices == np.ceil(np.sqrt(20_000 * most / 1e6)) > np.ceil(most / 500)
    assert float(part.units[0]) == round(20_000 / slices)
    _, _, (part, _, slices) = sliced("mme", {**changes, "models.count": 150}, small)
    assert 150 / slices < 100 == float(part.units[0])
    _, _, (part, _, slices) = sliced("mme", {**changes, "models.count": 20}, small)
    assert slices > 1
    assert float(part.units[0]) == 20


def test_endpoints_of_bursts_keep_what_each_of_them_needs():
    # Bursts are over before an instance has started, so the peak's instances stay: of every endpoint its own.
    changes = {
        "models.count": 3,
        "models.popularity": "zipf:2",
        "composition": "independent",
        "traffic.pattern": "spiky",
        "traffic.rps_mean": 20,
        "traffic.rps_peak": 200,
    }
    work, outcome, _ = sliced("real_time", changes)
    found = [endpoints.endpoint_of(part, outcome, {}, 1).policy for part, _ in endpoints.parts(work.point, outcome, 1)]
    assert all(isinstance(policy, Fixed) for policy in found)
    assert sum(policy.instances for policy in found) == outcome.settings["max_instances"][0]
    assert found[0].instances > found[2].instances


def test_endpoints_share_a_maximum_that_the_caller_fixed():
    changes = {"models.count": 3, "composition": "independent", "traffic.rps_mean": 50, "traffic.rps_peak": 200}
    free = sliced("real_time", changes)
    config = {"max_instances": 6, "instance_type": free[1].instance_types[0]}
    fixed = sliced("real_time", changes, config=config)
    asked = float(free[1].settings["max_instances"][0])
    assert asked > 6
    for part, _ in endpoints.parts(fixed[0].point, fixed[1], 1):
        needed = endpoints.endpoint_of(part, free[1], {}, 1).policy.maximum
        policy = endpoints.endpoint_of(part, fixed[1], {}, 1).policy
        most = policy.instances if isinstance(policy, Fixed) else policy.maximum
        assert most == max(1, round(needed * 6 / asked))


def test_queues_of_many_models_have_the_instances_that_work_their_load_off():
    # A peak of 200 requests a second of 100 s each for three models alike: 66.7 x 100 s on two slots that are 0.9 full.
    changes = {
        **ASYNC,
        "models.count": 3,
        "models.popularity": "uniform",
        "composition": "independent",
        "request.processing_ms": 100_000,
        "traffic.rps_mean": 50,
        "traffic.rps_peak": 200,
    }
    config = {"instance_type": "ml.m5.large"}
    work, outcome, _ = sliced("async", changes, config)
    (part, alike), *_ = endpoints.parts(work.point, outcome, 1, most=1)
    assert alike == 3
    assert endpoints.endpoint_of(part, outcome, {}, 1).policy.maximum == np.ceil(200 / 3 * 100 / (0.9 * 2))
