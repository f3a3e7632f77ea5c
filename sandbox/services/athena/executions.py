"""Query executions: started, watched, stopped, and their results by pages."""

import contextlib
import json
import os
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Any, Final

import duckdb
from botocore.exceptions import BotoCoreError, ClientError

from sandbox.cloud import Cloud
from sandbox.errors import AwsError
from sandbox.services.athena import statements
from sandbox.services.athena.engine import Engine
from sandbox.services.athena.errors import QueryFailed, QueryRefused
from sandbox.services.athena.paging import page, token_place
from sandbox.services.athena.resources import ENGINE, Resources, invalid
from sandbox.services.athena.results import read_page
from sandbox.services.athena.runner import Job, Outcome, Runner
from sandbox.services.athena.statements import Statement
from sandbox.services.service import Answer, Context, Params

_AT_ONCE: Final = 8  # queries that run together; the others are QUEUED
_MOST_ROWS: Final = 1000  # of a page; Athena API reference, GetQueryResults, read 2026-11-21
_LONGEST_QUERY: Final = 262_144  # bytes; Athena user guide, service quotas, read 2026-11-21
# Athena's quota "DML query timeout"; Athena user guide, service quotas, read 2026-11-21.
_LONGEST_RUN_S: Final = float(os.environ.get("HOSTFIT_SANDBOX_QUERY_S") or 30 * 60)
_INTERRUPT_EVERY_S: Final = 0.05
_UNFINISHED: Final = ("QUEUED", "RUNNING")
_INTERRUPTED: Final = "The sandbox stopped while this query was under way. Run it again."


class Executions(Resources):
    """The operations on query executions; part of the service."""

    cloud: Cloud
    engine: Engine
    _jobs: dict[str, Job]
    _places: threading.Semaphore
    _lock: threading.Lock

    def runner(self, region: str) -> Runner:
        """Give what runs the statements of a region."""
        raise NotImplementedError

    def fail_interrupted(self) -> None:
        """Say of the queries that ran when the process ended that they failed. Called once, at the start."""
        self._jobs = {}
        self._places = threading.Semaphore(_AT_ONCE)
        self._lock = threading.Lock()
        rows = self.database.read("SELECT id, facts FROM executions WHERE state IN ('QUEUED', 'RUNNING')")
        for identity, facts in rows:
            self._finish(identity, json.loads(facts), "FAILED", _INTERRUPTED)

    # Starting.

    def start_query_execution(self, context: Context, params: Params) -> Answer:
        """Take a query, and run it in the background."""
        text = params["QueryString"]
        if len(text.encode()) > _LONGEST_QUERY:
            raise invalid(f"The query string is longer than {_LONGEST_QUERY} bytes")
        group = self.work_group(context, params.get("WorkGroup"))
        if group["State"] != "ENABLED":
            raise invalid(f"WorkGroup {group['Name']} is disabled.")
        output = _output(params, group)
        bucket = output.removeprefix("s3://").partition("/")[0]
        if bucket not in {name for name, _ in self.cloud.objects.buckets()}:
            raise invalid(f"Unable to verify/create output bucket {bucket}")
        try:
            statement = statements.read(text)
        except QueryRefused as err:
            raise AwsError("InvalidRequestException", str(err), fields={"AthenaErrorCode": "MALFORMED_QUERY"}) from err
        token = params.get("ClientRequestToken")
        with self._lock:
            known = self.database.read(
                "SELECT e.id, e.text FROM tokens t JOIN executions e ON e.id = t.id WHERE t.region = ? AND t.token = ?",
                (context.region, token or ""),
            )
            if known and known[0][1] != text:
                raise invalid("Idempotent parameters do not match")
            if known:
                return {"QueryExecutionId": known[0][0]}
            identity = str(uuid.uuid4())
            facts = _facts(identity, params, group["Name"], statement, output)
            reused = self._reusable(context, params, group["Name"])
            if reused is not None:
                facts.update(reused=True, output=reused["output"], columns=reused["columns"])
            with self.database.transaction() as connection:
                connection.execute(
                    "INSERT INTO executions VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (identity, context.region, group["Name"], facts["submitted"], "QUEUED", text, json.dumps(facts)),
                )
                if token:
                    connection.execute("INSERT INTO tokens VALUES (?, ?, ?)", (context.region, token, identity))
        if reused is not None:
            self._finish(identity, facts, "SUCCEEDED")
            return {"QueryExecutionId": identity}
        job = Job(
            execution_id=identity,
            statement=statement,
            database=facts["database"],
            output=output,
            parameters=list(params.get("ExecutionParameters") or []),
            cursor=self.engine.cursor(),
            prepared=lambda name: self._prepared_text(context, group["Name"], name),
        )
        self._jobs[identity] = job
        self.cloud.background(self._run, context, job, facts)
        return {"QueryExecutionId": identity}

    def _prepared_text(self, context: Context, group: str, name: str) -> str:
        try:
            found = self.get_prepared_statement(context, {"WorkGroup": group, "StatementName": name})
        except AwsError as err:
            raise QueryFailed(
                "PREPARED_STATEMENT_NOT_FOUND", f"PreparedStatement {name} was not found in workGroup {group}"
            ) from err
        text: str = found["PreparedStatement"]["QueryStatement"]
        return text

    def _reusable(self, context: Context, params: Params, group: str) -> dict[str, Any] | None:
        """Give an earlier execution of the same query whose result may be given again."""
        ages = (params.get("ResultReuseConfiguration") or {}).get("ResultReuseByAgeConfiguration") or {}
        if not ages.get("Enabled"):
            return None
        since = time.time() - 60 * (ages.get("MaxAgeInMinutes") or 60)
        rows = self.database.read(
            "SELECT facts FROM executions WHERE region = ? AND work_group = ? AND submitted >= ? AND text = ? "
            "AND state = 'SUCCEEDED' ORDER BY submitted DESC LIMIT 20",
            (context.region, group, since, params["QueryString"]),
        )
        database = (params.get("QueryExecutionContext") or {}).get("Database") or "default"
        for (text,) in rows:
            facts: dict[str, Any] = json.loads(text)
            same = facts["database"] == database.lower() and facts["parameters"] == params.get("ExecutionParameters")
            if same and facts["substatement"] == "SELECT" and self._object(facts["output"]) is not None:
                return facts
        return None

    def _run(self, context: Context, job: Job, facts: dict[str, Any]) -> None:
        with self._places:
            facts["started"] = time.time()
            started = self.database.write(
                "UPDATE executions SET state = 'RUNNING', facts = ? WHERE id = ? AND state = 'QUEUED'",
                (json.dumps(facts), job.execution_id),
            )
            clock = threading.Timer(_LONGEST_RUN_S, self._end, (job.execution_id, facts, "FAILED", "Query timeout"))
            clock.daemon = True
            try:
                if not started:  # it was stopped while it waited
                    return
                clock.start()
                outcome = self._outcome(context, job)
                facts.update(
                    output=outcome.output, columns=outcome.columns, update_count=outcome.update_count,
                    manifest=outcome.manifest, bytes_read=outcome.bytes_read, rows=outcome.rows,
                )  # fmt: skip
                self._finish(job.execution_id, facts, "SUCCEEDED")
            except QueryFailed as err:
                self._finish(job.execution_id, facts, "FAILED", str(err))
            except Exception as err:
                self._finish(job.execution_id, facts, "FAILED", f"GENERIC_INTERNAL_ERROR: {type(err).__name__}: {err}")
                raise
            finally:
                clock.cancel()
                self._jobs.pop(job.execution_id, None)
                job.cursor.close()

    def _outcome(self, context: Context, job: Job) -> Outcome:
        try:
            if job.statement.substatement in {"PREPARE", "DEALLOCATE"}:
                return self._prepare_by_statement(context, job)
            return self.runner(context.region).run(job)
        except duckdb.InterruptException as err:
            raise QueryFailed("CANCELLED", "Query cancelled by user") from err
        except (ClientError, BotoCoreError) as err:
            raise QueryFailed("GENERIC_INTERNAL_ERROR", str(err)) from err

    def _prepare_by_statement(self, context: Context, job: Job) -> Outcome:
        words = job.statement.text.split(None, 3)
        group = json.loads(self.database.read("SELECT facts FROM executions WHERE id = ?", (job.execution_id,))[0][0])[
            "work_group"
        ]
        if job.statement.substatement == "DEALLOCATE":
            self.delete_prepared_statement(context, {"WorkGroup": group, "StatementName": words[2].strip('"')})
        elif len(words) < 4 or words[2].upper() != "FROM":
            raise QueryFailed("SYNTAX_ERROR", "line 1:1: expected PREPARE name FROM statement")
        else:
            self._prepare(context, group, {"StatementName": words[1].strip('"'), "QueryStatement": words[3]})
        return self.runner(context.region).nothing(job)

    def _finish(self, identity: str, facts: dict[str, Any], state: str, reason: str | None = None) -> None:
        facts.update(finished=time.time(), reason=reason)
        self.database.write(
            "UPDATE executions SET state = ?, facts = ? WHERE id = ? AND state IN ('QUEUED', 'RUNNING')",
            (state, json.dumps(facts), identity),
        )

    # Watching.

    def _found(self, context: Context, identity: str) -> tuple[str, dict[str, Any], str]:
        rows = self.database.read(
            "SELECT state, facts, text FROM executions WHERE id = ? AND region = ?", (identity, context.region)
        )
        if not rows:
            raise invalid(f"QueryExecution {identity} was not found")
        state, facts, text = rows[0]
        return state, json.loads(facts), text

    def get_query_execution(self, context: Context, params: Params) -> Answer:
        """Describe an execution."""
        return {"QueryExecution": _described(*self._found(context, params["QueryExecutionId"]))}

    def batch_get_query_execution(self, context: Context, params: Params) -> Answer:
        """Describe several executions."""
        found, missing = [], []
        for identity in params["QueryExecutionIds"]:
            try:
                found.append(_described(*self._found(context, identity)))
            except AwsError as err:
                missing.append(
                    {"QueryExecutionId": identity, "ErrorCode": "INVALID_INPUT", "ErrorMessage": err.message}
                )
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def list_query_executions(self, context: Context, params: Params) -> Answer:
        """List the ids of a work group's executions, the latest first."""
        group = self.work_group(context, params.get("WorkGroup"))["Name"]
        rows = self.database.read(
            "SELECT id FROM executions WHERE region = ? AND work_group = ? ORDER BY submitted DESC",
            (context.region, group),
        )
        return page("QueryExecutionIds", [identity for (identity,) in rows], params, most=50)

    def stop_query_execution(self, context: Context, params: Params) -> Answer:
        """End an execution; one that has ended stays as it is."""
        identity = params["QueryExecutionId"]
        state, facts, _ = self._found(context, identity)
        if state in _UNFINISHED:
            self._end(identity, facts, "CANCELLED", "Query cancelled by user")
        return {}

    def _end(self, identity: str, facts: dict[str, Any], state: str, reason: str) -> None:
        """Say at once how an execution ends, then make it end."""
        self._finish(identity, dict(facts), state, reason)
        job = self._jobs.get(identity)
        if job is not None:
            job.cancelled.set()
            self.cloud.background(self._interrupt, job)

    def _interrupt(self, job: Job) -> None:
        """Interrupt a query until it ends: an interrupt that comes between two of its steps is lost."""
        while job.execution_id in self._jobs:
            with contextlib.suppress(duckdb.Error):  # it may just have closed its cursor
                job.cursor.interrupt()
            time.sleep(_INTERRUPT_EVERY_S)

    # Results.

    def _object(self, location: str) -> Any:
        bucket, _, key = location.removeprefix("s3://").partition("/")
        return next((found for found in self.cloud.objects.listing(bucket, key) if found.key == key), None)

    def _succeeded(self, context: Context, identity: str) -> dict[str, Any]:
        state, facts, _ = self._found(context, identity)
        if state in _UNFINISHED:
            raise invalid(f"Query has not yet finished. Current state: {state}")
        if state != "SUCCEEDED":
            raise invalid(f"Query did not finish successfully. Final query state: {state}")
        return facts

    def get_query_results(self, context: Context, params: Params) -> Answer:
        """Give a page of a result: the names of a query's columns are its first row."""
        facts = self._succeeded(context, params["QueryExecutionId"])
        most = params.get("MaxResults") or _MOST_ROWS
        if most > _MOST_ROWS:
            raise invalid(f"MaxResults is more than maximum allowed length {_MOST_ROWS}.")
        rows: list[Any] = []
        following = None
        if facts["output"].endswith((".csv", ".txt")):
            stored = self._object(facts["output"])
            if stored is None:
                raise invalid(f"Could not find results: the object {facts['output']} is gone")
            rows, following = read_page(stored.path, token_place(params), most, is_csv=facts["output"].endswith(".csv"))
        return {
            "UpdateCount": facts.get("update_count") or 0,
            "ResultSet": {"Rows": rows, "ResultSetMetadata": {"ColumnInfo": facts.get("columns") or []}},
            "NextToken": str(following) if following is not None else None,
        }

    def get_query_runtime_statistics(self, context: Context, params: Params) -> Answer:
        """Give times and counts of an execution that has ended."""
        state, facts, _ = self._found(context, params["QueryExecutionId"])
        if state in _UNFINISHED:
            raise invalid(f"Query has not yet finished. Current state: {state}")
        rows = facts.get("update_count") or facts.get("rows", 0)
        timeline = {k: v for k, v in _statistics(facts).items() if k.endswith("InMillis")}
        return {
            "QueryRuntimeStatistics": {
                "Timeline": timeline,
                "Rows": {"InputBytes": facts.get("bytes_read", 0), "OutputRows": rows},
            }
        }


def _output(params: Params, group: dict[str, Any]) -> str:
    """Give the folder of the results. Raises: AwsError, if neither the call nor the work group names one."""
    asked = (params.get("ResultConfiguration") or {}).get("OutputLocation")
    configuration = group["Configuration"]
    own = (configuration.get("ResultConfiguration") or {}).get("OutputLocation")
    enforced = configuration.get("EnforceWorkGroupConfiguration")
    location = own if own and (enforced or not asked) else asked
    if not location:
        raise invalid(
            "No output location provided. An output location is required either through the Workgroup result "
            "configuration setting or as an API input."
        )
    if not location.startswith("s3://"):
        raise invalid(f"outputLocation is not a valid S3 path: {location}")
    return location if location.endswith("/") else f"{location}/"


def _facts(identity: str, params: Params, group: str, statement: Statement, output: str) -> dict[str, Any]:
    asked = params.get("QueryExecutionContext") or {}
    return {
        "id": identity,
        "work_group": group,
        "kind": statement.kind,
        "substatement": statement.substatement,
        "database": (asked.get("Database") or "default").lower(),
        "catalog": (asked.get("Catalog") or "awsdatacatalog").lower(),
        "parameters": params.get("ExecutionParameters"),
        "reuse": params.get("ResultReuseConfiguration"),
        "result": {k: v for k, v in (params.get("ResultConfiguration") or {}).items() if k != "OutputLocation"},
        "output": f"{output}{identity}{statement.suffix}",
        "submitted": time.time(),
    }


def _statistics(facts: dict[str, Any]) -> dict[str, Any]:
    end = facts.get("finished") or time.time()
    started = facts.get("started") or end
    queued = max(1, round(1000 * (started - facts["submitted"])))
    ran = max(1, round(1000 * (end - started)))
    return {
        "EngineExecutionTimeInMillis": ran,
        "DataScannedInBytes": facts.get("bytes_read", 0),
        "TotalExecutionTimeInMillis": queued + ran,
        "QueryQueueTimeInMillis": queued,
        "QueryPlanningTimeInMillis": 0,
        "ServiceProcessingTimeInMillis": 0,
        "ResultReuseInformation": {"ReusedPreviousResult": bool(facts.get("reused"))},
        **({"DataManifestLocation": facts["manifest"]} if facts.get("manifest") else {}),
    }


def _described(state: str, facts: dict[str, Any], text: str) -> dict[str, Any]:
    status: dict[str, Any] = {"State": state, "SubmissionDateTime": _time(facts["submitted"])}
    if facts.get("finished"):
        status["CompletionDateTime"] = _time(facts["finished"])
    if facts.get("reason"):
        status["StateChangeReason"] = facts["reason"]
    if state == "FAILED":
        # Category 2 is the user's, 1 the system's; Athena user guide, error catalog, read 2026-11-21.
        system = str(facts["reason"]).startswith("GENERIC_INTERNAL_ERROR") or facts["reason"] == _INTERRUPTED
        status["AthenaError"] = {
            "ErrorCategory": 1 if system else 2,
            "ErrorType": 1 if system else 1006,
            "Retryable": facts["reason"] == _INTERRUPTED,
            "ErrorMessage": facts["reason"],
        }
    return {
        "QueryExecutionId": facts["id"],
        "Query": text,
        "StatementType": facts["kind"],
        "SubstatementType": facts["substatement"],
        "ResultConfiguration": {"OutputLocation": facts["output"], **facts["result"]},
        "ResultReuseConfiguration": facts.get("reuse") or {"ResultReuseByAgeConfiguration": {"Enabled": False}},
        "QueryExecutionContext": {"Database": facts["database"], "Catalog": facts["catalog"]},
        "ExecutionParameters": facts.get("parameters"),
        "Status": status,
        "Statistics": _statistics(facts),
        "WorkGroup": facts["work_group"],
        "EngineVersion": ENGINE,
    }


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
