"""Who holds which role, by what the identity provider says and the table of members."""

import pytest
import streamlit as st

from ui import roles
from ui.errors import NotAllowedError
from ui.roles import Role

BOTH = {Role.ARCHITECTS, Role.OPERATIONS}
ADA = {"is_logged_in": True, "email": "ada@example.org"}


def test_without_a_table_whoever_has_signed_in_plans_and_nobody_launches():
    assert roles.roles_of(ADA, {}) == {Role.ARCHITECTS}


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "Ada@Example.org"},
        {"email": "ada@example.org", "email_verified": True},
        {"groups": ["staff", "ml-ops"]},
        {"groups": "ml-ops"},
    ],
)
def test_a_member_by_address_or_group_has_the_role(claims):
    assert roles.roles_of(claims, {"operations": ["ada@example.org", "group:ml-ops"]}) == BOTH


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "ada@example.org", "email_verified": False},
        {"email": "group:ml-ops"},
        {"email": ""},
        {"groups": ["ml-ops-readers"]},
        {"groups": ["ada@example.org"]},
        {"groups": {"ml-ops": True}},
        {"roles": ["ml-ops"]},
        {},
    ],
)
def test_nobody_else_has_it(claims):
    table = {"architects": [], "operations": ["ada@example.org", "group:ml-ops"]}
    assert roles.roles_of(claims, table) == set()


def test_a_word_in_place_of_a_list_gives_nobody_the_role():
    assert roles.roles_of(ADA, {"architects": "*", "operations": "ada@example.org"}) == set()


@pytest.mark.parametrize(
    ("claim", "claims"),
    [
        ("cognito:groups", {"cognito:groups": ["ml-ops"]}),
        ("realm_access.roles", {"realm_access": {"roles": ["ml-ops"]}}),
        ("https://example.org/groups", {"https://example.org/groups": ["ml-ops"]}),
    ],
)
def test_the_claim_with_the_groups_is_a_setting(claim, claims):
    table = {"groups_claim": claim, "operations": ["group:ml-ops"]}
    assert Role.OPERATIONS in roles.roles_of(claims, table)
    assert Role.OPERATIONS not in roles.roles_of({"groups": ["ml-ops"]}, table)


def test_everybody_who_has_signed_in_may_be_named():
    assert roles.roles_of({"sub": "1"}, {"operations": ["*"]}) == BOTH


def test_the_local_user_of_an_installation_without_sign_in_has_every_role(monkeypatch):
    monkeypatch.setattr(st, "user", {})
    assert roles.held() == BOTH
    assert roles.person() == "local user"
    roles.require(Role.OPERATIONS)


def test_a_stranger_has_none(monkeypatch):
    monkeypatch.setattr(st, "user", {"is_logged_in": False})
    assert roles.held() == set()
    with pytest.raises(NotAllowedError, match="takes the role operations"):
        roles.require(Role.OPERATIONS)


def test_an_architect_is_refused_with_the_role_that_it_takes(monkeypatch):
    monkeypatch.setattr(st, "user", ADA)
    monkeypatch.setattr(st, "secrets", {"roles": {"operations": ["grace@example.org"]}})
    with pytest.raises(NotAllowedError, match=r"operations, which ada@example\.org does not have"):
        roles.require(Role.OPERATIONS)
