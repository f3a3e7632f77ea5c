"""The plan of a launch: what will be made, what it costs, what it takes and what can't be undone.

A plan is a value; `launch.stacks` makes it real, and only with a `Confirmation` that matches it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from fitness.bill import Bill, plain
from fitness.errors import InputError, Problem
from fitness.prices import PriceBook
from fitness.trace import Trace
from fitness.workload import Workload
from launch import price
from launch.checks import check
from launch.fleets import parameters
from launch.notes import BILLED, about, irreversible, notes
from launch.permissions import Permission, permissions
from launch.price import Hourly, When
from launch.request import Request
from launch.template import template
from launch.template_parts import Json, tags

__all__ = ["Confirmation", "Permission", "Plan", "PlannedResource", "plan", "token_of"]

MOST_BYTES = 51_200  # CloudFormation API reference, TemplateBody, read 2026-11-21


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedResource:
    """One resource of the template."""

    logical_id: str
    type: str  # "AWS::SageMaker::Endpoint"
    name: str | None  # None: CloudFormation gives it one
    about: str  # what it is for, in one sentence
    is_billed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A request with all that a person wants to know before confirming it."""

    request: Request
    template: Mapping[str, object]
    parameters: Mapping[str, str]
    tags: Mapping[str, str]  # of the stack, which passes them on
    resources: tuple[PlannedResource, ...]
    idle: Bill  # an hour in which nothing is asked
    month: Bill | None  # with the workload's traffic; None without a workload, or where it can't run so
    usd_per_hour: Decimal  # the idle hour
    hour: Bill  # of which the price is confirmed
    to_confirm: Hourly  # what a person confirms: the idle hour, or that of a job which the launch starts
    most_usd_per_hour: Decimal | None  # with all that may run at once; None where a part of it has no known price
    usd_per_1k_requests: Decimal | None  # of the workload's month, where requests are paid one by one
    permissions: tuple[Permission, ...]
    irreversible: tuple[str, ...]
    notes: tuple[str, ...]
    token: str  # of what will be made: equal plans have equal tokens

    @property
    def unpriced(self) -> tuple[str, ...]:
        """What is billed in an idle hour and has no known price: `usd_per_hour` leaves it out."""
        return self.idle.missing

    @property
    def while_idle(self) -> Hourly:
        """What a person confirms of a change that starts no job."""
        return Hourly(when=When.IDLE, usd_per_hour=self.usd_per_hour, unpriced=self.unpriced)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """That a person has seen a plan and its price; nothing starts, changes or ends without one that matches."""

    token: str
    usd_per_hour: Decimal
    by: str


def plan(request: Request, *, book: PriceBook, workload: Workload | None = None, trace: Trace | None = None) -> Plan:
    """The plan of a request whose models are resolved.

    With a workload the plan has the bill of its month, and what the workload demands is held against the request.
    Raises: InputError with everything that the option or the workload does not allow.
    """
    settings = check(request, workload)
    body = template(request)
    if len(json.dumps(body)) > MOST_BYTES:
        message = f"is too large: its template has more than {MOST_BYTES} bytes; shorten the environments"
        raise InputError([Problem(path="$", message=message)])
    resources = body["Resources"]
    idle, most = (bill(request, settings, resources, book) for bill in (price.idle, price.most))
    monthly = None
    if workload is not None:
        monthly = price.month(request, settings, workload, book=book, trace=trace)
    given = {name: one.model_data_url for name, one in parameters(request).items()}
    token = token_of(body, given)
    usd_per_hour, when = price.confirmed(idle), price.set_going(request)
    hour = idle if when is When.IDLE else most
    to_confirm = price.hourly(hour, when)
    # A part of the price is none: without the tag it reads as unknown.
    prices = {"hostfit:usd-per-hour": None if idle.missing else usd_per_hour}
    if to_confirm.is_of_job:
        prices["hostfit:usd-per-job-hour"] = to_confirm.known
    price_tags = {name: plain(usd, places=2) for name, usd in prices.items() if usd is not None}
    return Plan(
        request=request,
        template=body,
        parameters=given,
        tags={**tags(request), "hostfit:token": token, **price_tags},
        resources=tuple(_planned(request, name, one) for name, one in resources.items()),
        idle=idle,
        month=None if monthly is None else monthly.bill,
        usd_per_hour=usd_per_hour,
        hour=hour,
        to_confirm=to_confirm,
        most_usd_per_hour=None if most.missing else price.confirmed(most),
        usd_per_1k_requests=monthly.usd_per_1k_requests if monthly and price.is_paid_by_request(request) else None,
        permissions=permissions(request, resources),
        irreversible=irreversible(request),
        notes=notes(
            request,
            settings,
            bills=(idle, most),
            has_month=workload is None or monthly is not None,
            endpoints=max(settings.endpoints, 1 if monthly is None else monthly.endpoints),
        ),
        token=token,
    )


def token_of(body: Mapping[str, object], parameters: Mapping[str, str]) -> str:
    """A digest of what will be made: 64 hexadecimal digits.

    >>> token_of({"Resources": {}}, {})[:8]
    '327befc8'
    """
    canonical = json.dumps([body, parameters], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _planned(request: Request, name: str, one: Json) -> PlannedResource:
    found = one["Properties"]
    named = (
        found.get("EndpointName") if one["Type"] == "AWS::SageMaker::Endpoint" else found.get("InferenceComponentName")
    )
    return PlannedResource(
        logical_id=name, type=one["Type"], name=named, about=about(request, name), is_billed=one["Type"] in BILLED
    )
