"""Histograms of latencies: their bins, their percentiles, what happens at the edges."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness.simulation import histogram

latencies = st.floats(2**-19, 2**19, width=32)


def filled(values):
    hist = histogram.empty()
    for value in values:
        hist[histogram.bin_of(value)] += 1
    return hist


@given(latencies)
def test_a_latency_falls_into_the_bin_around_it(value):
    at = histogram.bin_of(value)
    assert histogram.LOWER[at] <= value < histogram.UPPER[at]


def test_bins_follow_each_other_and_are_under_0_8_percent_wide():
    assert (histogram.LOWER[1:] == histogram.UPPER[:-1]).all()
    widths = histogram.UPPER / histogram.LOWER - 1
    assert widths.max() <= 1 / 128
    assert histogram.LOWER[0] == 2**-20
    assert histogram.UPPER[-1] == 2**20


@pytest.mark.parametrize(("value", "at"), [(0.0, 0), (1e-9, 0), (1e7, histogram.BINS - 1), (1e30, histogram.BINS - 1)])
def test_what_is_outside_goes_into_the_first_or_the_last_bin(value, at):
    assert histogram.bin_of(value) == at


def test_percentiles_are_within_half_a_percent_of_exact_ones():
    values = np.random.default_rng(1).lognormal(-2, 1.2, 50_000)
    hist = filled(values)
    for probability in (0.01, 0.5, 0.95, 0.99, 0.999):
        assert histogram.percentile(hist, probability) == pytest.approx(np.quantile(values, probability), rel=5e-3)
    assert histogram.mean(hist) == pytest.approx(values.mean(), rel=2e-3)


@given(st.lists(latencies, min_size=1, max_size=30), st.floats(0, 1))
def test_percentiles_stay_between_the_bins_in_use_and_never_fall(values, probability):
    hist = filled(values)
    found = histogram.percentile(hist, probability)
    assert min(values) * 0.99 <= found <= max(values) * 1.01
    assert histogram.percentile(hist, min(probability + 0.1, 1.0)) >= found


@given(st.lists(latencies, min_size=1, max_size=30), st.lists(latencies, max_size=30))
def test_histograms_of_parts_add_up_to_that_of_the_whole(first, second):
    assert (filled(first) + filled(second) == filled(first + second)).all()


def test_weights_stand_for_counts():
    hist = filled([0.1, 0.2, 0.2]) * 0.25
    assert histogram.count(hist) == 0.75
    assert histogram.percentile(hist, 0.1) == pytest.approx(0.1, rel=0.01)


def test_an_empty_histogram_has_no_mean_and_no_percentile():
    empty = histogram.empty()
    assert math.isnan(histogram.mean(empty))
    assert math.isnan(histogram.percentile(empty, 0.5))


def test_latencies_by_the_interval_leave_out_refused_requests_and_those_outside():
    arrivals = np.array([-1.0, 0.0, 9.9, 10.0, 15.0, 25.0])
    latency_s = np.array([1.0, 1.0, 2.0, np.nan, 4.0, 5.0], dtype=np.float32)
    hists = histogram.by_interval(arrivals, latency_s, start_s=0.0, width_s=10.0, intervals=2)
    assert hists.sum(axis=1).tolist() == [2, 1]
    assert hists[1, histogram.bin_of(4.0)] == 1


def test_the_band_of_a_percentile_lies_around_it_and_narrows_with_the_stream():
    draws = np.random.default_rng(8)
    widths = []
    for size in (200, 20_000):
        blocks = np.array([filled(draws.lognormal(0, 1, size)) for _ in range(8)])
        low, value, high = histogram.band(blocks, 0.95)
        assert low < value < high
        assert value == histogram.percentile(blocks.sum(axis=0), 0.95)
        widths.append(high / low)
    # A hundred times as many requests, a tenth of the width; eight blocks tell a width only roughly.
    assert 4 < (widths[0] - 1) / (widths[1] - 1) < 25


def windows_with_median(medians_s):
    draws = np.random.default_rng(8)
    return np.array([filled(draws.lognormal(math.log(median), 0.3, 5_000)) for median in medians_s])


def test_the_band_of_windows_holds_the_luck_of_where_they_lie():
    steady = windows_with_median([1.0] * 16)
    by_load = windows_with_median(np.linspace(1.0, 1.2, 16))
    by_luck = windows_with_median(np.where(np.arange(16) % 2, 1.2, 1.0))
    widths = []
    for windows in (steady, by_load, by_luck):
        # Each block has a part of every window, as the tally has it, and so the same share of the lucky ones.
        blocks = np.array([windows.sum(axis=0) / 8] * 8)
        low, value, high = histogram.band(blocks, 0.5, [windows])
        assert low < value < high
        widths.append(high / low - 1)
    assert widths[1] < 1.5 * widths[0]
    assert widths[2] > 10 * widths[0]


def test_three_windows_say_nothing_of_their_luck():
    windows = windows_with_median([1.0, 1.2, 1.0])
    blocks = np.array([windows.sum(axis=0) / 8] * 8)
    assert histogram.band(blocks, 0.5, [windows]) == histogram.band(blocks, 0.5)


def test_a_band_needs_two_blocks():
    block = filled([1.0, 2.0])
    assert histogram.band(np.array([block, histogram.empty()]), 0.5)[::2] == (0.0, math.inf)
    assert math.isnan(histogram.band(np.array([histogram.empty()] * 8), 0.5)[1])
