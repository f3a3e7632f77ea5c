"""What a person confirms of a batch launch: the hour of the job that starts, and never an hour in which none runs."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache

import pytest

from fitness.prices import PriceBook, load_book
from launch import showing
from launch.export import as_script
from launch.launched import Launched, launched_of, with_details
from launch.plan import Plan, plan
from launch.price import Hourly, When
from launch.proposals import Proposal, job_change, starts_job, tags_of
from launch.request import Model, Request
from launch.runs import FurtherRun
from tests.launch_requests import REQUESTS, container, variations

BATCH = REQUESTS["batch"]  # two instances of ml.m5.large at 0.115 USD an hour each
SCHEDULED = variations()["batch-scheduled"]
LARGER = replace(BATCH, configuration={"instance_type": "ml.m5.xlarge", "instances": 2})
JOB_HOUR = Hourly(when=When.JOB, usd_per_hour=Decimal("0.23"))


@cache
def book() -> PriceBook:
    return load_book()


def planned(one: Request) -> Plan:
    return plan(one, book=book())


def stack(one: Request, *, job: str | None = "c") -> Launched:
    """The launch that a request has made."""
    tags = tags_of(planned(one), by="ada", expires=None, job=job)
    made = {
        "StackId": "arn:aws:cloudformation:us-east-1:000000000000:stack/batch/1",
        "StackName": one.name,
        "StackStatus": "CREATE_COMPLETE",
        "CreationTime": datetime(2026, 11, 21, tzinfo=UTC),
        "Tags": tags,
    }
    return with_details(launched_of(made), (), one)


def proposal(one: Request, before: Launched | None = None) -> Proposal:
    found = planned(one)
    return Proposal(
        plan=found,
        kind="CREATE" if before is None else "UPDATE",
        stack_id="s",
        change_set_id="c",
        changes=(),
        before=before,
        starts_job=starts_job(found, before),
        by="ada",
        expires=None,
    )


def test_a_job_is_confirmed_by_the_hour_of_all_its_instances_and_not_by_an_idle_one():
    found = planned(BATCH)
    assert found.to_confirm == JOB_HOUR
    assert (found.usd_per_hour, found.while_idle.when) == (0, When.IDLE)
    assert (found.tags["hostfit:usd-per-hour"], found.tags["hostfit:usd-per-job-hour"]) == ("0.00", "0.23")


def test_scheduled_jobs_are_confirmed_by_the_hour_of_a_job():
    found = planned(SCHEDULED).to_confirm
    assert found.when is When.SCHEDULED
    assert found.usd_per_hour > 0


@pytest.mark.parametrize("option", sorted(REQUESTS.keys() - {"batch"}))
def test_what_runs_all_the_time_is_confirmed_by_its_idle_hour(option):
    found = planned(REQUESTS[option])
    assert found.to_confirm == found.while_idle
    assert "hostfit:usd-per-job-hour" not in found.tags


def test_a_job_without_a_known_price_says_so_like_anything_else():
    found = plan(BATCH, book=PriceBook({}))
    assert found.to_confirm == Hourly(when=When.JOB, usd_per_hour=Decimal(0), unpriced=("batch_transform/ml.m5.large",))
    assert found.to_confirm.known is None
    assert "hostfit:usd-per-job-hour" not in found.tags
    told = (
        "unknown: no price is known for batch_transform/ml.m5.large; the rest is 0.00 USD per hour while its job runs"
    )
    assert f"To confirm     {told}" in showing.plan_text(found)
    asked = Proposal(
        plan=found, kind="CREATE", stack_id="s", change_set_id="c", changes=(), before=None, starts_job=True, by="ada", expires=None,
    )  # fmt: skip
    assert f"Price: {told}." in showing.proposal_text(asked)
    assert asked.usd_per_hour_difference is None
    assert showing.plan_dict(found)["most_usd_per_hour"] is None


def test_a_new_launch_confirms_the_job_that_it_starts():
    asked = proposal(BATCH)
    assert (asked.price, asked.usd_per_hour_difference) == (JOB_HOUR, JOB_HOUR.usd_per_hour)
    assert showing.proposal_text(asked).splitlines()[-2:] == [
        "Price: 0.23 USD per hour while its job runs.",
        "Its job starts at once and is paid until it ends.",
    ]


def test_a_scheduled_launch_says_when_its_jobs_start():
    shown = showing.proposal_text(proposal(SCHEDULED)).splitlines()
    assert shown[-2].endswith(" USD per hour while a job of its schedule runs.")
    assert shown[-1] == f"A job starts at every time of {SCHEDULED.transform.schedule} (UTC) and is paid until it ends."


def test_a_change_of_the_job_starts_another_and_is_compared_with_the_job_before():
    asked = proposal(LARGER, stack(BATCH))
    assert (asked.price.usd_per_hour, asked.usd_per_hour_before) == (Decimal("0.46"), Decimal("0.23"))
    assert "0.46 USD per hour while its job runs; before 0.23 USD, difference +0.23 USD" in showing.proposal_text(asked)
    assert job_change(planned(LARGER), stack(BATCH), "d") == "d"


@pytest.mark.parametrize(
    "change",
    [{"time_to_live_h": 8.0}, {"tags": {"team": "flowers"}}, {"models": (Model(source="sample:iris"),)}],
    ids=lambda change: next(iter(change)),
)
def test_a_change_that_leaves_the_job_as_it_is_starts_none_and_confirms_an_idle_hour(change):
    asked = proposal(replace(BATCH, **change), stack(BATCH))
    assert not asked.starts_job
    assert job_change(asked.plan, asked.before, "d") == "c"
    assert asked.price == Hourly(when=When.IDLE, usd_per_hour=Decimal("0.0000"))
    assert (asked.usd_per_hour_before, asked.usd_per_hour_difference) == (0, 0)
    assert showing.proposal_text(asked).endswith("No job starts: the one of this launch was started before.")


@pytest.mark.parametrize(
    ("one", "before"),
    [
        (replace(BATCH, containers=(container("other"),)), stack(BATCH)),
        (replace(BATCH, transform=replace(BATCH.transform, input_s3="s3://records/new/")), stack(BATCH)),
        (BATCH, stack(SCHEDULED, job=None)),
        (BATCH, stack(BATCH, job=None)),
        (BATCH, replace(stack(BATCH), request=None)),
    ],
    ids=["model", "data", "was scheduled", "none was started", "made by hand"],
)
def test_what_may_be_another_job_is_confirmed_as_one(one, before):
    assert proposal(one, before).price == JOB_HOUR


def test_only_a_launch_that_runs_a_job_now_starts_one():
    assert not starts_job(planned(SCHEDULED), stack(BATCH))
    assert not starts_job(planned(REQUESTS["real_time"]), None)
    assert job_change(planned(SCHEDULED), stack(BATCH), "d") is None
    assert proposal(SCHEDULED, stack(SCHEDULED, job=None)).price.when is When.SCHEDULED


def test_an_endpoint_that_becomes_a_job_has_no_price_before():
    endpoint = replace(REQUESTS["real_time"], name="batch")
    asked = proposal(BATCH, stack(endpoint, job=None))
    assert (asked.price, asked.usd_per_hour_before, asked.usd_per_hour_difference) == (JOB_HOUR, None, None)


def test_the_origin_of_a_job_is_a_change_of_one_stack():
    first, again = stack(BATCH), replace(stack(BATCH), stack_id="another")
    assert first.job_origin == f"{first.stack_id} c"
    assert len({first.job_origin, again.job_origin, stack(BATCH, job="d").job_origin}) == 3
    assert stack(BATCH, job=None).job_origin is None


def test_the_price_to_confirm_is_in_the_plan_of_a_person_and_of_a_script():
    found = planned(BATCH)
    (line,) = found.hour.lines
    assert line.note == "2 x 1 h"
    assert line.name in showing.plan_text(found)
    assert "\nTo confirm     0.23 USD per hour while its job runs\n" in showing.plan_text(found)
    assert showing.plan_dict(found)["to_confirm"] == {
        "usd_per_hour": "0.23",
        "when": "while its job runs",
        "unpriced": (),
        "bill": found.hour.as_dict(),
    }
    assert "makes it: 0.2300 USD an hour while its job runs\n" in as_script(found)


def test_what_runs_shows_both_of_its_prices():
    shown = stack(BATCH)
    assert "price of a job          0.23 USD per hour" in showing.launched_text(shown, shown.created)
    assert showing.launched_dict(shown)["usd_per_job_hour"] == "0.23"
    endpoint = stack(REQUESTS["real_time"], job=None)
    assert "price of a job" not in showing.launched_text(endpoint, endpoint.created)
    assert showing.launched_dict(endpoint)["usd_per_job_hour"] is None


def test_a_further_run_is_shown_with_its_price_and_another_one_has_another_token():
    run = FurtherRun(name="batch", stack_id="s", job="batch-1-2", price=JOB_HOUR)
    assert showing.further_run_text(run).splitlines() == [
        "batch-1-2 reads the input of batch again.",
        "Price: 0.23 USD per hour while its job runs; it is paid until it ends.",
    ]
    others = [run, replace(run, job="batch-1-3"), replace(run, stack_id="t")]
    assert len({one.token for one in others}) == len(others)
