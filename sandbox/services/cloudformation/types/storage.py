"""Buckets, their policies, and entries of the parameter store."""

from collections.abc import Mapping
from typing import Any

from sandbox.services.cloudformation.calls import Calls, Refused
from sandbox.services.cloudformation.types.resource_type import (
    Found,
    Properties,
    ResourceType,
    document_text,
    only,
    tag_list,
    without,
)


class Bucket(ResourceType):
    """AWS::S3::Bucket."""

    type = "AWS::S3::Bucket"
    name_property = "BucketName"
    changeable = frozenset({
        "VersioningConfiguration", "BucketEncryption", "PublicAccessBlockConfiguration", "OwnershipControls",
        "LifecycleConfiguration",
    })  # fmt: skip
    tags_property = "Tags"

    def name_of(self, properties: Properties, stack: str, logical_id: str, suffix: str) -> str:
        """Give a name in small letters, the only ones that S3 takes."""
        name = super().name_of(properties, stack, logical_id, suffix)
        return name if properties.get(self.name_property) else name.lower()

    def find(self, call: Calls, name: str, properties: Properties) -> Found | None:
        """Ask for its head."""
        if call.lookup("s3", "head_bucket", Bucket=name) is None:
            return None
        attributes = {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{call.region}.amazonaws.com",
            "DualStackDomainName": f"{name}.s3.dualstack.{call.region}.amazonaws.com",
        }
        return Found(physical_id=name, attributes=attributes)

    def create(self, call: Calls, name: str, properties: Properties) -> None:
        """Create it empty and plain."""
        place = {} if call.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": call.region}}
        call("s3", "create_bucket", Bucket=name, **place)

    def configure(self, call: Calls, name: str, before: Properties, after: Properties) -> None:
        """Put each of its settings that changed, or delete it."""
        for setting, (what, parameter) in _SETTINGS.items():
            wanted = after.get(setting)
            if wanted == before.get(setting):
                continue
            if wanted is not None:
                call("s3", f"put_{what}", **{"Bucket": name, parameter: _as_api(setting, wanted)})
            elif setting == "VersioningConfiguration":
                call("s3", "put_bucket_versioning", Bucket=name, VersioningConfiguration={"Status": "Suspended"})
            else:
                call("s3", f"delete_{what.removesuffix('_configuration')}", Bucket=name)
        tags = self._tags(after)
        if tags != self._tags(before):
            if tags:
                call("s3", "put_bucket_tagging", Bucket=name, Tagging={"TagSet": tag_list(tags)})
            else:
                call("s3", "delete_bucket_tagging", Bucket=name)

    def delete(self, call: Calls, name: str, properties: Properties) -> None:
        """Delete it; S3 refuses while it holds objects."""
        call("s3", "delete_bucket", Bucket=name)


# A property -> the middle of the names of its calls, and the parameter.
_SETTINGS: Mapping[str, tuple[str, str]] = {
    "VersioningConfiguration": ("bucket_versioning", "VersioningConfiguration"),
    "BucketEncryption": ("bucket_encryption", "ServerSideEncryptionConfiguration"),
    "PublicAccessBlockConfiguration": ("public_access_block", "PublicAccessBlockConfiguration"),
    "OwnershipControls": ("bucket_ownership_controls", "OwnershipControls"),
    "LifecycleConfiguration": ("bucket_lifecycle_configuration", "LifecycleConfiguration"),
}


def _as_api(setting: str, value: Any) -> Any:
    """Write a setting as S3's API has it, where CloudFormation differs."""
    if setting == "BucketEncryption":
        return {
            "Rules": [
                {
                    **without(rule, "ServerSideEncryptionByDefault"),
                    "ApplyServerSideEncryptionByDefault": rule.get("ServerSideEncryptionByDefault", {}),
                }
                for rule in value["ServerSideEncryptionConfiguration"]
            ]
        }
    if setting == "LifecycleConfiguration":
        return {"Rules": [_rule(rule) for rule in value["Rules"]]}
    return value


_AS_IN_THE_API = ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration")


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    known = {"Id", "Status", "Prefix", "ExpirationInDays", "Transitions", *_AS_IN_THE_API}
    strangers = sorted(set(rule) - known)
    if strangers:
        raise Refused(f"The sandbox does not emulate {', '.join(strangers)} of a lifecycle rule. AWS does.")
    written: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        written["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        written["Expiration"] = {"Days": rule["ExpirationInDays"]}
    if "Transitions" in rule:
        written["Transitions"] = [_transition(one) for one in rule["Transitions"]]
    return {**written, **only(rule, *_AS_IN_THE_API)}


def _transition(transition: Mapping[str, Any]) -> dict[str, Any]:
    dates = {"TransitionInDays": "Days", "TransitionDate": "Date"}
    return {dates.get(name, name): value for name, value in transition.items()}


class BucketPolicy(ResourceType):
    """AWS::S3::BucketPolicy."""

    type = "AWS::S3::BucketPolicy"
    required = frozenset({"Bucket", "PolicyDocument"})
    changeable = frozenset({"PolicyDocument"})
    create_only = frozenset({"Bucket"})

    def find(self, call: Calls, name: str, properties: Properties) -> Found | None:
        """Get the policy of the bucket."""
        found = call.lookup("s3", "get_bucket_policy", Bucket=properties["Bucket"])
        return None if found is None else Found(physical_id=properties["Bucket"])

    def create(self, call: Calls, name: str, properties: Properties) -> None:
        """Put it."""
        policy = document_text(properties["PolicyDocument"])
        call("s3", "put_bucket_policy", Bucket=properties["Bucket"], Policy=policy)

    def configure(self, call: Calls, name: str, before: Properties, after: Properties) -> None:
        """Put it again."""
        if before:
            self.create(call, name, after)

    def delete(self, call: Calls, name: str, properties: Properties) -> None:
        """Delete it."""
        call("s3", "delete_bucket_policy", Bucket=properties["Bucket"])


class Parameter(ResourceType):
    """AWS::SSM::Parameter."""

    type = "AWS::SSM::Parameter"
    name_property = "Name"
    required = frozenset({"Type", "Value"})
    changeable = frozenset({"Type", "Value", "Description", "AllowedPattern", "Tier", "DataType"})
    tags_property = "Tags"
    tags_are_map = True

    def find(self, call: Calls, name: str, properties: Properties) -> Found | None:
        """Get it."""
        found = call.lookup("ssm", "get_parameter", Name=name)
        if found is None:
            return None
        parameter = found["Parameter"]
        return Found(
            physical_id=name, attributes={"Type": parameter["Type"], "Value": parameter["Value"], "Name": name}
        )

    def create(self, call: Calls, name: str, properties: Properties) -> None:
        """Put it."""
        tags = tag_list(self._tags(properties))
        call(
            "ssm", "put_parameter", **{**without(properties, "Tags"), "Name": name}, **({"Tags": tags} if tags else {})
        )

    def configure(self, call: Calls, name: str, before: Properties, after: Properties) -> None:
        """Put it over the old one."""
        if not before:
            return
        call("ssm", "put_parameter", **{**without(after, "Tags"), "Name": name}, Overwrite=True)
        operations = ("ssm", "add_tags_to_resource", "remove_tags_from_resource")
        self.retag(call, operations, before, after, ResourceType="Parameter", ResourceId=name)

    def delete(self, call: Calls, name: str, properties: Properties) -> None:
        """Delete it."""
        call("ssm", "delete_parameter", Name=name)
