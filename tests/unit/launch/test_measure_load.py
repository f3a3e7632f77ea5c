"""Callers that ask again and again, and requests at given times, against functions instead of endpoints."""

import threading
import time

import numpy as np
from botocore.exceptions import ClientError

from launch.measure_load import Budget, at_times, closed


def plenty() -> Budget:
    return Budget(requests=10_000, deadline=time.monotonic() + 60)


def test_as_many_ask_at_once_as_there_are_callers():
    together = threading.Barrier(3, timeout=30)  # opens when three wait at once

    def ask() -> int:
        together.wait()
        return 1

    assert closed(ask, callers=3, requests=30, seconds=60, budget=plenty()).latency_s.size == 30


def test_a_load_ends_with_its_budget():
    budget = Budget(requests=7, deadline=time.monotonic() + 60)
    assert closed(lambda: 1, callers=2, requests=100, seconds=60, budget=budget).latency_s.size == 7
    late = Budget(requests=7, deadline=time.monotonic())
    assert closed(lambda: 1, callers=2, requests=100, seconds=60, budget=late).latency_s.size == 0


def test_failures_and_second_attempts_are_counted_and_not_timed():
    asked = iter([1, 2, "fail", 1])

    def ask() -> int:
        found = next(asked)
        if found == "fail":
            raise ClientError({"Error": {"Code": "ModelError", "Message": "no"}}, "InvokeEndpoint")
        return found

    seen = closed(ask, callers=1, requests=4, seconds=60, budget=plenty())
    assert (seen.latency_s.size, seen.errors) == (2, 2)
    assert "ModelError" in seen.first_error


def test_a_late_answer_delays_the_following_and_their_latency_shows_it():
    def ask() -> int:
        time.sleep(0.1)
        return 1

    seen = at_times(ask, np.array([0.0, 0.001, 0.002]), callers=1, budget=plenty())
    assert np.all(np.diff(seen.latency_s) > 0.05)  # each waits for the one before, from when it was due
    assert seen.late_s[2] > 0.15


def test_requests_that_are_due_do_not_wait_for_answers_while_callers_are_free():
    together = threading.Barrier(3, timeout=30)

    def ask() -> int:
        together.wait()
        return 1

    assert at_times(ask, np.zeros(3), callers=3, budget=plenty()).latency_s.size == 3
