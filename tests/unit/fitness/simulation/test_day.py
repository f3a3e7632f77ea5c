"""One day of a configuration: its series add up, follow the traffic as a policy may, and repeat."""

import numpy as np
import pytest

from fitness import presets, prices
from fitness.errors import InputError
from fitness.simulation import day
from fitness.simulation.day import play_day
from fitness.simulation.play import simulate
from fitness.study import study

BOOK = prices.load_book()
FRAUD = study(presets.load("card-fraud"), book=BOOK)
NIGHTLY = study(presets.load("nightly-scoring"), book=BOOK)
CUSTOMERS = study(presets.load("customer-models"), book=BOOK)
KEYSTROKES = study(presets.load("keystroke-search"), book=BOOK)
PAPERS = study(presets.load("document-understanding"), book=BOOK)
SURGE_HOUR = 10
DAYS_A_MONTH = 730 / 24


def answered(course):
    """Answers within the time-out."""
    return course.requests - course.refused.sum() - course.timed_out.sum()


@pytest.mark.parametrize("option", ["real_time", "async", "serverless", "mme", "triton_ensemble", "azure_functions"])
def test_every_request_of_a_day_that_fits_is_played_and_counted_once(option):
    course = play_day(FRAUD, option)
    assert course.requests == course.offered == course.arrivals.sum()
    assert (course.start_s, course.end_s) == (0, 86_400)
    assert 0 <= course.cold.sum() <= answered(course) <= course.requests
    assert np.all(course.latency_ms[0] <= course.latency_ms[2] + 1e-9, where=np.isfinite(course.latency_ms[0]))


@pytest.mark.parametrize("option", ["real_time", "async", "serverless", "mme"])
def test_the_same_seed_gives_the_same_series_and_another_seed_others(option):
    first, again, other = (play_day(PAPERS, option, seed=seed) for seed in (1, 1, 2))
    for name in ("arrivals", "usd", "latency_ms", "inside", "cold", "refused", "timed_out"):
        assert np.array_equal(getattr(first, name), getattr(again, name), equal_nan=True)
    assert not np.array_equal(first.arrivals, other.arrivals)


def test_a_surge_multiplies_the_traffic_of_its_quarter_of_an_hour_and_of_no_other():
    calm = play_day(FRAUD, "real_time")
    wild = play_day(FRAUD, "real_time", surge_factor=5, surge_hour=SURGE_HOUR)
    first, last = SURGE_HOUR * 60, SURGE_HOUR * 60 + 15
    assert wild.arrivals[first:last].sum() == pytest.approx(5 * calm.arrivals[first:last].sum(), rel=0.05)
    outside = np.r_[0:first, last : wild.arrivals.size]
    assert wild.arrivals[outside].sum() == pytest.approx(calm.arrivals[outside].sum(), rel=0.005)


def test_a_part_within_one_minute_is_played_where_it_lies():
    heavy = FRAUD.workload.replace({"traffic.rps_mean": 60_000, "traffic.rps_peak": 90_000})
    work = study(heavy, book=BOOK)
    part, longer = (play_day(work, "real_time", requests=most) for most in (100_000, 12_000_000))
    assert part.start_s // 60 == part.end_s // 60
    assert longer.end_s - longer.start_s > 60
    assert np.array_equal(part.ready, longer.ready)


def test_instances_follow_a_surge_only_after_the_alarm_and_the_launch():
    wild = play_day(FRAUD, "real_time", surge_factor=5, surge_hour=SURGE_HOUR)
    calm = play_day(FRAUD, "real_time")
    launch_minutes = float(FRAUD.point.launch_s[0]) / 60
    first = SURGE_HOUR * 60
    before = float(calm.ready[first])
    after_alarm = first + 3  # three datapoints of a minute each
    assert np.all(wild.ready[first : int(after_alarm + launch_minutes)] == before)
    assert wild.ready[int(after_alarm + launch_minutes) + 1] > before
    assert wild.paid[after_alarm + 1] > wild.ready[after_alarm + 1]  # a starting instance is billed


def test_a_surge_above_the_most_instances_makes_requests_time_out_and_wait():
    calm = play_day(FRAUD, "real_time")
    wild = play_day(FRAUD, "real_time", surge_factor=10, surge_hour=SURGE_HOUR)
    assert calm.timed_out.sum() == 0 < wild.timed_out.sum()
    assert wild.inside.max() > 100 * calm.inside.max()


def test_sandboxes_meet_a_surge_at_once_but_cold():
    calm = play_day(FRAUD, "serverless")
    wild = play_day(FRAUD, "serverless", surge_factor=5, surge_hour=SURGE_HOUR)
    assert wild.ready is wild.paid is None
    assert wild.cold.sum() > calm.cold.sum() > 0
    assert wild.refused.sum() == wild.timed_out.sum() == 0


def test_an_endpoint_at_zero_refuses_what_comes_before_its_instance():
    course = play_day(PAPERS, "real_time")
    assert course.ready.min() == 0
    assert course.refused.sum() > 0


def test_a_cache_begins_the_day_as_the_evening_before_left_it():
    steady = study(presets.load("customer-models"), book=BOOK, config={"min_instances": 7, "max_instances": 7})
    course = play_day(steady, "mme")
    by_interval = np.add.reduceat(course.arrivals, np.arange(0, course.arrivals.size, 5))
    morning, rest = slice(0, 96), slice(96, None)  # eight hours
    missed = [float(course.cold[part].sum()) for part in (morning, rest)]
    asked = [float(by_interval[part].sum()) for part in (morning, rest)]
    expected = asked[0] * missed[1] / asked[1]
    assert abs(missed[0] - expected) < 4 * np.sqrt(expected)
    assert missed[0] < 400  # an empty one would miss each of a thousand models first


@pytest.mark.parametrize(("work", "option"), [(CUSTOMERS, "mme"), (FRAUD, "real_time"), (FRAUD, "serverless")])
def test_the_busiest_day_costs_a_day_of_the_month_or_somewhat_more(work, option):
    usd = float(play_day(work, option).usd[-1])
    month = simulate(work, option, requests=20_000).monthly_usd
    assert month / DAYS_A_MONTH * 0.98 <= usd <= month / DAYS_A_MONTH * 1.15


def test_money_only_grows():
    assert np.all(np.diff(play_day(FRAUD, "azure_functions").usd) >= 0)


def test_a_price_that_is_unknown_leaves_the_money_unknown():
    course = play_day(study(presets.load("digits-outside-aws"), book=BOOK), "real_time")
    assert np.all(np.isnan(course.usd))


def test_the_most_requested_of_many_endpoints_is_played_and_said():
    course = play_day(CUSTOMERS, "real_time")
    share = float(CUSTOMERS.point.popularity[1][0].max())
    whole = play_day(CUSTOMERS, "mme").offered
    assert course.offered == pytest.approx(whole * share, rel=0.05)
    assert any("The most requested of 1,000 endpoints" in note for note in course.notes)


def test_a_day_that_does_not_fit_is_played_around_the_surge_and_says_so():
    course = play_day(KEYSTROKES, "triton_ensemble", surge_factor=2, surge_hour=SURGE_HOUR, requests=200_000)
    assert course.requests == pytest.approx(200_000, rel=0.02)
    assert course.start_s < SURGE_HOUR * 3600 < course.end_s
    assert course.arrivals.size == 1440
    assert any("are played" in note for note in course.notes)
    assert course.at_s[0] <= course.start_s
    assert course.end_s <= course.at_s[-1] + course.interval_s


def test_a_job_does_every_record_between_its_start_and_its_end():
    course = play_day(NIGHTLY, "batch")
    assert course.is_job
    assert course.arrivals.sum() == pytest.approx(course.offered)
    assert course.ready[0] == 0 < course.paid[0]  # instances that start are billed
    assert course.paid.sum() * 60 == pytest.approx(course.end_s * course.paid[0])
    assert course.end_s > float(NIGHTLY.configured("batch").outcome.serving["cold_s"][0])


def test_an_option_without_a_configuration_says_why():
    with pytest.raises(InputError, match="has no configuration"):
        play_day(FRAUD, "batch")


def test_the_series_are_short_enough_to_draw():
    course = play_day(FRAUD, "real_time", surge_factor=2, surge_hour=3)
    assert course.at_s.size == 1440 == course.arrivals.size
    assert day.REQUESTS <= 5_000_000
