"""Which AWS account the app talks to: what the environment chooses, or a profile of whoever runs it."""

import os
import threading
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from launch.clients import SETTINGS, Clients

SANDBOX = "sandbox"
ENVIRONMENT = ""  # the choice of the environment, as opposed to a profile's name
# Any of these, and the environment chooses an account.
_CHOICES = ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")  # fmt: skip
_QUICK = Config(connect_timeout=3, read_timeout=3, retries={"total_max_attempts": 1})  # the frame waits for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account that answered, or why it did not."""

    cloud: str  # "sandbox", or the profile's name
    id: str | None
    region: str | None
    problem: str | None = None
    is_sandbox: bool = False  # AWS on this machine: nothing of it is AWS's

    @property
    def title(self) -> str:
        """Cloud, account and region in a line."""
        return " · ".join(part for part in (self.cloud, self.id or "no access", self.region) if part)


def choices() -> list[str]:
    """Give what can be chosen: the environment's account if it has one, then the profiles by name."""
    own = [ENVIRONMENT] if any(os.environ.get(name) for name in _CHOICES) else []
    return own + sorted(botocore.session.Session().available_profiles)


def cloud_of(profile: str) -> str:
    """Name what a choice talks to; a profile that is called sandbox is not the sandbox."""
    if profile:
        return f"profile {profile}" if profile == SANDBOX else profile
    return SANDBOX if _is_sandbox(profile) else "AWS"


def clients(profile: str, config: Config = SETTINGS, *, region: str | None = None) -> Clients:
    """Give the clients of a choice, in its own Region unless another is named.

    A profile never goes where the environment's endpoint points.

    Each is made at its first use and kept; threads may share them.
    Raises: BotoCoreError for a profile that is not there, later for a Region that is not.
    """
    session = boto3.session.Session(profile_name=profile or None, region_name=region)
    own = config.merge(Config(ignore_configured_endpoint_urls=bool(profile)))
    made: dict[str, Any] = {}
    lock = threading.Lock()

    def client(service: str) -> Any:  # noqa: ANN401 (clients of boto3 have no type)
        with lock:  # a session makes one client at a time
            if service not in made:
                made[service] = session.client(service, config=own)
            return made[service]

    return client


def identify(profile: str) -> Account:
    """Ask who we are there."""
    cloud, is_sandbox = cloud_of(profile), _is_sandbox(profile)
    try:
        sts = clients(profile, _QUICK)("sts")
        account_id, region = sts.get_caller_identity()["Account"], sts.meta.region_name
    except (BotoCoreError, ClientError) as err:
        return Account(cloud=cloud, id=None, region=None, problem=str(err), is_sandbox=is_sandbox)
    return Account(cloud=cloud, id=account_id, region=region, is_sandbox=is_sandbox)


def _is_sandbox(profile: str) -> bool:
    return not profile and _is_loopback(os.environ.get("AWS_ENDPOINT_URL", ""))


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
