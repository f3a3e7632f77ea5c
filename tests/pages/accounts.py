"""An account for page tests that answers at once: what runs in it, and nothing goes over the network."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st

from launch.launched import Launched, launched_of
from launch.request import Container, Model, Request
from ui import account, cloud, data, launching

NOW = datetime.now(UTC)
ADA = {"is_logged_in": True, "email": "ada@example.org"}


def launched(name: str = "iris", status: str = "CREATE_COMPLETE", *, age_h: float = 2, **tags: str) -> Launched:
    """Give a launch of 0.115 USD an hour."""
    own = {
        "hostfit:launch": name,
        "hostfit:option": "real_time",
        "hostfit:token": "t",
        "hostfit:usd-per-hour": "0.115",
        "hostfit:by": "ada",
        **{f"hostfit:{key}": value for key, value in tags.items()},
    }
    return launched_of(
        {
            "StackName": name,
            "StackId": f"arn:aws:cloudformation:us-east-1:111122223333:stack/{name}/1",
            "StackStatus": status,
            "CreationTime": NOW - timedelta(hours=age_h),
            "Tags": [{"Key": key, "Value": value} for key, value in own.items()],
        }
    )


def open_account(monkeypatch: Any, launches: Iterable[Launched] = (), *, is_sandbox: bool = False) -> None:
    """Let the app talk to an account in which these run; models resolve to one image."""
    running = tuple(launches)
    found = {key: one for one in running for key in (one.name, one.stack_id)}
    here = account.Account(cloud="prod", id="111122223333", region="us-east-1", is_sandbox=is_sandbox)
    monkeypatch.setattr(data, "account_choices", lambda: ["prod"])
    monkeypatch.setattr(data, "account", lambda profile: here)
    monkeypatch.setattr(cloud, "samples_here", lambda: ())
    monkeypatch.setattr(cloud, "clients", lambda place: None)
    monkeypatch.setattr(
        cloud,
        "launched",
        lambda: cloud.Seen(value=running, at=NOW),
    )
    monkeypatch.setattr(cloud, "look", lambda name: cloud.Seen(value=found.get(name), at=NOW))
    monkeypatch.setattr(launching.models, "resolve", resolved)


def resolved(request: Request, clients: object, *, upload: bool = True) -> Request:
    """Give the request with a container for each model."""

    def made(one: Model) -> Container:
        image = "111122223333.dkr.ecr.us-east-1.amazonaws.com/own:1"
        return Container(image=image, model_data_url=one.source, name=one.name)

    return replace(
        request,
        containers=tuple(made(one) for one in request.models),
        variants=tuple(replace(one, container=made(one.model)) for one in request.variants),
    )


def sign_in(monkeypatch: Any, roles: dict[str, list[str]]) -> None:
    """Let Ada be signed in, with the roles of a table."""
    monkeypatch.setattr(st, "user", ADA)
    monkeypatch.setattr(st, "secrets", {"roles": roles})
