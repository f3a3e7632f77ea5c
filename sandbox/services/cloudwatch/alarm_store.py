"""Alarms, their history and the actions that wait to be carried out, in one file."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sandbox.services.cloudwatch.alarm_evaluation import ALARM, INSUFFICIENT, OK
from sandbox.state import Database

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS alarms (
    account TEXT, region TEXT, name TEXT, kind TEXT, definition TEXT, state TEXT, reason TEXT, reason_data TEXT,
    configured_at REAL, state_at REAL, transitioned_at REAL, problem TEXT, held_until REAL, revision INTEGER,
    PRIMARY KEY (account, region, name)
);
CREATE TABLE IF NOT EXISTS history (
    id INTEGER PRIMARY KEY, account TEXT, region TEXT, name TEXT, kind TEXT, time REAL, type TEXT, summary TEXT,
    data TEXT
);
CREATE INDEX IF NOT EXISTS history_of_alarm ON history (account, region, time);
CREATE TABLE IF NOT EXISTS actions (
    id INTEGER PRIMARY KEY, account TEXT, region TEXT, name TEXT, kind TEXT, arn TEXT, subject TEXT, message TEXT
);
CREATE TABLE IF NOT EXISTS dashboards (
    account TEXT, name TEXT, body TEXT, modified REAL, PRIMARY KEY (account, name)
);
CREATE TABLE IF NOT EXISTS tags (arn TEXT, key TEXT, value TEXT, PRIMARY KEY (arn, key));
"""

METRIC, COMPOSITE = "MetricAlarm", "CompositeAlarm"
ACTIONS: Final = {OK: "OKActions", ALARM: "AlarmActions", INSUFFICIENT: "InsufficientDataActions"}
_COLUMNS: Final = (
    "account, region, name, kind, definition, state, reason, reason_data, configured_at, state_at, transitioned_at, "
    "problem, held_until, revision"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm as it is kept. Times are epoch seconds; `problem` is set while it can't be evaluated."""

    account: str
    region: str
    name: str
    kind: str
    definition: dict[str, Any]
    state: str
    reason: str
    reason_data: str | None
    configured_at: float
    state_at: float
    transitioned_at: float
    problem: str | None
    held_until: float
    revision: int

    @property
    def arn(self) -> str:
        """The name of the alarm among all resources."""
        return f"arn:aws:cloudwatch:{self.region}:{self.account}:alarm:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A new state of an alarm, with what is sent to each of its actions."""

    state: str
    reason: str
    reason_data: str | None
    problem: str | None = None
    held_until: float = 0.0
    subject: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """An action that waits to be carried out."""

    id: int
    account: str
    region: str
    name: str
    kind: str
    arn: str
    subject: str
    message: str


class AlarmStore:
    """Every change of an alarm, its history and its actions are kept together or not at all."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, account: str, region: str, kind: str, definition: dict[str, Any], *, now: float) -> bool:
        """Create an alarm, or change its definition and nothing else; tells whether it is new."""
        name = definition["AlarmName"]
        with self._database.transaction() as connection:
            found = connection.execute(
                "SELECT kind FROM alarms WHERE (account, region, name) = (?, ?, ?)", (account, region, name)
            ).fetchone()
            text = json.dumps(definition)
            if found is None:
                reason = "Unchecked: Initial alarm creation"
                connection.execute(
                    f"INSERT INTO alarms ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, NULL, 0, 1)",  # noqa: S608
                    (account, region, name, kind, text, INSUFFICIENT, reason, now, now, now),
                )
            else:
                connection.execute(
                    "UPDATE alarms SET kind = ?, definition = ?, configured_at = ?, revision = revision + 1 "
                    "WHERE (account, region, name) = (?, ?, ?)",
                    (kind, text, now, account, region, name),
                )
            summary = f'Alarm "{name}" {"created" if found is None else "updated"}'
            data = {"version": "1.0", "type": "Create" if found is None else "Update"}
            _remember(connection, (account, region, name, kind), now, "ConfigurationUpdate", summary, data)
        return found is None

    def find(self, account: str, region: str, names: Sequence[str] | None = None) -> list[Alarm]:
        """Give alarms in order of their names: all, or those of some names that exist."""
        where, values = "account = ? AND region = ?", [account, region]
        if names is not None:
            where += f" AND name IN ({', '.join('?' * len(names))})"
            values += names
        return self._select(where, values)

    def everything(self) -> list[Alarm]:
        """Give the alarms of all accounts and regions."""
        return self._select("1", [])

    def _select(self, where: str, values: Sequence[str]) -> list[Alarm]:
        rows = self._database.read(
            f"SELECT {_COLUMNS} FROM alarms WHERE {where} ORDER BY account, region, name",  # noqa: S608 (own names)
            values,
        )
        names = _COLUMNS.split(", ")
        found = (dict(zip(names, row, strict=True)) for row in rows)
        return [Alarm(**{**row, "definition": json.loads(row["definition"])}) for row in found]

    def move(self, alarm: Alarm, change: Change, *, now: float) -> bool:
        """Give an alarm another state, unless it has changed since it was read; tells whether it did.

        A change of the state's value is history, and calls for the actions of that state.
        """
        moved = change.state != alarm.state
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "UPDATE alarms SET state = ?, reason = ?, reason_data = ?, problem = ?, held_until = ?, state_at = ?, "
                "transitioned_at = ?, revision = revision + 1 "
                "WHERE (account, region, name, revision) = (?, ?, ?, ?)",
                (
                    change.state, change.reason, change.reason_data, change.problem, change.held_until, now,
                    now if moved else alarm.transitioned_at,
                    alarm.account, alarm.region, alarm.name, alarm.revision,
                ),
            )  # fmt: skip
            if cursor.rowcount and moved:
                who = (alarm.account, alarm.region, alarm.name, alarm.kind)
                summary = f"Alarm updated from {alarm.state} to {change.state}"
                data = {
                    "version": "1.0",
                    "oldState": _state(alarm.state, alarm.reason, alarm.reason_data),
                    "newState": _state(change.state, change.reason, change.reason_data),
                }
                _remember(connection, who, now, "StateUpdate", summary, data)
                if alarm.definition.get("ActionsEnabled", True):
                    connection.executemany(
                        "INSERT INTO actions (account, region, name, kind, arn, subject, message) "
                        "VALUES (?, ?, ?, ?, ?, ?, ?)",
                        [
                            (*who, arn, change.subject, change.message)
                            for arn in alarm.definition.get(ACTIONS[change.state], ())
                        ],
                    )
            return bool(cursor.rowcount)

    def enable_actions(self, account: str, region: str, names: Sequence[str], *, enabled: bool, now: float) -> None:
        """Turn the actions of some alarms on or off."""
        for alarm in self.find(account, region, names):
            definition = {**alarm.definition, "ActionsEnabled": enabled}
            self.put(account, region, alarm.kind, definition, now=now)

    def delete(self, alarms: Sequence[Alarm], *, now: float) -> None:
        """Delete alarms with their tags and the actions that wait; their history stays."""
        with self._database.transaction() as connection:
            for alarm in alarms:
                key = (alarm.account, alarm.region, alarm.name)
                for table in ("alarms", "actions"):
                    connection.execute(f"DELETE FROM {table} WHERE (account, region, name) = (?, ?, ?)", key)  # noqa: S608
                connection.execute("DELETE FROM tags WHERE arn = ?", (alarm.arn,))
                data = {"version": "1.0", "type": "Delete"}
                summary = f'Alarm "{alarm.name}" deleted'
                _remember(connection, (*key, alarm.kind), now, "ConfigurationUpdate", summary, data)

    def waiting(self) -> list[Action]:
        """Give the actions that wait, oldest first."""
        columns = ("id", "account", "region", "name", "kind", "arn", "subject", "message")
        rows = self._database.read(f"SELECT {', '.join(columns)} FROM actions ORDER BY id")  # noqa: S608
        return [Action(**dict(zip(columns, row, strict=True))) for row in rows]

    def done(self, action: Action, problem: str | None, *, now: float) -> None:
        """Take an action from those that wait, and remember how it went."""
        verb = "Successfully executed" if problem is None else "Failed to execute"
        data = {
            "actionState": "Succeeded" if problem is None else "Failed",
            "notificationResource": action.arn,
            "error": problem,
        }
        who = (action.account, action.region, action.name, action.kind)
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM actions WHERE id = ?", (action.id,))
            _remember(connection, who, now, "Action", f"{verb} action {action.arn}"[:255], data)

    def history(self, account: str, region: str) -> list[dict[str, Any]]:
        """Give the history of all alarms of a region, oldest first, with an `Id` for pages."""
        names = ("Id", "AlarmName", "AlarmType", "Timestamp", "HistoryItemType", "HistorySummary", "HistoryData")
        rows = self._database.read(
            "SELECT id, name, kind, time, type, summary, data FROM history WHERE account = ? AND region = ? "
            "ORDER BY time, id",
            (account, region),
        )
        return [dict(zip(names, row, strict=True)) for row in rows]


def _state(value: str, reason: str, data: str | None) -> dict[str, Any]:
    told = {"stateValue": value, "stateReason": reason}
    return told if data is None else {**told, "stateReasonData": json.loads(data)}


def _remember(
    connection: sqlite3.Connection, who: tuple[str, str, str, str], now: float, kind: str, summary: str, data: object
) -> None:
    connection.execute(
        "INSERT INTO history (account, region, name, kind, time, type, summary, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (*who, now, kind, summary, json.dumps(data)),
    )
