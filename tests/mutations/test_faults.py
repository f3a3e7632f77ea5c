"""Each planted fault is noticed by a test."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutations.faults import FAULTS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def outcomes():
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutations"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=280
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == len(FAULTS) + 1, done.stderr
    return {line["fault"]: line["outcome"] for line in lines}


def test_every_planted_fault_is_noticed_and_nothing_fails_without_one(outcomes):
    assert {name: outcome for name, outcome in outcomes.items() if outcome != "caught"} == {}
