"""The plan of a launch: what will be made, what it costs, what it takes and what can't be undone.

A plan is a value; `launch.stacks` makes it real, and only with a `Confirmation` that matches it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from fitness.bill import Bill
from launch.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedResource:
    """One resource of the template."""

    logical_id: str
    type: str  # "AWS::SageMaker::Endpoint"
    name: str | None  # None: CloudFormation gives it one
    about: str  # what it is for, in one sentence
    is_billed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What the person who launches must be allowed to do."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A request with all that a person wants to know before confirming it."""

    request: Request
    template: Mapping[str, object]
    parameters: Mapping[str, str]
    tags: Mapping[str, str]  # of the stack, which passes them on
    resources: tuple[PlannedResource, ...]
    idle: Bill  # an hour in which nothing is asked
    month: Bill | None  # with the workload's traffic; None without a workload
    usd_per_hour: Decimal  # the idle hour: what a person confirms
    most_usd_per_hour: Decimal  # with as many instances as scaling may start
    usd_per_1k_requests: Decimal | None  # where requests are paid one by one; None elsewhere or without a workload
    permissions: tuple[Permission, ...]
    irreversible: tuple[str, ...]
    notes: tuple[str, ...]
    token: str  # of what will be made: equal plans have equal tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """That a person has seen a plan and its price; nothing starts, changes or ends without one that matches."""

    token: str
    usd_per_hour: Decimal
    by: str
