"""Roles and policies."""

from collections.abc import Iterable
from typing import Any, ClassVar

from sandbox.services.cloudformation.calls import Calls
from sandbox.services.cloudformation.types.resource_type import (
    Found,
    Properties,
    ResourceType,
    document_text,
    only,
)


class Role(ResourceType):
    """AWS::IAM::Role."""

    type = "AWS::IAM::Role"
    name_property = "RoleName"
    required = frozenset({"AssumeRolePolicyDocument"})
    changeable = frozenset({
        "AssumeRolePolicyDocument", "Description", "ManagedPolicyArns", "MaxSessionDuration", "PermissionsBoundary",
        "Policies",
    })  # fmt: skip
    create_only = frozenset({"Path"})
    lists: ClassVar = {"Policies": ("PolicyName", "PolicyDocument"), "ManagedPolicyArns": ()}
    tags_property = "Tags"
    takes_system_tags = True
    longest_name = 64

    def find(self, call: Calls, name: str, properties: Properties) -> Found | None:
        """Get the role."""
        found = call.lookup("iam", "get_role", RoleName=name)
        if found is None:
            return None
        return Found(physical_id=name, attributes={"Arn": found["Role"]["Arn"], "RoleId": found["Role"]["RoleId"]})

    def create(self, call: Calls, name: str, properties: Properties) -> None:
        """Create the role without its policies."""
        plain = only(properties, "Path", "Description", "MaxSessionDuration", "PermissionsBoundary", "Tags")
        trust = document_text(properties["AssumeRolePolicyDocument"])
        call("iam", "create_role", RoleName=name, AssumeRolePolicyDocument=trust, **plain)

    def configure(self, call: Calls, name: str, before: Properties, after: Properties) -> None:
        """Put, attach, detach and delete policies; change trust, description, boundary and tags."""
        if before:
            trust = document_text(after["AssumeRolePolicyDocument"])
            call("iam", "update_assume_role_policy", RoleName=name, PolicyDocument=trust)
            said = {"Description": after.get("Description", "")} if "Description" in {*before, *after} else {}
            call("iam", "update_role", RoleName=name, MaxSessionDuration=after.get("MaxSessionDuration", 3600), **said)
            if "PermissionsBoundary" in after:
                boundary = after["PermissionsBoundary"]
                call("iam", "put_role_permissions_boundary", RoleName=name, PermissionsBoundary=boundary)
            elif "PermissionsBoundary" in before:
                call("iam", "delete_role_permissions_boundary", RoleName=name)
        old, new = _inline(before), _inline(after)
        for policy in sorted(set(old) - set(new)):
            call.take("iam", "delete_role_policy", RoleName=name, PolicyName=policy)
        for policy, document in new.items():
            call("iam", "put_role_policy", RoleName=name, PolicyName=policy, PolicyDocument=document)
        _attach(call, name, before.get("ManagedPolicyArns", []), after.get("ManagedPolicyArns", []))
        self.retag(call, ("iam", "tag_role", "untag_role"), before, after, RoleName=name)

    def delete(self, call: Calls, name: str, properties: Properties) -> None:
        """Delete the role with the policies of its own; any other keeps it in being, as on AWS."""
        for policy in _inline(properties):
            call.take("iam", "delete_role_policy", RoleName=name, PolicyName=policy)
        _attach(call, name, properties.get("ManagedPolicyArns", []), [])
        call("iam", "delete_role", RoleName=name)


class Policy(ResourceType):
    """AWS::IAM::Policy: an inline policy of one or several roles."""

    type = "AWS::IAM::Policy"
    required = frozenset({"PolicyDocument", "PolicyName", "Roles"})
    changeable = frozenset({"PolicyDocument", "PolicyName", "Roles"})
    lists: ClassVar = {"Roles": ()}

    def find(self, call: Calls, name: str, properties: Properties) -> Found | None:
        """Look at the first role; a policy of that name counts as found."""
        first, policy = properties["Roles"][0], properties["PolicyName"]
        found = call.lookup("iam", "get_role_policy", RoleName=first, PolicyName=policy)
        return None if found is None else Found(physical_id=name, attributes={"Id": name})

    def create(self, call: Calls, name: str, properties: Properties) -> None:
        """Put it on the first role."""
        self._put(call, properties["Roles"][:1], properties)

    def configure(self, call: Calls, name: str, before: Properties, after: Properties) -> None:
        """Put it on every role, then take it from those that lost it."""
        self._put(call, after["Roles"], after)
        same = before.get("PolicyName") == after["PolicyName"]
        self._take(call, [role for role in before.get("Roles", []) if not same or role not in after["Roles"]], before)

    def delete(self, call: Calls, name: str, properties: Properties) -> None:
        """Take it from every role."""
        self._take(call, properties["Roles"], properties)

    @staticmethod
    def _put(call: Calls, roles: Iterable[str], properties: Properties) -> None:
        document = document_text(properties["PolicyDocument"])
        for role in roles:
            call("iam", "put_role_policy", RoleName=role, PolicyName=properties["PolicyName"], PolicyDocument=document)

    @staticmethod
    def _take(call: Calls, roles: Iterable[str], properties: Properties) -> None:
        for role in roles:
            call.take("iam", "delete_role_policy", RoleName=role, PolicyName=properties["PolicyName"])


class ManagedPolicy(ResourceType):
    """AWS::IAM::ManagedPolicy."""

    type = "AWS::IAM::ManagedPolicy"
    name_property = "ManagedPolicyName"
    required = frozenset({"PolicyDocument"})
    changeable = frozenset({"PolicyDocument", "Roles"})
    create_only = frozenset({"Description", "Path"})
    lists: ClassVar = {"Roles": ()}
    longest_name = 128

    def find(self, call: Calls, name: str, properties: Properties) -> Found | None:
        """Get the policy by the ARN that its path and name make."""
        arn = self._arn(call, name, properties)
        found = call.lookup("iam", "get_policy", PolicyArn=arn)
        if found is None:
            return None
        attributes = {"PolicyArn": arn, "PolicyId": found["Policy"]["PolicyId"]}
        return Found(physical_id=arn, attributes=attributes)

    def create(self, call: Calls, name: str, properties: Properties) -> None:
        """Create the policy, attached to nothing."""
        document = document_text(properties["PolicyDocument"])
        call(
            "iam", "create_policy", PolicyName=name, PolicyDocument=document, **only(properties, "Description", "Path")
        )

    def configure(self, call: Calls, name: str, before: Properties, after: Properties) -> None:
        """Make the new document the only version; attach and detach roles."""
        arn = self._arn(call, name, after)
        if before and before["PolicyDocument"] != after["PolicyDocument"]:
            document = document_text(after["PolicyDocument"])
            call("iam", "create_policy_version", PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
            self._delete_old_versions(call, arn)
        for role in set(before.get("Roles", [])) - set(after.get("Roles", [])):
            call.take("iam", "detach_role_policy", RoleName=role, PolicyArn=arn)
        for role in after.get("Roles", []):
            call("iam", "attach_role_policy", RoleName=role, PolicyArn=arn)

    def delete(self, call: Calls, name: str, properties: Properties) -> None:
        """Detach it from its roles, then delete it."""
        arn = self._arn(call, name, properties)
        for role in properties.get("Roles", []):
            call.take("iam", "detach_role_policy", RoleName=role, PolicyArn=arn)
        self._delete_old_versions(call, arn)
        call("iam", "delete_policy", PolicyArn=arn)

    @staticmethod
    def _arn(call: Calls, name: str, properties: Properties) -> str:
        return f"arn:aws:iam::{call.account}:policy{properties.get('Path', '/')}{name}"

    @staticmethod
    def _delete_old_versions(call: Calls, arn: str) -> None:
        for version in call("iam", "list_policy_versions", PolicyArn=arn)["Versions"]:
            if not version["IsDefaultVersion"]:
                call("iam", "delete_policy_version", PolicyArn=arn, VersionId=version["VersionId"])


def _inline(role: Properties) -> dict[str, str]:
    policies: list[Any] = role.get("Policies", [])
    return {policy["PolicyName"]: document_text(policy["PolicyDocument"]) for policy in policies}


def _attach(call: Calls, role: str, before: list[str], after: list[str]) -> None:
    for arn in set(before) - set(after):
        call.take("iam", "detach_role_policy", RoleName=role, PolicyArn=arn)
    for arn in after:
        call("iam", "attach_role_policy", RoleName=role, PolicyArn=arn)
