"""What all resources of SageMaker have in common: names, ARNs, tags, lists with pages."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from sandbox.cloud import Cloud
from sandbox.errors import AwsError
from sandbox.services.sagemaker.store import Document, Store, now
from sandbox.services.service import Answer, Context, Params, Service

# Kinds of resources: how ARNs name them, and how errors do.
MODEL, CONFIG, ENDPOINT, TRANSFORM, COMPONENT = (
    "model", "endpoint-config", "endpoint", "transform-job", "inference-component",
)  # fmt: skip
NAMES = {
    MODEL: "model",
    CONFIG: "endpoint configuration",
    ENDPOINT: "endpoint",
    COMPONENT: "inference component",
}
_DEFAULT_PAGE = 10  # API reference: the default of MaxResults


class Resources(Service):
    """The base of the parts of SageMaker."""

    name = "sagemaker"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.store = Store(cloud)
        cloud.tag_sources.append(self.store.tagged)

    def arn(self, context_region: str, kind: str, name: str) -> str:
        """Give the ARN of a resource."""
        return f"arn:aws:sagemaker:{context_region}:{self.cloud.account}:{kind}/{name.lower()}"

    def create(self, context: Context, kind: str, name: str, document: Document, tags: list[dict[str, str]]) -> str:
        """Keep a new resource; gives its ARN. Raises: AwsError if the name is taken."""
        arn = self.arn(context.region, kind, name)
        created = now()
        if not self.store.add(
            context.region, kind, name, {**document, "CreationTime": created, "LastModifiedTime": created}
        ):
            raise AwsError("ValidationException", f'Cannot create already existing {NAMES[kind]} "{arn}".')
        self.store.tag(arn, {tag["Key"]: tag["Value"] for tag in tags})
        return arn

    def get(self, region: str, kind: str, name: str) -> Document:
        """Give a resource. Raises: AwsError if there is none."""
        document = self.store.get(region, kind, name)
        if document is None:
            raise self.missing(region, kind, name)
        return document

    def missing(self, region: str, kind: str, name: str) -> AwsError:
        """The error of a resource that is not there."""
        return AwsError("ValidationException", f'Could not find {NAMES[kind]} "{self.arn(region, kind, name)}".')

    def remove(self, context: Context, kind: str, name: str) -> None:
        """Remove a resource. Raises: AwsError if there is none."""
        if not self.store.remove(context.region, kind, name, self.arn(context.region, kind, name)):
            raise self.missing(context.region, kind, name)


def page(
    documents: Iterable[Document],
    params: Params,
    *,
    name: str,
    status: str = "",
    sort: dict[str, str] | None = None,
    extra: Callable[[Document], bool] = lambda _: True,
) -> tuple[list[Document], str | None]:
    """Choose, sort and cut the documents of a list operation; gives a page and the token of the next.

    `name` and `status` are the members to filter by; `sort` maps SortBy's words to members.
    Raises: AwsError for a token that is not ours.
    """
    members = {"Name": name, "CreationTime": "CreationTime", "Status": status, **(sort or {})}
    by = members[params.get("SortBy", "CreationTime")]
    chosen = [document for document in documents if _fits(document, params, name, status) and extra(document)]
    chosen.sort(key=lambda document: (document[by], document[name]))
    if params.get("SortOrder", "Descending") == "Descending":
        chosen.reverse()
    start = _offset(params.get("NextToken"))
    end = start + params.get("MaxResults", _DEFAULT_PAGE)
    return chosen[start:end], _token(end) if end < len(chosen) else None


def _fits(document: Document, params: Params, name: str, status: str) -> bool:
    wanted: list[tuple[str, Callable[[datetime, datetime], bool]]] = [
        ("Before", lambda mine, limit: mine < limit),
        ("After", lambda mine, limit: mine > limit),
    ]
    for member in ("CreationTime", "LastModifiedTime"):
        for suffix, compare in wanted:
            limit = params.get(member + suffix)
            if limit is not None and not compare(document[member], limit):
                return False
    if "StatusEquals" in params and document.get(status) != params["StatusEquals"]:
        return False
    return params.get("NameContains", "").lower() in str(document[name]).lower()


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"from": offset}).encode()).decode()


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(json.loads(base64.urlsafe_b64decode(token))["from"])
    except (binascii.Error, ValueError, KeyError, TypeError) as err:
        raise AwsError("ValidationException", "Invalid NextToken.") from err


def pick(document: Document, members: Iterable[str]) -> dict[str, Any]:
    """Give some members of a document, those that it has."""
    return {name: document[name] for name in members if name in document}


def listed(key: str, entries: list[dict[str, Any]], token: str | None) -> Answer:
    """The answer of a list operation."""
    return {key: entries, "NextToken": token}
