"""Clients of AWS: who asks, how long they wait for an answer, and what they try again."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from launch.errors import CloudError
from launch.failures import explain

Clients = Callable[[str], Any]  # the name of a service -> its boto3 client

# Standard mode tries again what failed for the moment (throttling, time-outs, 5XX), waiting a random part of
# 1, 2, 4, ... at most 20 s: exponential backoff with full jitter. Every call that this package makes may be repeated:
# change sets and executions are named by what they do, and the others only look or delete.
# Source: botocore, retries/standard.py; "Retry behavior" of the AWS SDKs reference guide, read 2026-11-21.
SETTINGS: Final = Config(
    retries={"mode": "standard", "total_max_attempts": 5},
    connect_timeout=5,
    read_timeout=70,  # an endpoint may take a minute to answer
    max_pool_connections=64,
    user_agent_extra="hostfit",
)


def from_environment(*, region: str | None = None, profile: str | None = None) -> Clients:
    """Give the clients of the account that the AWS configuration chooses: environment, profiles, endpoint addresses.

    Each is made at its first use and kept; threads may share them. Raises (later): BotoCoreError.
    """
    session = boto3.session.Session(region_name=region, profile_name=profile)
    made: dict[str, Any] = {}
    lock = threading.Lock()

    def client(service: str) -> Any:
        with lock:
            if service not in made:
                made[service] = session.client(service, config=SETTINGS)
            return made[service]

    return client


@contextmanager
def explained() -> Iterator[None]:
    """Turn errors of boto3 into a CloudError that says what to do."""
    try:
        yield
    except (ClientError, BotoCoreError) as err:
        raise CloudError(explain(err)) from err
