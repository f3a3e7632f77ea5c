"""Requests that fill the caches of a multi-model endpoint before a window."""

import numpy as np
import pytest

from fitness.simulation import players
from fitness.simulation.endpoints import Cache
from fitness.simulation.timeline import Stream


def cache(models, *, share=None, copies=1, disk=100):
    """A cache of models of 1 MB on disks with room for `disk` of them; a load is 2 s and a download 3 s."""
    return Cache(
        models=models,
        memory_mb=1.0,
        disk_mb=1.0,
        instance_memory_mb=10.0,
        instance_disk_mb=float(disk),
        load_s=2.0,
        download_s=3.0,
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
