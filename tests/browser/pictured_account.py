"""An account to take pictures of: a sandbox in which an endpoint runs and is asked."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fitness import presets, prices, verdict
from launch import invoke, models, plan, request
from launch.plan import Confirmation
from launch.request import Model
from launch.stacks import Stacks
from sandbox.settings import SAMPLES_BUCKET
from tests import sandboxed
from tests.hosting import keys

WORKLOAD = presets.load("card-fraud").replace({"constraints.vpc": None})
NAME = "card-fraud"
_REQUESTS = 240


@contextmanager
def account() -> Iterator[dict[str, str]]:
    """Give the environment of an account in which a real-time endpoint has just answered some requests."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        sandbox = sandboxed.start(Path(folder), samples=True)
        try:
            sandboxed.until(lambda: "index.json" in keys(sandbox.client("s3"), SAMPLES_BUCKET), within_s=180)
            _launch(sandbox)
            yield sandbox.running.environment
        finally:
            sandbox.stop()


def _launch(sandbox: sandboxed.Sandbox) -> None:
    book, stacks = prices.load_book(), Stacks(sandbox.client)
    best = verdict.recommend(WORKLOAD, book=book, draws=0).option("real_time")
    asked = request.from_verdict(WORKLOAD, best, name=NAME, models=[Model(source="sample:iris")])
    planned = plan.plan(models.resolve(asked, sandbox.client), book=book, workload=WORKLOAD)
    proposal = stacks.propose(planned, by="ada@example.org")
    stacks.execute(proposal, Confirmation(token=planned.token, usd_per_hour=planned.usd_per_hour, by="ada@example.org"))
    stacks.follow(NAME, change_set_id=proposal.change_set_id)
    for number in range(_REQUESTS):
        call = invoke.Call(body=f"{4.3 + number % 30 / 10},3.0,{1 + number % 50 / 10},1.2".encode())
        invoke.invoke(sandbox.client, NAME, call)
