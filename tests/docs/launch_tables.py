"""The tables of docs/launch, made from the plans of every option.

`python -m tests.docs.launch_tables` rewrites them between their markers.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache

from fitness.bill import Bill, plain
from fitness.prices import load_book
from launch.plan import Plan, plan
from launch.request import OPTIONS_TO_LAUNCH
from launch.roles import UNNAMED
from launch.settings import KNOWN
from tests.docs.limit_tables import DOCS
from tests.docs.limit_tables import _span as span
from tests.launch_requests import variations

HERE = DOCS / "launch"
# What brings a resource that not every launch of the option has.
WHEN: Mapping[str, str] = {
    "AlarmEmail": "`alarms.email`",
    "AlarmTopic": "`alarms.email`",
    "AlarmTopicPolicy": "`alarms.email`",
    "Component": "`min_instances` 0, or `inference_components`",
    "ErrorAlarm": "`alarms.errors_per_minute`, or an `update` that alarms take back",
    "LatencyAlarm": "`alarms.latency_p99_ms`",
    "ScaleInAlarm": "`policy.step`",
    "ScaleInPolicy": "`policy.step`",
    "ScaleOutAlarm": "`policy.step`",
    "ScaleOutPolicy": "`policy.step`",
    "Scaling": "`max_instances` above `min_instances`, or `policy.schedule`",
    "ScalingPolicy": "a target, where instances scale",
    "Schedule": "`transform.schedule`",
    "ScheduleRole": "`transform.schedule`",
    "WakeAlarm": "`min_instances` 0",
    "WakePolicy": "`min_instances` 0",
}
# The names of the examples -> what stands for any.
PLACES: Mapping[str, str] = {
    r"\$\{AWS::Partition\}": "aws",
    r"\$\{AWS::Region\}|us-east-1": "REGION",
    r"\$\{AWS::AccountId\}|\{account\}|111122223333": "ACCOUNT",
    r"repository/[\w-]+": "repository/IMAGE",
    r"ecr:REGION:\d{12}": "ecr:REGION:REGISTRY",
    r":::models/[\w.-]+(/model.tar.gz|/\*)": r":::BUCKET/MODEL\1",
    r":::models$": ":::BUCKET",
    r":::(records|answers)/\w+": ":::BUCKET/PREFIX",
    r":::(records|answers)$": ":::BUCKET",
    r"key/[\w-]+": "key/KEY",
    r"subnet/[\w-]+": "subnet/SUBNET",
    r"security-group/[\w-]+": "security-group/GROUP",
    r"/capture/\w+": "/capture/PREFIX",
}
CENTS = Decimal("0.0001")


@cache
def plans() -> Mapping[str, Plan]:
    """The plan of every variation, under one name."""
    return {kind: plan(replace(one, name="NAME"), book=load_book()) for kind, one in variations().items()}


def of_option(option: str) -> list[Plan]:
    return [found for found in plans().values() if found.request.option == option]


def resource_table(option: str) -> str:
    """What a launch of the option makes."""
    found = of_option(option)
    rows = ["| resource | type | for | made with |", "|---|---|---|---|"]
    # Those of further variants are the same under names of their own, which the page says.
    seen = {one.logical_id: one for plan_ in found for one in plan_.resources if "Of" not in one.logical_id}
    for name, one in seen.items():
        is_always = all(name in plan_.template["Resources"] for plan_ in found)  # type: ignore[operator]
        kind = one.type.removeprefix("AWS::")
        rows.append(f"| `{name}` | {kind} | {one.about} | {'always' if is_always else WHEN[name]} |")
    return "\n".join(rows)


def price_table(option: str) -> str:
    """The example's idle hour, line by line, and the most that an hour may cost."""
    found = plans()[option]
    settings = ", ".join(f"`{name}` {value}" for name, value in found.request.configuration.items())
    rows = [f"Example, {found.request.region}, with {settings}:", "", "| an hour | quantity | USD |", "|---|---|---|"]
    rows += _lines(found.idle)
    rows.append(f"| **while nobody asks** | | **{plain(found.usd_per_hour, places=2)}** |")
    if found.to_confirm.is_of_job:
        rows += _lines(found.hour)
        confirmed = plain(found.to_confirm.usd_per_hour, places=2)
        rows.append(f"| **{found.to_confirm.when}, which is confirmed** | | **{confirmed}** |")
    else:
        rows.append(f"| at most | | {plain(found.most_usd_per_hour, places=2)} |")
    return "\n".join(rows)


def _lines(bill: Bill) -> list[str]:
    return [
        f"| {line.name} | {line.note} | {plain((line.usd or Decimal(0)).quantize(CENTS), places=2)} |"
        for line in bill.lines
    ]


def settings_list(option: str) -> str:
    """The settings that the option's configuration may have."""
    return ", ".join(f"`{name}`" for name in sorted(KNOWN[option]))


def permission_table() -> str:
    """What the person who launches needs, over all options."""
    rows = ["| why | actions | resources |", "|---|---|---|"]
    seen: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for found in plans().values():
        for one in found.permissions:
            actions, resources = seen.setdefault(one.why, ({}, {}))
            actions.update(dict.fromkeys(one.actions))
            resources.update(dict.fromkeys(_short(name) for name in one.resources))
    for why, (actions, resources) in seen.items():
        rows.append(f"| {why} | {_code(sorted(actions))} | {_code(resources)} |")
    return "\n".join(rows)


def role_table() -> str:
    """What the containers' role may do, over all options."""
    rows = ["| statement | actions | resources |", "|---|---|---|"]
    seen: dict[tuple[str, tuple[str, ...]], dict[str, None]] = {}
    for found in plans().values():
        for one in _roles(found.template):
            key = (str(one["Sid"]).rstrip("12"), tuple(one["Action"]))
            seen.setdefault(key, {}).update(dict.fromkeys(map(_resource, one["Resource"])))
    for (sid, actions), resources in seen.items():
        rows.append(f"| {sid} | {_code(actions)} | {_code(resources)} |")
    return "\n".join(rows)


def unnamed_table() -> str:
    """The actions that have no resource."""
    return "\n".join(f"- `{action}`: {reason}." for action, reason in UNNAMED.items())


def _roles(template: Mapping[str, object]) -> list[dict[str, list[object]]]:
    resources = template["Resources"]
    assert isinstance(resources, dict)
    return [
        statement
        for one in resources.values()
        if one["Type"] == "AWS::IAM::Role"
        for policy in one["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def _resource(value: object) -> str:
    if isinstance(value, str):
        return _short(value)
    assert isinstance(value, dict)
    if "Ref" in value:
        return str(value["Ref"])
    text = value["Fn::Sub"]
    return _short(text if isinstance(text, str) else text[0].replace("${Path}", "BUCKET/MODEL"))


def _short(arn: str) -> str:
    """An ARN with what differs between launches in capitals."""
    for pattern, name in PLACES.items():
        arn = re.sub(pattern, name, arn)
    return arn


def _code(values: Iterable[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def tables() -> dict[str, dict[str, str]]:
    """Each generated table by its document and marker."""
    found = {
        f"{option}.md": {
            "resources": resource_table(option),
            "price": price_table(option),
            "settings": settings_list(option),
        }
        for option in OPTIONS_TO_LAUNCH
    }
    found["account.md"] = {"permissions": permission_table(), "role": role_table(), "unnamed": unnamed_table()}
    return found


def rewrite() -> None:
    """Put today's tables into the documents."""
    for name, some in tables().items():
        path = HERE / name
        text = path.read_text(encoding="utf-8")
        for marker, table in some.items():
            text = span(marker).sub(lambda found, new=table: f"{found['start']}{new}{found['end']}", text)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    rewrite()
