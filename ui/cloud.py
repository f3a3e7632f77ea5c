"""What the account says, through the profile that was chosen: clients, and caches of what is asked again and again.

An answer is kept for a second or two and shared by all visitors, so many open pages ask no more than one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Generic, NamedTuple, TypeVar

import streamlit as st
from botocore.config import Config

from launch import jobs, metrics, samples
from launch.clients import Clients, explained
from launch.errors import CloudError
from launch.failures import Kind
from launch.jobs import Job
from launch.launched import Launched
from launch.metrics import Metrics
from launch.request import Request
from launch.samples import Sample
from launch.stacks import Stacks
from ui import account, data

PROFILE_KEY = "shell_account"  # of the choice in the frame
REGION = "hostfit_region"  # where the tab asks, if not in the profile's own Region

_DAY_S = 86_400
_LOOK_S = 1  # how old an answer about a launch may be
_METRICS_S = 5
_SAMPLES_S = 60
# A page waits for these answers, so they come soon or not at all; work in the background is more patient.
_SOON = Config(connect_timeout=3, read_timeout=8, retries={"mode": "standard", "total_max_attempts": 2})

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen(Generic[Value]):
    """What the account answered, and when."""

    value: Value
    at: datetime


class Place(NamedTuple):
    """Where a tab asks."""

    profile: str
    region: str | None  # None: the profile's own


def place() -> Place:
    """Give the choice of this tab, the environment's account at first."""
    choices = data.account_choices()
    chosen = st.session_state.get(PROFILE_KEY)
    profile = chosen if chosen in choices else next(iter(choices), account.ENVIRONMENT)
    return Place(profile=profile, region=st.session_state.get(REGION))


def here() -> account.Account:
    """Give the account that this tab talks to."""
    profile, region = place()
    found = data.account(profile)
    return found if region is None or found.id is None else replace(found, region=region)


def go_to(region: str | None) -> None:
    """Ask in another Region from now on, in the profile's own for None; for a callback."""
    st.session_state[REGION] = region


@st.cache_resource(ttl=_DAY_S, max_entries=32, show_spinner=False)
def clients(place: Place) -> Clients:
    """Give the clients of a choice for work in the background. Raises: BotoCoreError."""
    return account.clients(place.profile, region=place.region)


@st.cache_resource(ttl=_DAY_S, max_entries=32, show_spinner=False)
def stacks(place: Place) -> Stacks:
    """Give the launches of a choice, to change them. Raises: BotoCoreError."""
    return Stacks(clients(place))


def launched() -> Seen[tuple[Launched, ...]]:
    """Give the launches of this tab's account. Raises: CloudError."""
    return _explained(lambda: _launched(place()))


def look(name: str) -> Seen[Launched | None]:
    """Give one launch of this tab's account, by its name or the id of its stack. Raises: CloudError."""
    return _explained(lambda: _look(place(), name))


def metrics_of(name: str, option: str, variant: str) -> Seen[Metrics]:
    """Give the last hour of a variant of an endpoint. Raises: CloudError."""
    return _explained(lambda: _metrics(place(), name, option, variant))


def samples_here() -> tuple[Sample, ...]:
    """Give the sample models of this tab's account; none where their bucket is not there, or somebody else's.

    Raises: CloudError.
    """
    account_id = here().id
    if account_id is None:
        return ()
    try:
        return _explained(lambda: _samples(place(), account_id))
    except CloudError as err:
        if err.failure.kind is Kind.DENIED:
            return ()
        raise


def jobs_of(request: Request) -> Seen[tuple[Job, ...]]:
    """Give the transform jobs of a launch, the newest first. Raises: CloudError."""
    return _jobs(place(), request.name, _request=request)


def output_of(job: Job) -> Mapping[str, bytes]:
    """Give the first results of a job that has ended. Raises: CloudError."""
    return {} if job.is_running else _output(place(), job.name, _job=job)


def filled(text: str) -> str:
    """Give a text with this account and Region in place of their placeholders, as in the program's bucket."""
    found = here()
    return text.replace("{account}", found.id or "").replace("{region}", found.region or "")


def forget() -> None:
    """Ask anew at the next look, because something was just done."""
    _launched.clear()
    _look.clear()


@st.cache_resource(ttl=_DAY_S, max_entries=32, show_spinner=False)
def _quick_clients(place: Place) -> Clients:
    return account.clients(place.profile, _SOON, region=place.region)


@st.cache_resource(ttl=_DAY_S, max_entries=32, show_spinner=False)
def _quick_stacks(place: Place) -> Stacks:
    return Stacks(_quick_clients(place))


@st.cache_resource(ttl=_LOOK_S, max_entries=32, show_spinner=False)
def _launched(place: Place) -> Seen[tuple[Launched, ...]]:
    return Seen(value=tuple(_quick_stacks(place).launched()), at=datetime.now(UTC))


@st.cache_resource(ttl=_LOOK_S, max_entries=256, show_spinner=False)
def _look(place: Place, name: str) -> Seen[Launched | None]:
    return Seen(value=_quick_stacks(place).look(name), at=datetime.now(UTC))


@st.cache_resource(ttl=_METRICS_S, max_entries=256, show_spinner=False)
def _metrics(place: Place, name: str, option: str, variant: str) -> Seen[Metrics]:
    now, cloudwatch = datetime.now(UTC), _quick_clients(place)("cloudwatch")
    return Seen(value=metrics.read(cloudwatch, name, option, variant=variant, now=now), at=now)


@st.cache_resource(ttl=_SAMPLES_S, max_entries=32, show_spinner=False)
def _samples(place: Place, account_id: str) -> tuple[Sample, ...]:
    return samples.read_samples(_quick_clients(place)("s3"), account_id)


@st.cache_resource(ttl=_LOOK_S, max_entries=64, show_spinner=False)
def _jobs(place: Place, name: str, _request: Request) -> Seen[tuple[Job, ...]]:
    del name  # only part of the key: what is asked for is the request's
    return Seen(value=jobs.listed(_quick_clients(place), _request), at=datetime.now(UTC))


@st.cache_resource(ttl=_SAMPLES_S, max_entries=64, show_spinner=False)
def _output(place: Place, name: str, _job: Job) -> Mapping[str, bytes]:
    del name
    return jobs.output(_quick_clients(place), _job)


def _explained(ask: Callable[[], Value]) -> Value:
    with explained():
        return ask()
