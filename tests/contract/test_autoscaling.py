"""The calls of a scaling policy against the service models that boto3 itself checks requests with."""

import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import botocore.session
import pytest
from botocore.validate import ParamValidator

from fitness.simulation.autoscaling import Target, calls, configuration, script
from fitness.simulation.rules import Action, Backlog, Fixed, Scheduled, Step, StepScaling, TargetTracking, ToZero
from tests.scaling import STEPS

SESSION = botocore.session.get_session()
TRACKING = TargetTracking(target_per_minute=1234.567, minimum=2, maximum=9, scale_in_cooldown_s=900)
POLICIES = {
    "fixed": Fixed(instances=3),
    "tracking": TRACKING,
    "out only": TargetTracking(target_per_minute=5, minimum=1, maximum=2, scales_in=False),
    "step": STEPS,
    "step on the backlog": replace(STEPS, watches_backlog=True, minimum=0),
    "step out only": StepScaling(
        out_above=6, in_below=0, steps_out=(Step(distance=0, change=1),), steps_in=(), minimum=1, maximum=2
    ),
    "backlog": Backlog(target_per_instance=5, minimum=1, maximum=4),
    "backlog from zero": Backlog(target_per_instance=5, minimum=0, maximum=4),
    "to zero": ToZero(target_per_minute=60, maximum=4),
    "scheduled": Scheduled(
        base=TRACKING,
        actions=tuple(
            Action(minute_of_week=day * 1440 + minute, minimum=low, maximum=9)
            for day in range(5)
            for minute, low in ((8 * 60 + 53, 6), (18 * 60, 2))
        ),
    ),
}


def target(name):
    return Target(endpoint="my-endpoint", is_component=name == "to zero")


def problems(service, operation, parameters):
    """What botocore would refuse, its enumerations too, which it leaves to the service."""
    model = SESSION.get_service_model(service)
    shape = model.operation_model("".join(part.title() for part in operation.split("_"))).input_shape
    report = ParamValidator().validate(parameters, shape)
    return [report.generate_report()] * report.has_errors() + list(strays(parameters, shape))


def strays(value, shape):
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from strays(member, shape.members[name])
    elif shape.type_name == "list":
        for member in value:
            yield from strays(member, shape.member)
    elif getattr(shape, "enum", []) and value not in shape.enum:
        yield f"{value} is none of {shape.enum}"


@pytest.mark.parametrize("name", POLICIES)
def test_every_call_has_the_shape_of_the_api(name):
    for one in calls(POLICIES[name], target(name)):
        assert problems(one.service, one.operation, dict(one.parameters)) == []


def test_a_wrong_shape_is_seen():
    (first, *_) = calls(TRACKING, target("tracking"))
    wrong = {**first.parameters, "MinCapacity": "1", "ServiceNamespace": "sage"}
    assert len(problems(first.service, first.operation, wrong)) == 2


@pytest.mark.parametrize("name", POLICIES)
def test_the_script_makes_these_calls_and_gives_each_alarm_its_policy(name, monkeypatch):
    made = []

    def client(service):
        def method(operation):
            def call(**parameters):
                made.append((service, operation, parameters))
                return {"PolicyARN": f"arn:{parameters.get('PolicyName')}"}

            return call

        return type("Client", (), {"__getattr__": lambda _, operation: method(operation)})()

    monkeypatch.setitem(sys.modules, "boto3", SimpleNamespace(client=client))
    exec(compile(script(POLICIES[name], target(name)), "script", "exec"), {})  # noqa: S102 it is ours
    expected = [
        (
            one.service,
            one.operation,
            {**one.parameters, **({"AlarmActions": [f"arn:{one.alarm_of}"]} if one.alarm_of else {})},
        )
        for one in calls(POLICIES[name], target(name))
    ]
    assert made == expected
    assert all(problems(*one) == [] for one in made)


@pytest.mark.parametrize("name", POLICIES)
def test_the_document_is_json_and_holds_every_call(name):
    document = json.loads(json.dumps(configuration(POLICIES[name], target(name))))
    assert sum(len(listed) for listed in document.values()) == len(calls(POLICIES[name], target(name)))
