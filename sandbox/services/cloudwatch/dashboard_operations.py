"""The operations on dashboards, which are kept and given back."""

import json
import re
import time
from collections.abc import Iterator
from typing import Final

from sandbox.errors import AwsError
from sandbox.services.cloudwatch.alarm_operations import AlarmOperations
from sandbox.services.cloudwatch.faults import VALUE
from sandbox.services.cloudwatch.tokens import read_token, write_token
from sandbox.services.service import Answer, Context, Params

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")  # PutDashboard, CloudWatch API reference, read 2026-11-21
_PER_PAGE: Final = 1_000


class DashboardOperations(AlarmOperations):
    """Dashboards belong to the account, whatever the region."""

    def put_dashboard(self, context: Context, params: Params) -> Answer:
        """Create or replace a dashboard."""
        messages = list(_problems(params["DashboardName"], params["DashboardBody"]))
        if messages:
            told = [{"DataPath": path, "Message": message} for path, message in messages]
            raise AwsError(
                "InvalidParameterInput",
                f"The dashboard is invalid, there are {len(told)} validation errors: "
                + "; ".join(message for _, message in messages),
                fields={"dashboardValidationMessages": told},
            )
        self.database.write(
            "INSERT OR REPLACE INTO dashboards VALUES (?, ?, ?, ?)",
            (context.account, params["DashboardName"], params["DashboardBody"], time.time()),
        )
        if params.get("Tags"):
            self.tag(_arn(context, params["DashboardName"]), params["Tags"])
        return {"DashboardValidationMessages": []}

    def get_dashboard(self, context: Context, params: Params) -> Answer:
        """Give a dashboard as it was put."""
        name = params["DashboardName"]
        rows = self.database.read(
            "SELECT body FROM dashboards WHERE (account, name) = (?, ?)", (context.account, name)
        )  # fmt: skip
        if not rows:
            raise _not_found([name])
        return {"DashboardArn": _arn(context, name), "DashboardName": name, "DashboardBody": rows[0][0]}

    def list_dashboards(self, context: Context, params: Params) -> Answer:
        """List dashboards in order of their names."""
        rows = self.database.read(
            "SELECT name, modified, length(CAST(body AS BLOB)) FROM dashboards WHERE account = ? ORDER BY name",
            (context.account,),
        )
        entries = [
            {"DashboardName": name, "DashboardArn": _arn(context, name), "LastModified": modified, "Size": size}
            for name, modified, size in rows
            if name.startswith(params.get("DashboardNamePrefix", ""))
        ]
        (start,) = read_token(params, 1, VALUE) or [0]
        end = start + _PER_PAGE
        return {
            "DashboardEntries": entries[start:end],
            "NextToken": write_token(params, [end]) if end < len(entries) else None,
        }

    def delete_dashboards(self, context: Context, params: Params) -> None:
        """Delete dashboards, all or none."""
        names = set(params["DashboardNames"])
        with self.database.transaction() as connection:
            rows = connection.execute("SELECT name FROM dashboards WHERE account = ?", (context.account,))
            if missing := sorted(names - {name for (name,) in rows}):
                raise _not_found(missing)
            for name in names:
                connection.execute("DELETE FROM dashboards WHERE (account, name) = (?, ?)", (context.account, name))
                connection.execute("DELETE FROM tags WHERE arn = ?", (_arn(context, name),))


def _problems(name: str, body: str) -> Iterator[tuple[str, str]]:
    if not _NAME.fullmatch(name):
        yield "/", "The dashboard name must have 1 to 255 letters, digits, - or _"
    try:
        document = json.loads(body)
    except ValueError:
        yield "/", "The field DashboardBody must be a valid JSON object"
        return
    if not isinstance(document, dict) or not isinstance(document.get("widgets"), list):
        yield "/", 'The field DashboardBody must be an object with the list "widgets"'


def _not_found(names: list[str]) -> AwsError:
    return AwsError("ResourceNotFound", f"Dashboard {', '.join(names)} does not exist", status=404)


def _arn(context: Context, name: str) -> str:
    return f"arn:aws:cloudwatch::{context.account}:dashboard/{name}"
