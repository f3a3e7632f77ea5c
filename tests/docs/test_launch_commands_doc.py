"""The page about the command line has every command, every state and every tag."""

import argparse
from pathlib import Path

from launch import launched
from launch.cli import _parser

PAGE = (Path(__file__).parents[2] / "docs" / "launch" / "commands.md").read_text("utf-8")


def test_every_command_has_its_line():
    (choices,) = [one.choices for one in _parser()._actions if isinstance(one, argparse._SubParsersAction)]
    told = [line.split("`")[1].split()[0] for line in PAGE.splitlines() if line.startswith("| `") and "`" in line[3:]]
    assert [one for one in told if one in choices] == list(choices)


def test_every_tag_is_told():
    tags = {value for name, value in vars(launched).items() if name.endswith("TAG")}
    assert len(tags) == 9
    assert {tag for tag in tags if f"`{tag}`" not in PAGE} == set()


def test_every_failed_state_has_a_way_out():
    states = {
        "ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED", "ROLLBACK_FAILED", "CREATE_FAILED",
        "UPDATE_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS",
    }  # fmt: skip
    assert {state for state in states if f"`{state}`" not in PAGE} == set()
