"""Which launches run a further job, and which refuse to: without one call of AWS."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from fitness.prices import PriceBook
from launch.errors import LaunchError, RefusedError
from launch.launched import Launched, launched_of, with_details
from launch.plan import Confirmation
from launch.runs import Running
from tests.launch_requests import REQUESTS, variations

BATCH = REQUESTS["batch"]


def launched(request, status: str = "CREATE_COMPLETE", **tags: str) -> Launched:
    stack = {
        "StackId": "arn:aws:cloudformation:us-east-1:000000000000:stack/batch/1",
        "StackName": "batch",
        "StackStatus": status,
        "CreationTime": datetime(2026, 11, 21, tzinfo=UTC),
        "Tags": [{"Key": f"hostfit:{key}", "Value": value} for key, value in tags.items()],
    }
    return with_details(launched_of(stack), (), request)


def unasked(service: str):
    pytest.fail(f"{service} is asked")


class Still(Running):
    """An account in which one launch is."""

    def __init__(self, found: Launched | None) -> None:
        super().__init__(unasked)
        self.found = found

    def look(self, _name: str) -> Launched | None:
        return self.found


@pytest.mark.parametrize(
    ("found", "error", "said"),
    [
        (None, LaunchError, "there is no launch called batch"),
        (launched(REQUESTS["real_time"]), LaunchError, "runs no jobs"),
        (launched(None), LaunchError, "runs no jobs"),
        (launched(variations()["batch-scheduled"]), RefusedError, "are started by its schedule"),
        (launched(BATCH, "UPDATE_IN_PROGRESS"), LaunchError, "is in UPDATE_IN_PROGRESS"),
    ],
    ids=["nothing", "endpoint", "made by hand", "scheduled", "under way"],
)
def test_what_can_not_run_a_further_job_says_why_and_starts_none(found, error, said):
    account, book = Still(found), PriceBook({})
    confirmation = Confirmation(token="t", usd_per_hour=Decimal(0), by="ada")  # noqa: S106 (of a run, not of a person)
    with pytest.raises(error, match=said):
        account.preview_run("batch", book=book)
    with pytest.raises(error, match=said):
        account.run_again("batch", confirmation, book=book)


def test_a_launch_that_asked_for_no_job_starts_none():
    assert Still(None).start_job(launched(BATCH, token="t")) is None  # noqa: S106 (of a plan, not of a person)


def test_a_job_that_can_not_be_told_from_the_launch_is_not_started():
    asked = launched(BATCH, token="t", job="c")  # noqa: S106 (as above)
    for lost in (replace(asked, request=None), replace(asked, token=None)):
        with pytest.raises(LaunchError, match="launch it again"):
            Still(None).start_job(lost)
