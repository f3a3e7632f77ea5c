"""Plans made by hand over small templates, and clients that fail where a test says."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from fitness.bill import Bill
from launch.plan import Confirmation, Plan
from launch.price import Hourly, When
from launch.request import Model, Request, as_document
from launch.stacks import Stacks
from sandbox.settings import ACCESS_KEY, REGION, SECRET_KEY
from tests.hosting import ECR
from tests.sandboxed import Sandbox
from tests.stack_templates import ON_INSTANCES, Resources, option, resource

PRICE = Decimal("0.115")


def topic(text: str = "news") -> Resources:
    """The smallest launch: a topic."""
    return {"News": resource("SNS::Topic", DisplayName=text)}


def hosted(archive: str, **environment: str) -> Resources:
    """A real endpoint with an alarm beside it."""
    container = {
        "Image": f"{ECR}/sagemaker-scikit-learn:1.4-2-cpu-py3", "ModelDataUrl": archive, "Environment": environment
    }  # fmt: skip
    alarm = resource(
        "CloudWatch::Alarm", Namespace="AWS/SageMaker", MetricName="ModelLatency", Statistic="Average", Period="60",
        EvaluationPeriods=1, Threshold="500000", ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    return {**option({"PrimaryContainer": container}, ON_INSTANCES), "Slow": alarm}


def plan_of(name: str, resources: Resources, *, usd_per_hour: Decimal = PRICE, **members: Any) -> Plan:
    """Give a plan of a template's resources."""
    request = Request(
        name=name,
        option="real_time",
        region=REGION,
        configuration={"instance_type": "ml.m5.large"},
        models=(Model(source="sample:iris"),),
        **members,
    )
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Metadata": {"hostfit": {"request": json.dumps(as_document(request))}},
        "Resources": resources,
    }
    token = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()
    return Plan(
        request=request,
        template=template,
        parameters={},
        tags={
            "hostfit:launch": name,
            "hostfit:option": "real_time",
            "hostfit:token": token,
            "hostfit:usd-per-hour": str(usd_per_hour),
        },
        resources=(),
        idle=Bill(lines=(), region=REGION),
        month=None,
        usd_per_hour=usd_per_hour,
        hour=Bill(lines=(), region=REGION),
        to_confirm=Hourly(when=When.IDLE, usd_per_hour=usd_per_hour),
        most_usd_per_hour=usd_per_hour,
        usd_per_1k_requests=None,
        permissions=(),
        irreversible=(),
        notes=(),
        token=token,
    )


def confirmed(plan: Plan, by: str = "ada") -> Confirmation:
    """Confirm a plan."""
    return Confirmation(token=plan.token, usd_per_hour=plan.to_confirm.usd_per_hour, by=by)


def launch(stacks: Stacks, plan: Plan) -> Any:
    """Propose, confirm and follow a plan; gives the launch then."""
    proposal = stacks.propose(plan, by="ada")
    stacks.execute(proposal, confirmed(plan))
    return stacks.follow(plan.request.name, change_set_id=proposal.change_set_id)


def end(stacks: Stacks, name: str) -> None:
    """Remove a launch, whatever state it is in; nothing happens if there is none."""
    removal = stacks.preview_removal(name)
    if removal is not None:
        confirmation = Confirmation(token=removal.token, usd_per_hour=removal.usd_per_hour, by="ada")
        stacks.remove(name, confirmation)
        assert stacks.follow(removal.stack_id).status == "DELETE_COMPLETE"


def soon(_seconds: float) -> None:
    """Wait as little as the sandbox needs."""
    time.sleep(0.02)


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Faulty:
    """Clients of a sandbox that count the calls and let one of them fail.

    `fault` is called with the name of the operation, before ("before") or after ("after") the call has its effect;
    what it raises is raised, and an error code that it gives is answered.
    """

    sandbox: Sandbox
    calls: list[str] = field(default_factory=list)
    fault: Callable[[str, int], str | None] | None = None
    _clients: dict[str, Any] = field(default_factory=dict)

    def __call__(self, service: str) -> Any:
        if service not in self._clients:
            client = boto3.session.Session().client(
                service,
                region_name=REGION,
                endpoint_url=self.sandbox.url,
                aws_access_key_id=ACCESS_KEY,
                aws_secret_access_key=SECRET_KEY,
                config=Config(retries={"total_max_attempts": 1}),
            )
            client.meta.events.register_first("before-call.*", self._before)
            client.meta.events.register("after-call.*", self._after)
            self._clients[service] = client
        return self._clients[service]

    def _before(self, model: Any, **_: Any) -> Any:
        self.calls.append(model.name)
        code = self.fault("before", len(self.calls) - 1) if self.fault else None
        if code is None:
            return None
        answer = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}
        return SimpleNamespace(status_code=400), answer

    def _after(self, **_: Any) -> None:
        if self.fault:
            self.fault("after", len(self.calls) - 1)


def failing(kind: str, at: int) -> Callable[[str, int], str | None]:
    """Give a fault at one call: an error's code, or "timeout" or "kill" with "before" or "after"."""
    word, _, when = kind.partition(" ")

    def fault(moment: str, index: int) -> str | None:
        if index != at or moment != (when or "before"):
            return None
        if word == "kill":
            raise Killed
        if word == "timeout":
            raise ReadTimeoutError(endpoint_url="http://127.0.0.1")
        return word

    return fault
