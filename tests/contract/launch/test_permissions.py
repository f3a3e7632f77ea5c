"""Every call that a launch makes on AWS is among the permissions that its plan names."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import boto3
import pytest

from fitness.prices import load_book
from launch.api_calls import calls
from launch.plan import plan
from launch.template import template
from tests.launch_requests import REGION, variations

LAUNCH = Path(__file__).parents[3] / "launch"
SERVICES = (  # a method that two have is meant of the later
    "application-autoscaling", "cloudformation", "cloudwatch", "iam", "logs", "resourcegroupstaggingapi", "s3",
    "scheduler", "sns", "sts", "sagemaker", "sagemaker-runtime",
)  # fmt: skip
# Where IAM calls the action otherwise than the API (Service Authorization Reference).
NAMED = {
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}
FREE = {"sts:GetCallerIdentity"}  # needs no permission
NOT_CALLS = {"search"}  # a method of regular expressions too


@cache
def methods() -> dict[str, str]:
    """The action of each method of the clients."""
    found = {}
    for service in SERVICES:
        prefix = {"resourcegroupstaggingapi": "tag", "sagemaker-runtime": "sagemaker"}.get(service, service)
        names = boto3.client(service, region_name=REGION).meta.method_to_api_mapping
        for method, operation in names.items():
            action = f"{prefix}:{operation}"
            found[method] = NAMED.get(action, action)
    return found


@cache
def granted() -> set[str]:
    found = (plan(one, book=load_book()) for one in variations().values())
    return {action for one in found for permission in one.permissions for action in permission.actions}


def called(path: Path) -> Iterator[str]:
    """Name the methods of clients that a file uses, as attributes or as texts."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        name = node.attr if isinstance(node, ast.Attribute) else node.value if isinstance(node, ast.Constant) else None
        if isinstance(name, str) and name in methods() and name not in NOT_CALLS:
            yield name


@pytest.mark.parametrize("path", sorted(LAUNCH.glob("*.py")), ids=lambda path: path.stem)
def test_what_the_program_calls_is_granted(path: Path):
    assert {methods()[name] for name in called(path)} - granted() - FREE == set()


@pytest.mark.parametrize("kind", variations())
def test_what_a_template_makes_is_granted(kind: str):
    request = variations()[kind]
    permissions = plan(request, book=load_book()).permissions
    allowed = {action for one in permissions for action in one.actions}
    found = calls(request, template(request)["Resources"])
    assert {methods()[call.method] for call in (*found.make, *found.remove)} - allowed == set()


def test_the_guard_sees_calls():
    assert {"cloudformation:ExecuteChangeSet"} <= {methods()[name] for name in called(LAUNCH / "proposing.py")}
