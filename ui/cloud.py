"""What the account says, through the profile that was chosen: clients, and caches of what is asked again and again.

An answer is kept for a second or two and shared by all visitors, so many open pages ask no more than one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

import streamlit as st
from botocore.config import Config

from launch import jobs, metrics, samples
from launch.clients import Clients, explained
from launch.jobs import Job
from launch.launched import Launched
from launch.metrics import Metrics
from launch.request import Request
from launch.samples import Sample
from launch.stacks import Stacks
from ui import account, data

PROFILE_KEY = "shell_account"  # of the choice in the frame

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


def profile() -> str:
    """Give the choice of this tab, the environment's account at first."""
    choices = data.account_choices()
    chosen = st.session_state.get(PROFILE_KEY)
    return chosen if chosen in choices else next(iter(choices), account.ENVIRONMENT)


def here() -> account.Account:
    """Give the account that this tab talks to."""
    return data.account(profile())


@st.cache_resource(ttl=_DAY_S, max_entries=32, show_spinner=False)
def clients(profile: str) -> Clients:
    """Give the clients of a choice for work in the background. Raises: BotoCoreError."""
    return account.clients(profile)


@st.cache_resource(ttl=_DAY_S, max_entries=32, show_spinner=False)
def stacks(profile: str) -> Stacks:
    """Give the launches of a choice, to change them. Raises: BotoCoreError."""
    return Stacks(clients(profile))


def launched() -> Seen[tuple[Launched, ...]]:
    """Give the launches of this tab's account. Raises: CloudError."""
    return _explained(lambda: _launched(profile()))


def look(name: str) -> Seen[Launched | None]:
    """Give one launch of this tab's account, by its name or the id of its stack. Raises: CloudError."""
    return _explained(lambda: _look(profile(), name))


def metrics_of(name: str, option: str) -> Seen[Metrics]:
    """Give the last hour of an endpoint. Raises: CloudError."""
    return _explained(lambda: _metrics(profile(), name, option))


def samples_here() -> tuple[Sample, ...]:
    """Give the sample models of this tab's account. Raises: CloudError."""
    account_id = here().id
    return () if account_id is None else _explained(lambda: _samples(profile(), account_id))


def jobs_of(request: Request) -> Seen[tuple[Job, ...]]:
    """Give the transform jobs of a launch, the newest first. Raises: CloudError."""
    return _jobs(profile(), request.name, _request=request)


def output_of(job: Job) -> Mapping[str, bytes]:
    """Give the first results of a job that has ended. Raises: CloudError."""
    return {} if job.is_running else _output(profile(), job.name, _job=job)


def forget() -> None:
    """Ask anew at the next look, because something was just done."""
    _launched.clear()
    _look.clear()


@st.cache_resource(ttl=_DAY_S, max_entries=32, show_spinner=False)
def _quick_clients(profile: str) -> Clients:
    return account.clients(profile, _SOON)


@st.cache_resource(ttl=_DAY_S, max_entries=32, show_spinner=False)
def _quick_stacks(profile: str) -> Stacks:
    return Stacks(_quick_clients(profile))


@st.cache_resource(ttl=_LOOK_S, max_entries=32, show_spinner=False)
def _launched(profile: str) -> Seen[tuple[Launched, ...]]:
    return Seen(value=tuple(_quick_stacks(profile).launched()), at=datetime.now(UTC))


@st.cache_resource(ttl=_LOOK_S, max_entries=256, show_spinner=False)
def _look(profile: str, name: str) -> Seen[Launched | None]:
    return Seen(value=_quick_stacks(profile).look(name), at=datetime.now(UTC))


@st.cache_resource(ttl=_METRICS_S, max_entries=256, show_spinner=False)
def _metrics(profile: str, name: str, option: str) -> Seen[Metrics]:
    now = datetime.now(UTC)
    return Seen(value=metrics.read(_quick_clients(profile)("cloudwatch"), name, option, now=now), at=now)


@st.cache_resource(ttl=_SAMPLES_S, max_entries=32, show_spinner=False)
def _samples(profile: str, account_id: str) -> tuple[Sample, ...]:
    return samples.read_samples(_quick_clients(profile)("s3"), account_id)


@st.cache_resource(ttl=_LOOK_S, max_entries=64, show_spinner=False)
def _jobs(profile: str, name: str, _request: Request) -> Seen[tuple[Job, ...]]:
    del name  # only part of the key: what is asked for is the request's
    return Seen(value=jobs.listed(_quick_clients(profile), _request), at=datetime.now(UTC))


@st.cache_resource(ttl=_SAMPLES_S, max_entries=64, show_spinner=False)
def _output(profile: str, name: str, _job: Job) -> Mapping[str, bytes]:
    del name
    return jobs.output(_quick_clients(profile), _job)


def _explained(ask: Callable[[], Value]) -> Value:
    with explained():
        return ask()
