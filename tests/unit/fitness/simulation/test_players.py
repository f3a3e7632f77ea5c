"""What a window begins with: the caches of a multi-model endpoint, and sandboxes that are warm."""

import numpy as np
import pytest

from fitness.simulation import players
from fitness.simulation.endpoints import Cache, Pool
from fitness.simulation.months import Month
from fitness.simulation.play import simulate
from fitness.simulation.timeline import Stream
from tests.declared import PLAIN, studied


def cache(models, *, share=None, copies=1, disk=100):
    """A cache of models of 1 MB on disks with room for `disk` of them; a load is 2 s and a download 3 s."""
    return Cache(
        models=models,
        memory_mb=1.0,
        disk_mb=1.0,
        instance_memory_mb=10.0,
        instance_disk_mb=float(disk),
        load_s=2.0,
        load_base_s=0.5,
        download_s=3.0,
        size=np.ones(models),
        share=np.full(models, 1 / models) if share is None else np.array(share),
        copies=np.full(models, copies, dtype=float),
        seed=1,
    )


def filling(found, instances=2, start_s=0.0):
    nothing = np.zeros(0)
    stream = Stream(
        arrivals=nothing,
        multiplier=nothing.astype(np.float32),
        models=None,
        uniform=nothing.astype(np.float32),
        start_s=start_s,
        end_s=start_s + 60,
        lead=0,
        weight=1.0,
        notes=(),
    )
    return players._filling(found, instances, stream)


def test_every_model_comes_once_as_slowly_as_half_of_the_instances_load():
    # Eight loads of 5 s by one of two instances: 40 s, five seconds apart, and four loads more until the window.
    found, lasts_s = filling(cache(8))
    assert sorted(found.models.tolist()) == list(range(8))
    assert found.arrivals.tolist() == [0, 5, 10, 15, 20, 25, 30, 35]
    assert lasts_s == 40 + 4 * 5
    assert found.uniform.tolist() == [0.5] * 8


def test_a_model_goes_to_every_instance_that_holds_a_copy():
    # Two copies each on two instances: in the middle of each half of the way that the router draws.
    found, lasts_s = filling(cache(3, copies=2))
    assert [found.models[k] == found.models[k + 1] for k in (0, 2, 4)] == [True] * 3
    assert found.uniform.tolist() == [0.25, 0.75] * 3
    assert lasts_s == 2 * 5 * 6 / 2 + 4 * 5
    # There are no more copies than instances.
    assert filling(cache(3, copies=2), instances=1)[0].models.size == 3


def test_only_models_that_fit_on_the_disks_come():
    found, _ = filling(cache(100, disk=4))
    assert np.unique(found.models).size == found.models.size == 2 * 4


def test_the_hottest_models_were_asked_for_last():
    # With shares of 0.9 and 0.1 / 99 the time since a call is 900 times as long for a rare model.
    orders = [filling(cache(100, share=[0.9, *[0.1 / 99] * 99]), start_s=60.0 * k)[0].models for k in range(50)]
    assert np.mean([order[-1] == 0 for order in orders]) == pytest.approx(0.9, abs=0.12)
    assert np.mean([order[0] == 0 for order in orders]) == 0


def test_models_that_nobody_asks_for_come_first():
    found, _ = filling(cache(4, share=[0.5, 0.5, 0.0, 0.0]))
    assert set(found.models[:2].tolist()) == {2, 3}


def warm(begin, *, rps=0.1, provisioned=0, limit=10, idle_s=600.0, minutes=1000):
    month = Month(rps=np.full(minutes, rps), counts=np.zeros(minutes), minute_of_week=0, weight=1.0, notes=())
    pool = Pool(idle_s=idle_s, limit=limit, provisioned=provisioned, queues_when_full=False)
    return players.left_warm(month, 1.0, pool, begin)


def test_sandboxes_are_warm_as_often_as_they_were_asked_for_within_the_idle_time_out():
    # A request every 10 s, each of 1 s: the first sandbox is asked for by all, the second by 9.52 % (one is at work),
    # the third by 0.47 % (two are). In 600 s that is 60, 5.71 and 0.281 times: warm with 1, 0.997 and 0.245.
    found = [warm(10_000.0 + 13 * k) for k in range(2_000)]
    assert np.mean([one.size for one in found]) == pytest.approx(1 + 0.997 + 0.245 + 0.009, abs=0.04)
    # The one that was asked for last has been idle for 10 s at the mean.
    assert np.mean([one[-1] for one in found]) == pytest.approx(1 / (0.1 + 0.00952 + 0.00047), rel=0.07)
    assert all(np.all(np.diff(one) <= 0) and one[0] <= 600 for one in found)


def test_provisioned_sandboxes_are_asked_first_and_a_limit_holds():
    found = [warm(10_000.0 + 13 * k, provisioned=1).size for k in range(2_000)]
    assert np.mean(found) == pytest.approx(0.997 + 0.245 + 0.009, abs=0.04)
    assert warm(10_000.0, rps=100.0, limit=20).size == 20
    assert warm(10_000.0, rps=100.0, limit=20, provisioned=20).size == 0


def test_nothing_is_warm_before_the_first_request():
    assert warm(0.0).size == 0
    assert warm(10_000.0, rps=0.0).size == 0
    # In the first 60 to 110 s, 0.85 calls come at the mean: one sandbox is warm with 1 - exp(-0.85).
    assert np.mean([warm(60.0 + k / 10, rps=0.01).size for k in range(500)]) == pytest.approx(0.57, abs=0.1)


def test_a_short_window_of_sandboxes_sees_what_a_long_one_does():
    # 27 requests a second in bursts of 675, sandboxes that take 3.5 s to start and 200 of them at most: a window that
    # begins without any would refuse most of its requests.
    values = {
        "request.processing_ms": 60,
        "request.measured_on": "ml.m5.large",
        "request.synchronous": True,
        "models.memory_mb": 500,
        "traffic.pattern": "intermittent",
        "traffic.idle_ratio": 0.9,
        "traffic.rps_mean": 27,
        "traffic.rps_peak": 675,
        "objectives.cold_start_ok": True,
    }
    work = studied(values, priors=PLAIN)
    few, many = (simulate(work, "serverless", requests=size).outcome for size in (20_000, 1_000_000))
    assert float(few.dropped_ratio[0]) == pytest.approx(float(many.dropped_ratio[0]), abs=0.005)
    assert float(few.cold_ratio[0]) == pytest.approx(float(many.cold_ratio[0]), abs=0.005)
