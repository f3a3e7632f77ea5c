"""The Resource Groups Tagging API: the tagged resources of all services in one list."""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from sandbox.errors import AwsError
from sandbox.services.service import Answer, Context, Params, Service

# API reference, GetResources, GetTagKeys and GetTagValues, read 2026-11-21.
_RESOURCES_PER_PAGE, _MOST_RESOURCES = 50, 100
_TAGS_PER_PAGE = range(100, 501)
_WORDS_PER_PAGE = 128
# Services whose ARNs name a resource without its type.
_ONLY_TYPE = {"s3": "bucket", "sns": "topic", "sqs": "queue"}


class Tagging(Service):
    """The service; tags themselves are kept by the services that own the resources."""

    name: ClassVar[str] = "resourcegroupstaggingapi"

    def get_resources(self, context: Context, params: Params) -> Answer:
        """List resources by tags and types."""
        if "ResourceARNList" in params and {"TagFilters", "ResourceTypeFilters", "PaginationToken"} & set(params):
            raise _invalid("ResourceARNList can't be given with TagFilters, ResourceTypeFilters or PaginationToken")
        most = params.get("ResourcesPerPage", _RESOURCES_PER_PAGE)
        if not 1 <= most <= _MOST_RESOURCES:
            raise _invalid(f"ResourcesPerPage must be between 1 and {_MOST_RESOURCES}, got {most}")
        most_tags = params.get("TagsPerPage")
        if most_tags is not None and most_tags not in _TAGS_PER_PAGE:
            raise _invalid(f"TagsPerPage must be between 100 and 500, got {most_tags}")
        arns = params.get("ResourceARNList")
        found = [
            (arn, tags)
            for arn, tags in sorted(self._everything(context).items())
            if (arns is None or arn in arns)
            and _is_of_type(arn, params.get("ResourceTypeFilters", []))
            and _fits(tags, params.get("TagFilters", []))
        ]
        start = _offset(params.get("PaginationToken"))
        if most_tags is not None:
            sums = accumulate(len(tags) for _, tags in found[start:])
            most = max(1, min(most, sum(1 for total in sums if total <= most_tags)))
        mappings = [
            {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}
            for arn, tags in found[start : start + most]
        ]
        return {"ResourceTagMappingList": mappings, "PaginationToken": _token(start + most, len(found))}

    def get_tag_keys(self, context: Context, params: Params) -> Answer:
        """List the keys of all tags."""
        return _words("TagKeys", {key for tags in self._everything(context).values() for key in tags}, params)

    def get_tag_values(self, context: Context, params: Params) -> Answer:
        """List the values of a tag."""
        key = params["Key"]
        values = {tags[key] for tags in self._everything(context).values() if key in tags}
        return _words("TagValues", values, params)

    def tag_resources(self, context: Context, params: Params) -> Answer:
        """Add tags to resources, each by the service that owns it."""
        tags = [{"Key": key, "Value": value} for key, value in params["Tags"].items()]
        return self._each(context, params["ResourceARNList"], add=tags)

    def untag_resources(self, context: Context, params: Params) -> Answer:
        """Remove tags of resources, each by the service that owns it."""
        return self._each(context, params["ResourceARNList"], remove=params["TagKeys"])

    def _everything(self, context: Context) -> dict[str, Mapping[str, str]]:
        return {arn: tags for source in self.cloud.tag_sources for arn, tags in source(context.region).items() if tags}

    def _each(
        self, context: Context, arns: Sequence[str], *, add: Sequence[dict[str, str]] = (), remove: Sequence[str] = ()
    ) -> Answer:
        failed = {}
        for arn in arns:
            try:
                self._change(context.region, arn, add, remove)
            except ClientError as err:
                failed[arn] = {
                    "StatusCode": err.response["ResponseMetadata"]["HTTPStatusCode"],
                    "ErrorCode": "InvalidParameterException",
                    "ErrorMessage": err.response["Error"]["Message"],
                }
            except AwsError as err:
                failed[arn] = {"StatusCode": err.status, "ErrorCode": err.code, "ErrorMessage": err.message}
        return {"FailedResourcesMap": failed}

    def _change(self, region: str, arn: str, add: Sequence[dict[str, str]], remove: Sequence[str]) -> None:
        service = arn.split(":")[2] if arn.count(":") > 4 else ""
        client: Any
        match service:
            case "sagemaker":
                client = self.cloud.client("sagemaker", region)
                put, drop, member = client.add_tags, client.delete_tags, "ResourceArn"
            case "cloudwatch":
                client = self.cloud.client("cloudwatch", region)
                put, drop, member = client.tag_resource, client.untag_resource, "ResourceARN"
            case "sns":
                client = self.cloud.client("sns", region)
                put, drop, member = client.tag_resource, client.untag_resource, "ResourceArn"
            case _:
                raise _invalid(f"Not emulated: changing tags of {arn[:200]} here. Use the service's own operation.")
        if add:
            put(**{member: arn}, Tags=add)
        if remove:
            drop(**{member: arn}, TagKeys=remove)


def _is_of_type(arn: str, wanted: Sequence[str]) -> bool:
    """Whether a filter like `sagemaker` or `sagemaker:endpoint` fits."""
    _, _, service, _, _, rest = arn.split(":", 5)
    kind = _ONLY_TYPE.get(service) or rest.replace("/", ":").partition(":")[0]
    return not wanted or service in wanted or f"{service}:{kind}" in wanted


def _fits(tags: Mapping[str, str], filters: Iterable[dict[str, Any]]) -> bool:
    """Whether every filter finds its key, with one of its values if it has any."""
    return all(
        wanted.get("Key", "") in tags and tags[wanted["Key"]] in (wanted.get("Values") or tags.values())
        for wanted in filters
    )


def _words(member: str, words: set[str], params: Params) -> Answer:
    start = _offset(params.get("PaginationToken"))
    end = start + _WORDS_PER_PAGE
    return {member: sorted(words)[start:end], "PaginationToken": _token(end, len(words))}


def _token(end: int, count: int) -> str:
    return base64.urlsafe_b64encode(str(end).encode()).decode() if end < count else ""


def _offset(token: str | None) -> int:
    try:
        return int(base64.urlsafe_b64decode(token or "MA=="))
    except (binascii.Error, ValueError) as err:
        raise AwsError("PaginationTokenExpiredException", "The pagination token is not valid.") from err


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)
