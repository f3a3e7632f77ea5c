"""Commands that are given a recording: what they play, what they say of it, and how they end."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from fitness import cli

ROOT = Path(__file__).parents[3]
COMMANDS = {
    "simulate": ("--option", "real_time", "--requests", "3000", "--json"),
    "recommend": ("--json",),
    "bill": ("--option", "real_time", "--json"),
    "flips": ("--field", "request.processing_ms", "--json"),
}


@pytest.fixture
def workload(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = tmp_path / "workload.yaml"
    file.write_text("version: 1\nname: recorded\nrequest: {processing_ms: 20, synchronous: true}\n")
    return str(file)


def arrivals(folder: Path, requests: int, *, name: str = "arrivals.csv") -> str:
    """A recording of two hours with exact times."""
    times = np.sort(np.random.default_rng(1).uniform(0.1, 7_200, requests)).round(3)
    (folder / name).write_text("timestamp\n" + "\n".join(map(str, times)) + "\n")
    return str(folder / name)


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    status = cli.main(arguments)
    out, err = capsys.readouterr()
    return status, out, err


def simulated(capsys, workload: str, *arguments: str) -> dict:
    status, out, err = run(capsys, "simulate", workload, "--option", "real_time", "--json", *arguments)
    assert (status, err) == (0, "")
    return json.loads(out)


def test_a_whole_recording_is_played_at_its_own_times(capsys, workload, tmp_path):
    found = simulated(capsys, workload, "--trace", arrivals(tmp_path, 3_000))
    assert found["played_requests"] == 3_000
    assert "All 3,000 recorded requests are played." in found["notes"]
    assert "Requests come at the very times of the recording." in found["notes"]


def test_unit_zone_and_columns_of_a_recording_may_be_said(capsys, workload, tmp_path):
    minutes = tmp_path / "minutes.csv"
    minutes.write_text("at,sum\n0,600\n1,600\n2,600\n")
    named = ("--trace", str(minutes), "--trace-columns", '{"timestamp": "at", "count": "sum"}')
    assert simulated(capsys, workload, *named, "--trace-unit", "min")["requests_per_month"] == 1800 * 20 * 730
    local = tmp_path / "local.csv"
    local.write_text("timestamp,count\n2026-03-01T10:00,600\n2026-03-01T10:01,600\n")
    notes = simulated(capsys, workload, "--trace", str(local), "--trace-zone", "Europe/Berlin")["notes"]
    assert "Timestamps without a time zone: 2 of 2; Europe/Berlin is assumed." in notes
    for wrong in (("--trace-zone", "Mars"), ("--trace-columns", '{"when": "at"}'), ("--trace-columns", "[]")):
        assert run(capsys, "bill", workload, "--option", "real_time", "--trace", str(local), *wrong)[0] == 2


def test_a_part_of_a_recording_stands_for_all_of_it_and_says_so(capsys, workload, tmp_path):
    found = simulated(capsys, workload, "--trace", arrivals(tmp_path, 9_000), "--requests", "2000")
    assert found["played_requests"] == pytest.approx(2_000, abs=200)
    assert (
        f"{found['played_requests']:,} of the 9,000 recorded requests are played and stand for all." in found["notes"]
    )
    assert (
        "A queue that builds up within a minute, over more requests than a window has, is not seen." in found["notes"]
    )
    assert found["requests_per_month"] == pytest.approx(9_000 / 2 * 730, rel=0.01)


def test_recorded_counts_are_spread_at_random_or_evenly_and_the_answer_says_which(capsys, workload, tmp_path):
    (tmp_path / "counts.csv").write_text("count\n" + "600\n" * 10)
    trace = ("--trace", str(tmp_path / "counts.csv"), "--requests", "6000", "--instance", "ml.m5.large")
    random, even = (simulated(capsys, workload, *trace, "--spread", spread) for spread in ("poisson", "even"))
    told = "The recording tells how many requests came in 60 s; within these they are spread"
    assert f"{told} at random." in random["notes"]
    assert f"{told} evenly." in even["notes"]
    assert even["latency_ms"]["p95"] < random["latency_ms"]["p95"]


def test_a_recording_of_the_arguments_stands_instead_of_the_declared_one(capsys, workload, tmp_path):
    Path(workload).write_text(Path(workload).read_text() + "traffic: {trace: missing.csv}\n")
    assert run(capsys, "recommend", workload)[0] == 2
    assert run(capsys, "recommend", workload, "--trace", arrivals(tmp_path, 3_000))[0] == 0


def test_what_is_assumed_about_a_recording_is_told_beside_an_answer_that_does_not_hold_it(capsys, workload, tmp_path):
    status, out, err = run(capsys, "recommend", workload, "--json", "--trace", arrivals(tmp_path, 3_000))
    assert status == 0
    assert json.loads(out)["verdict"]["option"]
    assert "note: The timestamps are read as seconds from the start of the recording." in err


HOSTILE = {
    "nothing": (b"", "is empty"),
    "no row": (b"timestamp\n", "holds a header and no row"),
    "text": (b"Dear reader,\nhow are you?\n", "must have a header"),
    "binary": (bytes(range(256)) * 9, "is not"),
    "a negative time": (b"timestamp\n5\n-3\n", "a timestamp must be"),
    "no number": (b"timestamp\n5\nnan\n", "a timestamp must be"),
    "an infinite count": (b"timestamp,count\n5,inf\n", "a count must be"),
    "a billion a second": (b"timestamp,count\n5,1e9\n6,1e10\n", "must have at most"),
    "more than there are numbers for": (b"timestamp,count\n5,1e300\n", "must have at most"),
    "a wrong unit": (b"timestamp\n5\n1700000000\n", "must span at most five years"),
    "numbers and dates": (b"timestamp\n5\n2024-01-01T00:00:00Z\n", "must write every timestamp as a number"),
}


@pytest.mark.parametrize("command", ["simulate", "recommend"])
@pytest.mark.parametrize("case", HOSTILE)
def test_a_recording_that_can_t_be_read_ends_in_a_message(capsys, workload, tmp_path, command, case):
    content, message = HOSTILE[case]
    (tmp_path / "hostile.csv").write_bytes(content)
    status, out, err = run(capsys, command, workload, *COMMANDS[command], "--trace", str(tmp_path / "hostile.csv"))
    assert (status, out) == (2, "")
    assert message in err
    assert "hostile.csv" in err


def test_less_than_a_request_can_t_be_played_but_judged_by_formulas(capsys, workload, tmp_path):
    (tmp_path / "little.csv").write_text("count\n0.1\n0.2\n")
    trace = ("--trace", str(tmp_path / "little.csv"))
    assert run(capsys, "bill", workload, *COMMANDS["bill"], *trace)[0] == 0
    status, _, err = run(capsys, "simulate", workload, *COMMANDS["simulate"], *trace)
    assert status == 2
    assert "holds no whole request to play: the counts sum to 0.3 @ little.csv" in err


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("content", "note"),
    [
        (b"timestamp\n1700000000.5\n", "The recording is 0.017 h long; the month is taken to be like it."),
        (b"timestamp\n90\n5\n30\n", "Rows earlier than the row before: 1; they were put in order."),
        (b"timestamp\n2024-01-01T00:00:00Z\n2024-01-01T00:00:00\n", "Timestamps without a time zone: 1 of 2; UTC"),
    ],
)
def test_an_odd_recording_is_taken_for_what_it_is_and_the_answer_says_so(
    capsys, workload, tmp_path, command, content, note
):
    (tmp_path / "odd.csv").write_bytes(content)
    status, out, err = run(capsys, command, workload, *COMMANDS[command], "--trace", str(tmp_path / "odd.csv"))
    assert status == 0
    assert note in out + err


def started(workload: str, *arguments: str, **streams: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "fitness", "simulate", workload, "--option", "real_time", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, **streams)


def test_progress_shows_on_a_terminal_and_the_answer_goes_to_the_pipe(workload):
    ours, theirs = pty.openpty()
    with started(workload, "--requests", "2000", "--json", stderr=theirs) as process:
        out, _ = process.communicate(timeout=120)
        os.close(theirs)
        seen = os.read(ours, 100_000)
    os.close(ours)
    assert process.returncode == 0
    assert json.loads(out)["option"] == "real_time"
    assert b"playing requests: 0%" in seen
    assert b"playing requests: 100%" in seen
    assert seen.endswith(b"\r\x1b[K")


def test_the_interrupt_key_ends_a_command_with_one_line(workload, tmp_path):
    os.mkfifo(tmp_path / "endless.csv")
    process = started(str(tmp_path / "endless.csv"), stderr=subprocess.PIPE)
    with process, (tmp_path / "endless.csv").open("wb"):  # opened at both ends: the command waits for its document
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (out, err) == (b"", b"stopped\n")
