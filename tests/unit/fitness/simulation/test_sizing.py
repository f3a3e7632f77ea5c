"""The memory of a multi-model endpoint."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness.errors import InputError
from fitness.simulation import sizing
from fitness.simulation.requested import shares
from fitness.simulation.sizing import Asked, asked, che, hits, pooled_models, size
from tests.declared import PLAIN, resolved, studied

MANY = {
    "models.count": 40,
    "models.artifact_mb": 1024,
    "models.memory_mb": 1024,
    "models.frameworks": "same",
    "models.popularity": "zipf:1.0",
    "accelerator": "none",
    "request.processing_ms": 100,
    "request.measured_on": "ml.m5.large",
    "request.synchronous": True,
    "traffic.pattern": "steady",
    "traffic.rps_mean": 1,
    "traffic.rps_peak": 1.5,
    "objectives.latency_p95_ms": 5000,
    "objectives.cold_start_ok": True,
}
SMALL = {"instance_type": "ml.m5.large"}  # 8 GiB, of which 7 are for models: 7 of 1 GiB


def sized(config=SMALL, goal=0.95, **changes):
    values = {path: value for path, value in {**MANY, **changes}.items() if value is not None}
    return size(studied(values, config=config, priors=PLAIN), "mme", goal_ratio=goal)


def test_hits_are_those_of_the_requests_after_the_lead():
    # Two models, room for one: after 1, 0 the requests 0, 1, 0, 0 hit, miss, miss, hit.
    stream = Asked(models=np.array([1, 0, 0, 1, 0, 0], dtype=np.int32), lead=2)
    assert hits(stream, 2, [1, 2]).tolist() == [0.5, 1.0]


def test_two_models_alike_with_room_for_one_hit_every_other_time():
    stream = asked(resolved({**MANY, "models.count": 2, "models.popularity": "uniform"}), 2, seed=1)
    assert hits(stream, 2, [1])[0] == pytest.approx(0.5, abs=0.005)


def test_of_models_alike_the_share_in_memory_is_the_share_of_hits():
    stream = asked(resolved({**MANY, "models.popularity": "uniform"}), 40, seed=1)
    assert hits(stream, 40, [10, 20, 30]) == pytest.approx([0.25, 0.5, 0.75], abs=0.01)


@given(st.integers(1, 60), st.floats(0, 2), st.integers(0, 100))
def test_more_memory_never_has_fewer_hits_and_all_models_in_memory_have_all(models, zipf, seed):
    drawn = np.random.default_rng(seed).choice(models, 500, p=shares(models, zipf=zipf)).astype(np.int32)
    stream = Asked(models=np.concatenate([np.arange(models, dtype=np.int32), drawn]), lead=models)
    found = hits(stream, models, range(1, models + 1))
    assert all(more >= less for less, more in pairwise(found))
    assert found[-1] == 1


@given(st.integers(1, 60), st.floats(0, 2), st.floats(0.05, 0.999))
def test_the_memory_for_a_ratio_reaches_it_and_one_model_less_does_not(models, zipf, ratio):
    drawn = np.random.default_rng(5).choice(models, 500, p=shares(models, zipf=zipf)).astype(np.int32)
    stream = Asked(models=np.concatenate([np.arange(models, dtype=np.int32), drawn]), lead=models)
    found = pooled_models(stream, models, ratio)
    assert hits(stream, models, [found])[0] >= ratio
    assert found == 1 or hits(stream, models, [found - 1])[0] < ratio


@pytest.mark.parametrize("zipf", [0.0, 0.9, 1.5])
@pytest.mark.parametrize("models", [50, 1_000])
def test_the_approximation_agrees_with_what_was_counted(models, zipf):
    stream = asked(resolved({**MANY, "models.count": models, "models.popularity": f"zipf:{zipf}"}), models, seed=3)
    at = [models // 10, models // 3, models * 2 // 3]
    assert che(shares(models, zipf=zipf), at) == pytest.approx(hits(stream, models, at), abs=0.01)


def test_an_instance_holds_what_fits_beside_the_system():
    found = sized()
    assert found.holds == 7
    assert found.fits[0].memory_gb == 7
    assert found.curve.memory_gb[-1] == 40


def test_the_goal_is_reached_by_the_fewest_instances_and_missed_with_one_less():
    found = sized()
    assert found.enough.hit_ratio >= 0.95
    work = studied(MANY, config=SMALL, priors=PLAIN)
    stream = asked(work.point, 40, seed=found.seed)
    less, _ = sizing._placed(stream, found.cache, found.holds, found.enough.instances - 1)
    assert 1 - less < 0.95
    assert found.goal_models <= found.enough.instances * found.holds


def test_a_higher_goal_never_takes_less_memory():
    at = [sized(goal=goal) for goal in (0.5, 0.8, 0.95, 0.99)]
    assert [one.goal_models for one in at] == sorted(one.goal_models for one in at)
    assert [one.enough.instances for one in at] == sorted(one.enough.instances for one in at)


def test_with_every_model_in_memory_nothing_is_lost_and_answers_come_sooner():
    found = sized()
    assert (found.whole.hit_ratio, found.whole.lost_s) == (1.0, 0.0)
    assert found.whole.p99_ms.value < found.fits[0].p99_ms.value
    assert found.fits[0].lost_s > 0


def test_lost_seconds_are_misses_times_the_time_of_a_load():
    # Half a second and a fifth of 8 s for 1 GB from the disk; the volume holds every file, so nothing comes again.
    found = sized()
    assert found.cache.load_s == pytest.approx(0.5 + 8 / 5)
    for fit in found.fits:
        assert fit.lost_s == pytest.approx(730 * 3600 * (1 - fit.hit_ratio) * found.cache.load_s)


def test_a_volume_that_is_too_small_downloads_again():
    few, many = sized({**SMALL, "volume_gb": 4}), sized()
    assert few.fits[0].lost_s > many.fits[0].lost_s
    assert any("downloads again" in note for note in few.notes)
    assert not any("downloads again" in note for note in many.notes)


def test_money_is_that_of_the_instances_all_month():
    found = sized({**SMALL, "volume_gb": 0})
    hour = float(studied(MANY).book.estimate("hosting/ml.m5.large", "us-east-1").usd_per_unit)
    assert found.enough.usd == pytest.approx(found.enough.instances * 730 * hour, rel=0.01)


def test_homes_at_random_have_at_most_the_hits_of_one_memory():
    for fit in sized().fits:
        assert fit.hit_ratio <= fit.pooled_ratio + 0.01


def test_more_models_than_are_counted_are_refused():
    with pytest.raises(InputError) as caught:
        sized(**{"models.count": sizing.MOST_MODELS + 1})
    assert "size a part of them and multiply" in str(caught.value)


def test_more_models_than_are_played_have_no_percentile_and_the_money_of_their_instances():
    found = sized(**{"models.count": 2_000, "models.popularity": "uniform"})
    assert found.fits[0].p99_ms is not None
    assert found.whole.instances * 2_000 > sizing.MOST_PLAYED
    assert (found.whole.p99_ms, found.whole.dropped_ratio) == (None, None)
    assert found.whole.usd == pytest.approx(found.whole.instances * 730 * found.usd_per_hour)


def test_one_model_that_fits_no_instance_is_explained():
    with pytest.raises(InputError) as caught:
        sized(**{"models.memory_mb": 9000})
    assert "ml.m5.large has 7 GB for models" in str(caught.value)


def test_every_wrong_argument_is_named():
    with pytest.raises(InputError) as caught:
        size(studied(MANY), "serverless", goal_ratio=1.5)
    assert [problem.path for problem in caught.value.problems] == ["option", "goal_ratio"]


def test_the_same_seed_gives_the_same_sizing():
    assert sized().fits == sized().fits
