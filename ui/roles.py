"""Who may do what: roles by group of the identity provider, or by e-mail address.

Roles are the section `roles` of the secrets: a role and its members. A member is an e-mail address, a group of the
identity provider as `group:NAME`, or `*` for everybody who has signed in. `groups_claim` there names the claim that
holds a person's groups. An installation without sign-in has one local user, who has every role.
"""

from collections.abc import Mapping
from enum import StrEnum

import streamlit as st

from ui.errors import NotAllowedError

GROUPS_CLAIM = "groups"
LOCAL = "local user"
_GROUP = "group:"
_EVERYBODY = "*"


class Role(StrEnum):
    """What a person may do; a page belongs to one or more."""

    ARCHITECTS = "architects"
    OPERATIONS = "operations"


# Whoever has signed in may plan, unless the secrets say who. What costs money is for those alone who are named.
_OPEN = frozenset({Role.ARCHITECTS})


def has_sign_in() -> bool:
    """Whether this installation asks people who they are (Streamlit knows it by its secrets)."""
    return "is_logged_in" in st.user


def is_signed_in() -> bool:
    """Whether a person may enter: everybody on an installation without sign-in configured."""
    return not has_sign_in() or st.user.get("is_logged_in") is True


def held() -> frozenset[Role]:
    """Give the roles of the person of this session, as of now."""
    if not has_sign_in():
        return frozenset(Role)
    if not is_signed_in():
        return frozenset()
    return roles_of(dict(st.user), st.secrets.get("roles", {}))


def require(role: Role) -> None:
    """Let only those go on who have the role; whatever acts asks here, whoever drew its button.

    Raises: NotAllowedError.
    """
    if role not in held():
        raise NotAllowedError(
            f"this takes the role {role}, which {person()} does not have; ask whoever runs this installation"
        )


def person() -> str:
    """Name the person of this session, for a tag and for messages."""
    if not has_sign_in():
        return LOCAL
    return str(st.user.get("email") or st.user.get("name") or st.user.get("sub") or "somebody")


def roles_of(claims: Mapping[str, object], table: Mapping[str, object]) -> frozenset[Role]:
    """Give the roles that a table of members gives to whoever has these claims.

    An address that the provider calls unverified is none.

    >>> table = {"operations": ["group:ml-ops", "ada@example.org"]}
    >>> sorted(roles_of({"groups": ["ml-ops"]}, table))
    [<Role.ARCHITECTS: 'architects'>, <Role.OPERATIONS: 'operations'>]
    >>> sorted(roles_of({"email": "eve@example.org"}, table))
    [<Role.ARCHITECTS: 'architects'>]
    """
    is_verified = claims.get("email_verified") is not False
    address = str(claims.get("email") or "").casefold() if is_verified else ""
    names = {f"{_GROUP}{group}" for group in _groups(claims, str(table.get("groups_claim", GROUPS_CLAIM)))}
    held = set()
    for role in Role:
        members = table.get(role)
        if members is None:
            if role in _OPEN:
                held.add(role)
        elif isinstance(members, list | tuple):
            entries = {str(member) for member in members}
            addresses = {entry.casefold() for entry in entries if not entry.startswith(_GROUP)}
            if _EVERYBODY in entries or names & entries or (address and address in addresses):
                held.add(role)
    return frozenset(held)


def _groups(claims: Mapping[str, object], claim: str) -> set[str]:
    """Give the groups of a claim; a name with dots leads into claims that hold others, `realm_access.roles`."""
    found: object = claims.get(claim)
    if found is None:
        found = claims
        for part in claim.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return {found}
    return {str(group) for group in found} if isinstance(found, list | tuple) else set()
