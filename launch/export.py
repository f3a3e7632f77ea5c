"""What an architect takes home: the template as YAML, its parameters, and a script that does the same with boto3."""

import json
from pprint import pformat
from typing import Any

import yaml

from fitness.options import OPTIONS
from launch.api_calls import WIDTH, Call, calls, services
from launch.plan import Plan
from launch.roles import job_prefix
from launch.template_parts import Json

_FAILED = ("Failed", "UpdateRollbackFailed", "Stopped")


def as_yaml(plan: Plan) -> str:
    """The template as YAML with the short forms of its functions."""
    head = f"# {OPTIONS[plan.request.option].title}, made by hostfit. Deploy it with the capability CAPABILITY_IAM.\n"
    return head + yaml.dump(plan.template, Dumper=_Dumper, sort_keys=False, width=WIDTH, allow_unicode=True)


def as_parameters(plan: Plan) -> str:
    """The parameters as `aws cloudformation` reads them from a file."""
    found = [{"ParameterKey": key, "ParameterValue": value} for key, value in plan.parameters.items()]
    return json.dumps(found, indent=1) + "\n"


def _price(plan: Plan) -> str:
    price = plan.to_confirm
    if price.unpriced:
        return f"A price an hour that is not known: there is none for {', '.join(price.unpriced)}"
    if price.is_of_job:
        return f"{price.usd_per_hour} USD an hour {price.when}"
    most = "an amount that is not known" if plan.most_usd_per_hour is None else plan.most_usd_per_hour
    return f"{plan.usd_per_hour} USD an hour while nobody asks, at most {most}"


def as_script(plan: Plan) -> str:
    """A Python script that makes the same with boto3, or removes it, without CloudFormation."""
    request = plan.request
    resources: Any = plan.template["Resources"]
    found = calls(request, resources)
    clients = "".join(f'{_client(one)} = boto3.client("{one}", region_name=REGION)\n' for one in services(found))
    return _SCRIPT.format(
        title=f"{OPTIONS[request.option].title} {request.name}",
        price=_price(plan),
        name=request.name,
        region=request.region,
        prefix=job_prefix(request),
        clients=clients,
        failed=_FAILED,
        make="".join(_written(one) for one in found.make),
        remove="".join(_written(one, is_gone=True) for one in found.remove),
    )


_SCRIPT = '''"""{title}, made by hostfit.

python {name}.py up      makes it: {price}
python {name}.py down    removes it
"""

import json
import re
import sys
import time

import boto3
from botocore.exceptions import ClientError

REGION = "{region}"
PARTITION = boto3.Session().get_partition_for_region(REGION)
ACCOUNT = boto3.client("sts", region_name=REGION).get_caller_identity()["Account"]
JOB = f"{prefix}{{int(time.time())}}"

{clients}

def make(call, **parameters):
    """Call; a new role takes some seconds until the other services know it."""
    for _ in range(20):
        try:
            return call(**parameters)
        except ClientError as err:
            if "role" not in str(err).lower() or err.response["Error"]["Code"] != "ValidationException":
                raise
            time.sleep(5)
    return call(**parameters)


def remove(call, **parameters):
    """Call; what is gone already is no error."""
    try:
        call(**parameters)
    except ClientError as err:
        if not is_gone(err):
            raise


def is_gone(err):
    """Whether the error says that there is no such thing."""
    return re.search("not ?found|could not find|nosuch|not exist|no [a-z ]+ found", str(err).lower()) is not None


def wait(describe, status, **parameters):
    """Wait until it is no longer in transition; what is gone has an end too."""
    while True:
        try:
            found = describe(**parameters)
        except ClientError as err:
            if is_gone(err):
                return
            raise
        if found[status] in {failed!r}:
            sys.exit(f"{{found[status]}}: {{found.get('FailureReason', '')}}")
        if found[status] in ("InService", "Completed"):
            return
        time.sleep(1)


def up():
{make}

def down():
{remove}

if __name__ == "__main__":
    {{"up": up, "down": down}}[sys.argv[1] if len(sys.argv) > 1 else "up"]()
'''


def _client(service: str) -> str:
    return service.replace("-", "_")


def _written(call: Call, *, is_gone: bool = False) -> str:
    client = _client(call.service)
    verb = "remove" if is_gone else "make"
    given = "".join(f"        {key}={_indented(value)},\n" for key, value in call.parameters.items())
    kept = f"{call.result} = " if call.result else ""
    end = f"[{call.key!r}]" if call.result else ""
    text = f"    {kept}{verb}(\n        {client}.{call.method},\n{given}    ){end}\n"
    if call.until is not None:
        method, parameters, status = call.until
        named = ", ".join(f"{key}={value!r}" for key, value in parameters.items())
        text += f"    wait({client}.{method}, {status!r}, {named})\n"
    return text


def _indented(value: object) -> str:
    return pformat(value, width=WIDTH, sort_dicts=False).replace("\n", "\n        ")


class _Dumper(yaml.SafeDumper):
    """YAML as people write it: short forms of functions, long texts as blocks, no aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 the base class asks for each value
        return True


def _mapping(dumper: yaml.SafeDumper, value: Json) -> yaml.Node:
    if len(value) == 1:
        (name, given), *_ = value.items()
        if name == "Ref":
            return dumper.represent_scalar("!Ref", given)
        if name == "Fn::GetAtt":
            return dumper.represent_scalar("!GetAtt", ".".join(given))
        if name.startswith("Fn::"):
            tag = f"!{name.removeprefix('Fn::')}"
            if isinstance(given, str):
                return dumper.represent_scalar(tag, given, style="|" if "\n" in given else None)
            return dumper.represent_sequence(tag, given)
    return dumper.represent_mapping("tag:yaml.org,2002:map", value.items())


_Dumper.add_representer(dict, _mapping)
