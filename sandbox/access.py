"""Who may speak to the sandbox, and to which service: loopback names only, no pages of other sites."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from sandbox.errors import AwsError
from sandbox.settings import REGION

_LOOPBACK_HOST = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?", re.IGNORECASE)
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/(\d{8})/([a-z0-9-]+)/([A-Za-z0-9-]+)/aws4_request")
_CREDENTIAL_OF_LINK = re.compile(r"([^/]+)/(\d{8})/([a-z0-9-]+)/([A-Za-z0-9-]+)/aws4_request")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a request's signature is for. The signature itself is not verified."""

    access_key: str
    region: str
    service: str


def refuse_strangers(headers: Mapping[str, str]) -> None:
    """Refuse what a page of another site could send: a browser's request, or one for a rebound name.

    Raises: AwsError AccessDenied.
    """
    host = headers.get("host", "")
    if not _LOOPBACK_HOST.fullmatch(host):
        raise AwsError("AccessDenied", f"The sandbox answers only to loopback names, not to {host[:100]!r}", status=403)
    origin = headers.get("origin")
    if origin is not None and origin != f"http://{host}":
        raise AwsError("AccessDenied", f"The sandbox takes no requests of the site {origin[:100]!r}", status=403)
    if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        raise AwsError("AccessDenied", "The sandbox takes no requests of other sites", status=403)


def scope_of(headers: Mapping[str, str], query: str) -> Scope | None:
    """Read the credential scope of a header or of a presigned link; None if the request is not signed."""
    found = _CREDENTIAL.search(headers.get("authorization", ""))
    if found is None:
        links = parse_qs(query).get("X-Amz-Credential", [""]) if "X-Amz-Credential=" in query else [""]
        found = _CREDENTIAL_OF_LINK.fullmatch(links[0])
    if found is not None:
        return Scope(access_key=found[1], region=found[3], service=found[4].lower())
    # Links signed the old way carry no scope; only S3 still takes them.
    if "AWSAccessKeyId=" in query and "Signature=" in query:
        return Scope(access_key=parse_qs(query)["AWSAccessKeyId"][0], region=REGION, service="s3")
    return None
