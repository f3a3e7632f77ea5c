"""Every command, setting, switch and sample of the sandbox is in its page."""

import re
from pathlib import Path

import pytest

from sandbox import __main__ as commands
from sandbox import settings
from sandbox.faults import Fault
from sandbox.services.sagemaker import fleets

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", re.findall(r'add_parser\("(\w+)"', Path(commands.__file__).read_text("utf-8")))
def test_every_command_is_shown(command):
    assert re.search(rf"python -m sandbox {command}\b", PAGE)


@pytest.mark.parametrize("fault", Fault)
def test_every_switch_is_described(fault):
    assert f"| `{fault}` |" in PAGE


def test_every_variable_is_described():
    read = set(re.findall(r'"(HOSTFIT_SANDBOX_\w+)"', Path(settings.__file__).read_text("utf-8")))
    assert len(read) == 4
    assert [name for name in sorted(read | {fleets.IDLE_VARIABLE}) if f"`{name}`" not in PAGE] == []


def test_every_sample_is_described():
    keys = re.findall(r'key=f?"([^"{]+)', (ROOT / "sandbox" / "samples" / "training.py").read_text("utf-8"))
    assert len(keys) == 5
    assert [key for key in keys if f"`{key}" not in PAGE] == []
