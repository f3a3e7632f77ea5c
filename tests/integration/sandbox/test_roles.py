"""Roles: policies of AWS's own, and what IAM's simulator says of them."""

import json

import pytest
from botocore.exceptions import ClientError

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        },
    }
)
PUT, GET, STOP = "s3:PutObject", "s3:GetObject", "sagemaker:StopTransformJob"


@pytest.fixture(scope="module")
def iam(sandbox):
    return sandbox.client("iam")


@pytest.fixture(scope="module")
def decide(iam):
    """Make a role with statements, and give what the simulator says of actions on a resource."""
    arn = iam.create_role(RoleName="simulated", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]

    def decisions(*statements: dict, resource: str = "arn:aws:s3:::mine/k") -> dict[str, str]:
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_role_policy(RoleName="simulated", PolicyName="p", PolicyDocument=document)
        answer = iam.simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=[PUT, GET, STOP], ResourceArns=[resource]
        )
        return {one["EvalActionName"]: one["EvalDecision"] for one in answer["EvaluationResults"]}

    return decisions


def allow(action, resource="*", **members):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **members}


def test_what_no_statement_allows_is_denied(decide):
    assert decide(allow("S3:put*", "arn:aws:s3:::mine/*")) == {
        PUT: "allowed",
        GET: "implicitDeny",
        STOP: "implicitDeny",
    }
    assert set(decide(allow("s3:*", "arn:aws:s3:::other/?")).values()) == {"implicitDeny"}


def test_a_denial_wins(decide):
    found = decide(allow("*"), {"Effect": "Deny", "NotAction": ["s3:GetObject"], "Resource": "*"})
    assert found == {PUT: "explicitDeny", GET: "allowed", STOP: "explicitDeny"}


def test_a_condition_without_context_allows_nothing(decide):
    condition = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
    assert set(decide(allow("*", Condition=condition)).values()) == {"implicitDeny"}


def test_the_policies_of_aws_can_be_attached_and_count(iam, decide):
    iam.attach_role_policy(RoleName="simulated", PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerFullAccess")
    try:
        found = decide(allow("sqs:*"), resource="arn:aws:sagemaker:us-east-1:000000000000:transform-job/j")
    finally:
        iam.detach_role_policy(RoleName="simulated", PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerFullAccess")
    assert found[STOP] == "allowed"


def test_a_role_that_is_not_there_is_said(iam):
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.simulate_principal_policy(PolicySourceArn="arn:aws:iam::000000000000:role/gone", ActionNames=[PUT])
