"""What CloudFormation remembers: stacks, their resources, events, change sets, exports."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from sqlite3 import Connection
from typing import Any, Final

from sandbox.state import Database

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS stacks (
    id TEXT PRIMARY KEY, region TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS stacks_by_name ON stacks (region, name);
CREATE TABLE IF NOT EXISTS resources (
    id INTEGER PRIMARY KEY AUTOINCREMENT, stack_id TEXT NOT NULL, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS resources_by_stack ON resources (stack_id);
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, stack_id TEXT NOT NULL, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS events_by_stack ON events (stack_id);
CREATE TABLE IF NOT EXISTS change_sets (
    id TEXT PRIMARY KEY, stack_id TEXT NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (
    stack_id TEXT NOT NULL, token TEXT NOT NULL, request TEXT NOT NULL, PRIMARY KEY (stack_id, token));
CREATE TABLE IF NOT EXISTS exports (
    region TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, stack_id TEXT NOT NULL, PRIMARY KEY (region, name));
CREATE TABLE IF NOT EXISTS imports (
    stack_id TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (stack_id, region, name));
"""
STACK_TYPE: Final = "AWS::CloudFormation::Stack"


class Stage(StrEnum):
    """How far a resource is, apart from the status that clients see."""

    MAKING = "making"  # to be created, perhaps created already
    CHANGING = "changing"  # `before` is being turned into `properties`
    RESTORING = "restoring"  # the same on the way back, so `before` is what a failed update left
    READY = "ready"
    BROKEN = "broken"  # creation or change failed
    LEFT = "left"  # superseded, but could not be deleted; the next clean-up tries again
    GONE = "gone"  # deleted; kept to be shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a stack was asked to be."""

    template: str
    parameters: Mapping[str, str]
    tags: Sequence[Mapping[str, str]]
    capabilities: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One stack; times are ISO texts in UTC."""

    id: str
    name: str
    region: str
    status: str
    created: str
    version: Version
    reason: str | None = None
    updated: str | None = None
    deleted: str | None = None
    began: str | None = None  # the operation under way, for TimeoutInMinutes
    previous: Version | None = None  # the last one that stood, while an update is under way or failed
    on_failure: str = "ROLLBACK"
    protected: bool = False
    timeout_minutes: int | None = None
    role_arn: str | None = None
    token: str | None = None  # of the request whose operation is under way; events carry it
    description: str | None = None
    outputs: Sequence[Mapping[str, str]] = ()
    change_set_id: str | None = None
    skipped: Sequence[str] = ()  # resources to retain on deletion, or to leave as they are on a rollback

    @classmethod
    def read(cls, document: str) -> "Stack":
        """Read what `document` wrote."""
        fields = json.loads(document)
        for name in ("version", "previous"):
            if fields[name] is not None:
                fields[name] = Version(**fields[name])
        return cls(**fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource of a stack, from the intention to create it until it is deleted."""

    id: int = 0
    stack_id: str
    logical_id: str
    type: str
    properties: Mapping[str, Any]
    stage: Stage = Stage.MAKING
    status: str = ""
    reason: str | None = None
    touched: str = ""
    name: str | None = None  # set before it is created: from then on it may exist, and is ours
    physical_id: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] | None = None  # properties of the last version that stood, if changed since
    current: bool = True  # False: superseded or removed, to be deleted when the update stands
    fresh: bool = True  # created since the last version that stood
    depends: Sequence[str] = ()
    deletion_policy: str = "Delete"
    replace_policy: str = "Delete"
    metadata: Any = None

    @classmethod
    def read(cls, number: int, document: str) -> "Resource":
        """Read what `document` wrote."""
        fields = json.loads(document)
        fields["stage"] = Stage(fields["stage"])
        return cls(**{**fields, "id": number})


def now() -> str:
    """Give the time as it is stored."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Store:
    """The tables, read and written as values."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Stacks

    def add_stack(self, stack: Stack) -> None:
        """Write a new stack with its first event."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO stacks VALUES (?, ?, ?, ?, ?)",
                (stack.id, stack.region, stack.name, stack.status, _json(stack)),
            )
            _add_stack_event(connection, stack)

    def stack(self, stack_id: str) -> Stack:
        """Give a stack that is known to exist."""
        ((document,),) = self._database.read("SELECT document FROM stacks WHERE id = ?", (stack_id,))
        return Stack.read(document)

    def find(self, region: str, name_or_id: str) -> Stack | None:
        """Give the stack of that id, or the one of that name that is not deleted."""
        rows = self._database.read(
            "SELECT document FROM stacks WHERE region = ? AND (id = ? OR name = ? AND status != 'DELETE_COMPLETE')",
            (region, name_or_id, name_or_id),
        )
        return Stack.read(rows[0][0]) if rows else None

    def stacks(self, region: str | None = None) -> list[Stack]:
        """Give all stacks, deleted ones too, newest first."""
        rows = self._database.read(
            "SELECT document FROM stacks WHERE region = coalesce(?, region) ORDER BY rowid DESC", (region,)
        )
        return [Stack.read(document) for (document,) in rows]

    def advance(self, stack: Stack, status: str, reason: str | None = None, **changes: Any) -> bool:
        """Move a stack from the status it had when it was read to another; False if someone was faster."""
        with self._database.transaction() as connection:
            latest = _latest(connection, stack.id)
            if latest.status != stack.status:
                return False
            after = replace(latest, status=status, reason=reason, **changes)
            connection.execute(
                "UPDATE stacks SET status = ?, document = ? WHERE id = ?", (status, _json(after), stack.id)
            )
            _add_stack_event(connection, after)
        return True

    def amend(self, stack_id: str, **changes: Any) -> None:
        """Change what is no step of a stack's life, such as its protection."""
        with self._database.transaction() as connection:
            after = replace(_latest(connection, stack_id), **changes)
            connection.execute("UPDATE stacks SET document = ? WHERE id = ?", (_json(after), stack_id))

    # Resources

    def resources(self, stack_id: str) -> list[Resource]:
        """Give the resources of a stack in the order in which they were begun."""
        rows = self._database.read("SELECT id, document FROM resources WHERE stack_id = ? ORDER BY id", (stack_id,))
        return [Resource.read(number, document) for number, document in rows]

    def add_resource(self, resource: Resource, *, in_place_of: Resource | None = None) -> Resource:
        """Write a new resource, at once with what it supersedes; gives it with its number."""
        with self._database.transaction() as connection:
            if in_place_of is not None:
                superseded = _json(replace(in_place_of, current=False))
                connection.execute("UPDATE resources SET document = ? WHERE id = ?", (superseded, in_place_of.id))
            number = connection.execute(
                "INSERT INTO resources (stack_id, document) VALUES (?, ?)", (resource.stack_id, _json(resource))
            ).lastrowid
        assert number is not None  # noqa: S101 (an insert has one)
        return replace(resource, id=number)

    def save(self, *resources: Resource) -> None:
        """Write resources that clients need not hear about, together."""
        with self._database.transaction() as connection:
            for resource in resources:
                connection.execute("UPDATE resources SET document = ? WHERE id = ?", (_json(resource), resource.id))

    def drop(self, resource: Resource) -> None:
        """Forget a resource."""
        self._database.write("DELETE FROM resources WHERE id = ?", (resource.id,))

    def report(self, stack: Stack, resource: Resource, status: str, reason: str | None = None) -> Resource:
        """Write a resource with a new status, and the event that says so."""
        after = replace(resource, status=status, reason=reason, touched=now())
        with self._database.transaction() as connection:
            connection.execute("UPDATE resources SET document = ? WHERE id = ?", (_json(after), after.id))
            event = {
                "EventId": f"{after.logical_id}-{status}-{after.touched}",
                "LogicalResourceId": after.logical_id,
                "PhysicalResourceId": after.physical_id or "",
                "ResourceType": after.type,
                "ResourceProperties": json.dumps(after.properties),
            }
            _add_event(connection, stack, status, reason, event)
        return after

    # Events

    def events(self, stack_id: str, before: int | None, most: int) -> list[tuple[int, dict[str, Any]]]:
        """Give up to `most` events, newest first, older than number `before`."""
        rows = self._database.read(
            "SELECT id, document FROM events WHERE stack_id = ? AND id < coalesce(?, id + 1) ORDER BY id DESC LIMIT ?",
            (stack_id, before, most),
        )
        return [(number, json.loads(document)) for number, document in rows]

    # Change sets

    def add_change_set(self, stack_id: str, change_set: Mapping[str, Any]) -> None:
        """Write a change set."""
        self._database.write(
            "INSERT INTO change_sets VALUES (?, ?, ?, ?)",
            (change_set["id"], stack_id, change_set["name"], json.dumps(change_set)),
        )

    def change_sets(self, stack_id: str) -> list[dict[str, Any]]:
        """Give the change sets of a stack, newest first."""
        rows = self._database.read(
            "SELECT document FROM change_sets WHERE stack_id = ? ORDER BY rowid DESC", (stack_id,)
        )
        return [json.loads(document) for (document,) in rows]

    def change_set(self, change_set_id: str) -> dict[str, Any] | None:
        """Give a change set by its id."""
        rows = self._database.read("SELECT document FROM change_sets WHERE id = ?", (change_set_id,))
        return json.loads(rows[0][0]) if rows else None

    def save_change_set(self, change_set: Mapping[str, Any]) -> None:
        """Write a change set again."""
        self._database.write(
            "UPDATE change_sets SET document = ? WHERE id = ?", (json.dumps(change_set), change_set["id"])
        )

    def drop_change_set(self, change_set_id: str) -> None:
        """Forget a change set."""
        self._database.write("DELETE FROM change_sets WHERE id = ?", (change_set_id,))

    # What requests and other stacks refer to

    def request_of(self, stack_id: str, token: str) -> str | None:
        """Give the request that came with a token."""
        rows = self._database.read("SELECT request FROM tokens WHERE stack_id = ? AND token = ?", (stack_id, token))
        return str(rows[0][0]) if rows else None

    def remember(self, stack_id: str, token: str, request: str) -> None:
        """Keep the request that came with a token."""
        self._database.write("INSERT OR IGNORE INTO tokens VALUES (?, ?, ?)", (stack_id, token, request))

    def exports(self, region: str) -> dict[str, tuple[str, str]]:
        """Give the exports of a region: name -> value and stack."""
        rows = self._database.read(
            "SELECT name, value, stack_id FROM exports WHERE region = ? ORDER BY name", (region,)
        )
        return {name: (value, stack_id) for name, value, stack_id in rows}

    def importers(self, region: str, name: str) -> list[str]:
        """Give the ids of the stacks that import a value."""
        rows = self._database.read(
            "SELECT stack_id FROM imports WHERE region = ? AND name = ? ORDER BY stack_id", (region, name)
        )
        return [stack_id for (stack_id,) in rows]

    def trade(self, stack: Stack, exported: Mapping[str, str], imported: Sequence[str]) -> None:
        """Replace what a stack exports and imports."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM exports WHERE stack_id = ?", (stack.id,))
            connection.execute("DELETE FROM imports WHERE stack_id = ?", (stack.id,))
            connection.executemany(
                "INSERT INTO exports VALUES (?, ?, ?, ?)",
                [(stack.region, name, value, stack.id) for name, value in exported.items()],
            )
            connection.executemany(
                "INSERT INTO imports VALUES (?, ?, ?)", [(stack.id, stack.region, name) for name in imported]
            )


def _latest(connection: Connection, stack_id: str) -> Stack:
    ((document,),) = connection.execute("SELECT document FROM stacks WHERE id = ?", (stack_id,)).fetchall()
    return Stack.read(document)


def _json(value: Stack | Resource) -> str:
    return json.dumps(asdict(value))


def _add_stack_event(connection: Connection, stack: Stack) -> None:
    event = {
        "EventId": str(uuid.uuid4()),
        "LogicalResourceId": stack.name,
        "PhysicalResourceId": stack.id,
        "ResourceType": STACK_TYPE,
    }
    _add_event(connection, stack, stack.status, stack.reason, event)


def _add_event(connection: Connection, stack: Stack, status: str, reason: str | None, event: Mapping[str, str]) -> None:
    document = {
        **event,
        "StackId": stack.id,
        "StackName": stack.name,
        "Timestamp": now(),
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
        "ClientRequestToken": stack.token,
    }
    connection.execute("INSERT INTO events (stack_id, document) VALUES (?, ?)", (stack.id, json.dumps(document)))
