"""Model caches against an ordered dictionary, and instances that load models against lists of requests."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness.simulation import caches, histogram
from fitness.simulation.counts import COLD
from tests import event_list, played

MODELS = 6
asked = st.lists(st.integers(0, MODELS - 1), max_size=60)
sizes = st.lists(st.integers(0, 9), min_size=MODELS, max_size=MODELS)
capacities = st.integers(0, 30)


@given(asked, sizes, capacities)
def test_a_cache_misses_as_an_ordered_dictionary_does(models, of_models, capacity):
    reference = event_list.Lru(of_models, capacity)
    expected = sum(not reference.use(model) for model in models)
    assert caches.lru(models, of_models, capacity) == expected


@given(asked, sizes, sizes, capacities, capacities)
def test_two_tiers_miss_as_two_ordered_dictionaries_do(models, memory_sizes, disk_sizes, memory, disk):
    upper, lower = event_list.Lru(memory_sizes, memory), event_list.Lru(disk_sizes, disk)
    loads = [model for model in models if not upper.use(model)]
    downloads = [model for model in loads if not lower.use(model)]
    found = caches.lru_two_tier(models, memory_sizes, disk_sizes, memory, disk)
    assert found == (len(loads), len(downloads))


def test_a_large_cache_misses_as_an_ordered_dictionary_does():
    draws = np.random.default_rng(5)
    models = np.minimum(draws.zipf(1.2, 20_000) - 1, 499)
    of_models = draws.integers(1, 50, 500)
    reference = event_list.Lru(of_models.tolist(), 2_000)
    assert caches.lru(models, of_models, 2_000) == sum(not reference.use(model) for model in models.tolist())


def test_the_curve_has_the_misses_of_each_capacity():
    models, of_models = [0, 1, 2, 0, 1, 2, 3], [1, 1, 1, 1]
    assert caches.lru_curve(models, of_models, [0, 2, 3]).tolist() == [7, 7, 4]


@st.composite
def loading(draw):
    """A stream, its models, the times and sizes of the models, and the instances."""
    arrivals, work, uniform = draw(played.streams())
    times = st.lists(played.work, min_size=MODELS, max_size=MODELS)
    return {
        "arrivals": arrivals,
        "work": work,
        "uniform": uniform,
        "models": draw(st.lists(st.integers(0, MODELS - 1), min_size=len(arrivals), max_size=len(arrivals))),
        "load": draw(times),
        "download": draw(times),
        "memory": draw(sizes),
        "disk": draw(sizes),
        "memory_bytes": draw(capacities),
        "disk_bytes": draw(capacities),
        "slots": draw(st.integers(1, 3)),
        "instances": draw(st.integers(1, 3)),
        "copies": draw(st.lists(st.integers(1, 4), min_size=MODELS, max_size=MODELS)),
    }


@given(loading())
def test_instances_that_load_models_play_as_lists_of_requests_do(case):
    many = case["instances"]
    placement = caches.placements(MODELS, many, seed=9)
    home = []
    for model, uniform in zip(case["models"], case["uniform"], strict=True):
        spread = min(case["copies"][model], many)
        home.append((int(placement[many - 1, model]) + int(uniform * spread)) % many)
    reference = event_list.cached(
        case["arrivals"],
        case["work"],
        case["models"],
        home,
        **{name: case[name] for name in ("load", "download", "memory", "disk", "memory_bytes", "disk_bytes")},
        slots=case["slots"],
        instances=many,
    )
    recorded, hit, miss = played.recorders(len(home)), histogram.empty(), histogram.empty()
    counts = caches.cached(
        case["arrivals"],
        case["work"],
        case["models"],
        case["uniform"],
        1.0,
        load_s=case["load"],
        download_s=case["download"],
        memory_sizes=case["memory"],
        disk_sizes=case["disk"],
        memory_bytes=case["memory_bytes"],
        disk_bytes=case["disk_bytes"],
        slots=case["slots"],
        instances=many,
        placement=placement,
        copies=case["copies"],
        hist_hit=hit,
        hist_miss=miss,
        **recorded,
    )
    took = played.latencies(case["arrivals"], reference)
    assert recorded["latency_s"].tolist() == pytest.approx(took, abs=0)
    found = reference.extra
    assert set(np.flatnonzero(recorded["fate"] == COLD)) == found["missed"]
    assert (counts.hits, counts.memory_misses, counts.disk_misses) == (
        found["hits"],
        found["misses"],
        found["downloads"],
    )
    assert (counts.evictions, counts.delayed) == (found["pushed"], found["delayed"])
    assert counts.load_wait_s == found["loading"]
    assert counts.busy_s == found["loading"] + sum(case["work"])
    assert counts.wait_s == played.waited(case["arrivals"], reference)
    assert (hit.sum(), miss.sum()) == (found["hits"], found["misses"])


ONE = {"memory_sizes": [1, 1], "disk_sizes": [1, 1], "load_s": 2.0, "download_s": 10.0, "slots": 2, "instances": 1}


def test_a_request_for_a_model_that_is_being_loaded_waits_for_it_on_its_worker():
    recorded = played.recorders(3)
    counts = caches.cached(
        [0.0, 1.0, 1.0], [1, 1, 1], [0, 0, 0], [0, 0, 0], 1.0, memory_bytes=2, disk_bytes=2, **ONE, **recorded
    )
    # 12 s of loading and 1 s of service; the second waits on the other worker; the third for a worker, until 13 s.
    assert recorded["latency_s"].tolist() == [13.0, 12.0, 13.0]
    assert (counts.delayed, counts.load_wait_s) == (1, 23.0)


def test_the_least_recently_used_model_goes_and_comes_back_from_disk():
    recorded = played.recorders(3)
    counts = caches.cached(
        [0.0, 20.0, 40.0], [1, 1, 1], [0, 1, 0], [0, 0, 0], 1.0, memory_bytes=1, disk_bytes=2, **ONE, **recorded
    )
    assert recorded["latency_s"].tolist() == [13.0, 13.0, 3.0]
    assert (counts.memory_misses, counts.disk_misses, counts.evictions) == (3, 2, 2)


def test_an_instance_that_comes_begins_without_models_and_one_that_goes_is_paid_until_its_work_is_done():
    homes = np.array([[0, 0], [1, 0]], dtype=np.int32)  # the first model moves to the second instance
    recorded = played.recorders(4)
    counts = caches.cached(
        [0.0, 30.0, 60.0, 90.0],
        [1, 1, 1, 1],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
        1.0,
        memory_bytes=2,
        disk_bytes=2,
        placement=homes,
        event_s=[20.0, 61.0],
        event_delta=[1, -1],
        end_s=100.0,
        **ONE,
        **recorded,
    )
    assert recorded["latency_s"].tolist() == [13.0, 13.0, 1.0, 1.0]
    # One instance for 100 s, the other from 20 s until 61 s.
    assert counts.paid_s == 141.0


def test_an_instance_that_comes_back_has_lost_its_models():
    homes = np.array([[0, 0], [1, 0]], dtype=np.int32)
    recorded = played.recorders(2)
    caches.cached(
        [0.0, 60.0],
        [1, 1],
        [0, 0],
        [0, 0],
        1.0,
        memory_sizes=[1, 1],
        disk_sizes=[1, 1],
        load_s=2.0,
        download_s=10.0,
        slots=1,
        instances=2,
        memory_bytes=2,
        disk_bytes=2,
        placement=homes,
        event_s=[20.0, 40.0],
        event_delta=[-1, 1],
        **recorded,
    )
    assert recorded["latency_s"].tolist() == [13.0, 13.0]


def test_a_further_instance_takes_its_share_and_moves_no_other_model():
    homes = caches.placements(3_000, 5, seed=2)
    for last in range(1, 5):
        moved = homes[last] != homes[last - 1]
        assert (homes[last][moved] == last).all()
        assert moved.mean() == pytest.approx(1 / (last + 1), abs=0.03)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"models": [0, 2]}, "models must be between 0 and 1, got 0 to 2"),
        ({"models": [0, -1]}, "models must be between 0 and 1, got -1 to 0"),
        ({"memory_sizes": [1, -1]}, "a size of 0 bytes or more"),
        ({"memory_sizes": []}, "there must be a model"),
        ({"disk_sizes": [1]}, "placement and sizes must cover"),
        ({"placement": np.zeros((1, 3), np.int32)}, "placement and sizes must cover"),
        ({"placement": np.full((1, 2), 7, np.int32)}, "placement must be"),
        ({"load_s": -1.0}, "times by model must be >= 0"),
        ({"copies": 0}, "at least one copy"),
        ({"slots": 0}, "slots must be >= 1"),
    ],
)
def test_what_is_no_set_of_models_is_refused(change, message):
    given_values = {
        "arrivals": [0.0, 1.0],
        "multiplier": [1, 1],
        "models": [0, 1],
        "uniform": [0, 0],
        "service_s": 1.0,
        "memory_bytes": 2,
        "disk_bytes": 2,
        **ONE,
    } | change
    with pytest.raises(ValueError, match=message):
        caches.cached(**given_values)


@given(st.integers(1, 300), st.floats(0.01, 3), st.floats(1, 20), st.integers(0, 9))
def test_random_sizes_are_of_the_mean_one_and_none_is_larger_than_fits(models, cv, largest, seed):
    found = caches.random_sizes(models, cv=cv, largest=largest, seed=seed)
    assert found.shape == (models,)
    assert (found > 0).all()
    assert found.max() <= largest
    assert found.mean() <= 1 + 1e-9
    assert np.array_equal(found, caches.random_sizes(models, cv=cv, largest=largest, seed=seed))


def test_random_sizes_spread_as_asked():
    assert caches.random_sizes(3, cv=0, largest=1, seed=1).tolist() == [1, 1, 1]
    found = caches.random_sizes(200_000, cv=0.8, largest=1_000, seed=1)
    assert found.mean() == pytest.approx(1)
    assert found.std() == pytest.approx(0.8, rel=0.03)
