"""The day by the formulas: what the page shows until the day has been played."""

import numpy as np
import pytest

from fitness import presets, prices
from fitness.simulation.day import REQUESTS, play_day
from fitness.study import study
from ui import first_paint

BOOK = prices.load_book()
FRAUD = study(presets.load("card-fraud"), book=BOOK)
NIGHTLY = study(presets.load("nightly-scoring"), book=BOOK)


def first(work, option, surge=1.0):
    preview = play_day(work, option, requests=first_paint.requests(work, surge), surge_factor=surge, surge_hour=10)
    return preview, first_paint.course(preview, work.configured(option))


def test_latencies_are_those_of_the_formulas_all_day():
    _, course = first(FRAUD, "real_time")
    outcome = FRAUD.configured("real_time").outcome
    expected_ms = [float(outcome.latency.percentile(share)[0]) * 1000 for share in (0.5, 0.95, 0.99)]
    assert course.latency_ms[:, 0] == pytest.approx(expected_ms)
    assert (course.latency_ms == course.latency_ms[:, :1]).all()
    assert course.at_s[0] == 0
    assert course.at_s[-1] + course.interval_s == 86_400


def test_arrivals_instances_and_money_are_those_of_the_control_loop():
    preview, course = first(FRAUD, "real_time", surge=5.0)
    for name in ("arrivals", "ready", "paid", "usd"):
        assert np.array_equal(getattr(course, name), getattr(preview, name))
    assert course.arrivals[605] > 3 * course.arrivals[595]  # the surge from 10:00 on


def test_what_is_inside_is_the_rate_times_the_mean_time():
    _, course = first(FRAUD, "serverless")
    latency = FRAUD.configured("serverless").outcome.latency
    mean_s = float(np.sum(latency.seconds * latency.weight))
    at_noon = int(np.searchsorted(course.at_s, 43_200))
    assert course.inside[at_noon] == pytest.approx(course.arrivals[720] / 60 * mean_s)


def test_nothing_is_claimed_about_cold_starts_and_losses():
    _, course = first(FRAUD, "serverless")
    assert not (course.cold + course.refused + course.timed_out).any()


def test_a_job_is_shown_as_it_is_played():
    preview, course = first(NIGHTLY, "batch")
    assert course is preview


def test_a_first_look_plays_some_minutes_and_never_more_than_a_day():
    assert first_paint.requests(FRAUD, 1.0) == first_paint.PREVIEW_REQUESTS
    busy = study(FRAUD.workload.replace({"traffic.rps_peak": 400}), book=BOOK)
    assert first_paint.requests(busy, 2.0) == 400 * 2 * 300
    hectic = study(FRAUD.workload.replace({"traffic.rps_peak": 1_000_000}), book=BOOK)
    assert first_paint.requests(hectic, 10.0) == REQUESTS
