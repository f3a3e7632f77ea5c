"""Which AWS account the app talks to: what the environment chooses, or a profile of whoever runs it."""

import os
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ENVIRONMENT = ""  # the choice of the environment, as opposed to a profile's name
# Any of these, and the environment chooses an account.
_CHOICES = ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")  # fmt: skip
_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account that answered, or why it did not."""

    cloud: str  # "sandbox", or the profile's name
    id: str | None
    region: str | None
    problem: str | None = None

    @property
    def title(self) -> str:
        """Cloud, account and region in a line."""
        return " · ".join(part for part in (self.cloud, self.id or "no access", self.region) if part)


def choices() -> list[str]:
    """Give what can be chosen: the environment's account if it has one, then the profiles by name."""
    own = [ENVIRONMENT] if any(os.environ.get(name) for name in _CHOICES) else []
    return own + sorted(botocore.session.Session().available_profiles)


def cloud_of(profile: str) -> str:
    """Name what a choice talks to."""
    if profile:
        return profile
    return "sandbox" if _is_loopback(os.environ.get("AWS_ENDPOINT_URL", "")) else "AWS"


def client(service: str, profile: str) -> Any:  # noqa: ANN401 (clients of boto3 have no type)
    """Give a client for a choice; a profile never goes where the environment's endpoint points.

    Raises: BotoCoreError for a profile or region that is not there.
    """
    session = boto3.session.Session(profile_name=profile or None)
    config = Config(
        connect_timeout=_TIMEOUT_S,
        read_timeout=_TIMEOUT_S,
        retries={"total_max_attempts": 1},
        ignore_configured_endpoint_urls=bool(profile),
    )
    return session.client(service, config=config)


def identify(profile: str) -> Account:
    """Ask who we are there."""
    cloud = cloud_of(profile)
    try:
        sts = client("sts", profile)
        return Account(cloud=cloud, id=sts.get_caller_identity()["Account"], region=sts.meta.region_name)
    except (BotoCoreError, ClientError) as err:
        return Account(cloud=cloud, id=None, region=None, problem=str(err))


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
