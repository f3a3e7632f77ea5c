"""What the command line does with the transform jobs of batch launches: start them and wait for them."""

import time
from typing import Final

from fitness.cli import price_cache
from fitness.errors import InputError, Problem
from fitness.prices import load_book
from launch import jobs, showing
from launch.errors import FailedError
from launch.launched import Launched
from launch.stacks import Stacks
from launch.terminal import Terminal, note

_PAUSE_S: Final = 1.0
# What a request to an endpoint takes, and a job does not.
_OF_REQUESTS: Final = ("body", "accept", "target_model", "target_container", "variant")


def first_run(terminal: Terminal, stacks: Stacks, launched: Launched) -> None:
    """Wait for the job that a launch begins with, which starts unless it was started. Raises: FailedError."""
    if job := stacks.start_job(launched):
        _wait(terminal, launched.name, job)


def run_again(terminal: Terminal, name: str) -> None:
    """Run the job of a batch launch once more, after a person has confirmed its price, and wait for it.

    Raises: FailedError, RefusedError, InputError for arguments that are of requests.
    """
    wrong = [f"--{one.replace('_', '-')}" for one in _OF_REQUESTS if getattr(terminal.args, one) is not None]
    if wrong:
        reason = f"is of requests to endpoints; {name} is a batch launch, whose job reads its data from S3"
        raise InputError([Problem(path=one, message=reason) for one in wrong])
    stacks, book = terminal.stacks(), load_book(price_cache())
    run = stacks.preview_run(name, book=book)
    price = run.price
    note(showing.further_run_text(run))
    confirmation = terminal.confirmation(
        f"run {name} once more", token=run.token, usd_per_hour=price.usd_per_hour, when=price.when
    )
    _wait(terminal, name, stacks.run_again(name, confirmation, book=book))


def _wait(terminal: Terminal, name: str, job: str) -> None:
    clients = terminal.clients()
    note(f"Its transform job is {job}.")
    with terminal.doing(f"The transform job {job} goes on; `python -m launch down {name}` stops it."):
        while (found := jobs.look(clients, job)).is_running:
            time.sleep(_PAUSE_S)
    if found.status != "Completed":
        raise FailedError(f"the transform job {job} is {found.status}: {found.reason or 'no reason given'}")
    note(f"The transform job {job} is done; its results are under {found.output_s3}.")
