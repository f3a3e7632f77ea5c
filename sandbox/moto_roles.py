"""What the policies of a role allow, as IAM's policy simulator says it; the sandbox itself lets every caller do all."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from moto.backends import get_backend
from moto.core.exceptions import ServiceException

from sandbox.errors import AwsError, NotEmulated
from sandbox.settings import ACCOUNT

Statement = dict[str, Any]


def simulate(params: dict[str, Any]) -> dict[str, Any]:
    """Answer SimulatePrincipalPolicy for a role. Raises: AwsError NoSuchEntity, NotEmulated for other principals."""
    arn: str = params["PolicySourceArn"]
    if ":role/" not in arn:
        raise NotEmulated("iam:SimulatePrincipalPolicy for other principals than roles")
    documents = [*_documents_of(arn), *params.get("PolicyInputList", [])]
    statements = list(_statements(documents))
    resources = params.get("ResourceArns") or ["*"]
    return {
        "EvaluationResults": [
            {
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": _decision(statements, action, resource),
                "MatchedStatements": [],
                "MissingContextValues": [],
            }
            for action in params["ActionNames"]
            for resource in resources
        ],
        "IsTruncated": False,
    }


def _documents_of(arn: str) -> list[str]:
    try:
        role = get_backend("iam")[ACCOUNT]["aws"].get_role_by_arn(arn)
    except ServiceException as err:
        raise AwsError("NoSuchEntity", f"No role was found with the ARN {arn}", status=404) from err
    attached = [
        version.document
        for policy in role.managed_policies.values()
        for version in policy.versions
        if version.is_default
    ]
    return [*role.policies.values(), *attached]


def _statements(documents: Iterable[str]) -> Iterator[Statement]:
    for text in documents:
        found = json.loads(text)["Statement"]
        yield from found if isinstance(found, list) else [found]


def _decision(statements: Iterable[Statement], action: str, resource: str) -> str:
    """Decide as IAM does; a statement with a condition does not count, as the simulator is given no context."""
    effects = {
        one["Effect"]
        for one in statements
        if "Condition" not in one and _concerns(one, "Action", action.lower()) and _concerns(one, "Resource", resource)
    }
    if "Deny" in effects:
        return "explicitDeny"
    return "allowed" if "Allow" in effects else "implicitDeny"


def _concerns(statement: Statement, member: str, value: str) -> bool:
    name = member if member in statement else f"Not{member}"
    patterns = statement.get(name, [])
    patterns = patterns if isinstance(patterns, list) else [patterns]
    if member == "Action":
        patterns = [pattern.lower() for pattern in patterns]
    found = any(_matches(pattern, value) for pattern in patterns)
    return found if name == member else not found


def _matches(pattern: str, value: str) -> bool:
    wild = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(wild, value, re.DOTALL) is not None
