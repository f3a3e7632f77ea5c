"""Work groups, named queries, prepared statements, data catalogs and tags: what Athena only keeps."""

import json
import time
import uuid
from datetime import UTC, datetime
from typing import Any, Final

from sandbox.errors import AwsError
from sandbox.services.athena.paging import page
from sandbox.services.service import Answer, Context, Params
from sandbox.state import Database

PRIMARY: Final = "primary"
ENGINE: Final = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}
_WORK_GROUP, _NAMED, _PREPARED, _CATALOG, _TAGS = "work group", "named query", "prepared statement", "catalog", "tags"
OWN_CATALOG: Final = {"Name": "AwsDataCatalog", "Type": "GLUE", "Status": "CREATE_COMPLETE"}


def invalid(message: str) -> AwsError:
    """Give the error of a request that Athena refuses."""
    return AwsError("InvalidRequestException", message, fields={"AthenaErrorCode": "INVALID_INPUT"})


class Resources:
    """The operations on what is only kept; part of the service."""

    database: Database

    def _keep(self, context: Context, kind: str, parent: str, name: str, facts: dict[str, Any]) -> None:
        values = (context.region, kind, parent, name, json.dumps(facts))
        self.database.write("INSERT OR REPLACE INTO resources VALUES (?, ?, ?, ?, ?)", values)

    def _kept(self, context: Context, kind: str, parent: str, name: str) -> dict[str, Any] | None:
        rows = self.database.read(
            "SELECT facts FROM resources WHERE region = ? AND kind = ? AND parent = ? AND name = ?",
            (context.region, kind, parent, name),
        )
        return json.loads(rows[0][0]) if rows else None

    def _all(self, context: Context, kind: str, parent: str) -> list[dict[str, Any]]:
        rows = self.database.read(
            "SELECT facts FROM resources WHERE region = ? AND kind = ? AND parent = ? ORDER BY name",
            (context.region, kind, parent),
        )
        return [json.loads(facts) for (facts,) in rows]

    def _drop(self, context: Context, kind: str, parent: str, name: str) -> None:
        self.database.write(
            "DELETE FROM resources WHERE region = ? AND kind = ? AND parent = ? AND name = ?",
            (context.region, kind, parent, name),
        )

    # Work groups.

    def work_group(self, context: Context, name: str | None) -> dict[str, Any]:
        """Give a work group. Raises: AwsError, if it does not exist."""
        name = name or PRIMARY
        found = self._kept(context, _WORK_GROUP, "", name)
        if found is not None:
            return found
        if name == PRIMARY:
            return {"Name": PRIMARY, "State": "ENABLED", "Configuration": _configuration({}), "CreationTime": 0.0}
        raise invalid(f"WorkGroup {name} is not found.")

    def create_work_group(self, context: Context, params: Params) -> Answer:
        """Make a work group."""
        name = params["Name"]
        if name == PRIMARY or self._kept(context, _WORK_GROUP, "", name) is not None:
            raise invalid(f"WorkGroup {name} already exists")
        facts = {
            "Name": name,
            "State": "ENABLED",
            "Description": params.get("Description"),
            "Configuration": _configuration(params.get("Configuration") or {}),
            "CreationTime": time.time(),
        }
        self._keep(context, _WORK_GROUP, "", name, facts)
        if params.get("Tags"):
            arn = f"arn:aws:athena:{context.region}:{context.account}:workgroup/{name}"
            self.tag_resource(context, {"ResourceARN": arn, "Tags": params["Tags"]})
        return {}

    def get_work_group(self, context: Context, params: Params) -> Answer:
        """Describe a work group."""
        return {"WorkGroup": _dated(self.work_group(context, params["WorkGroup"]))}

    def list_work_groups(self, context: Context, params: Params) -> Answer:
        """List the work groups, `primary` first."""
        others = [group for group in self._all(context, _WORK_GROUP, "") if group["Name"] != PRIMARY]
        groups = [self.work_group(context, PRIMARY), *others]
        return page("WorkGroups", [{**_dated(g), "EngineVersion": ENGINE} for g in groups], params, most=50)

    def update_work_group(self, context: Context, params: Params) -> Answer:
        """Change a work group."""
        group = self.work_group(context, params["WorkGroup"])
        updates = dict(params.get("ConfigurationUpdates") or {})
        configuration = group["Configuration"]
        result = updates.pop("ResultConfigurationUpdates", None) or {}
        kept = configuration.setdefault("ResultConfiguration", {})
        for key, value in result.items():
            if key.startswith("Remove"):
                if value:
                    kept.pop(key.removeprefix("Remove"), None)
            else:
                kept[key] = value
        if updates.pop("RemoveBytesScannedCutoffPerQuery", False):
            configuration.pop("BytesScannedCutoffPerQuery", None)
        configuration.update({key: value for key, value in updates.items() if key != "EngineVersion"})
        group["Description"] = params.get("Description", group.get("Description"))
        group["State"] = params.get("State", group["State"])
        self._keep(context, _WORK_GROUP, "", group["Name"], group)
        return {}

    def delete_work_group(self, context: Context, params: Params) -> Answer:
        """Delete a work group; with RecursiveDeleteOption also what is in it."""
        name = self.work_group(context, params["WorkGroup"])["Name"]
        if name == PRIMARY:
            raise invalid("The primary workgroup cannot be deleted")
        prepared = self._all(context, _PREPARED, name)
        named = [query for query in self._all(context, _NAMED, "") if query["WorkGroup"] == name]
        if (prepared or named) and not params.get("RecursiveDeleteOption"):
            raise invalid(f"WorkGroup {name} is not empty")
        for statement in prepared:
            self._drop(context, _PREPARED, name, statement["StatementName"])
        for query in named:
            self._drop(context, _NAMED, "", query["NamedQueryId"])
        self._drop(context, _WORK_GROUP, "", name)
        return {}

    def list_engine_versions(self, _context: Context, _params: Params) -> Answer:
        """List what a work group may select."""
        names = ("AUTO", "Athena engine version 3")
        effective = ENGINE["EffectiveEngineVersion"]
        return {"EngineVersions": [{"SelectedEngineVersion": n, "EffectiveEngineVersion": effective} for n in names]}

    # Named queries.

    def create_named_query(self, context: Context, params: Params) -> Answer:
        """Keep a query under an id."""
        group = self.work_group(context, params.get("WorkGroup"))["Name"]
        identity = str(uuid.uuid4())
        facts = {key: params.get(key) for key in ("Name", "Description", "Database", "QueryString")}
        self._keep(context, _NAMED, "", identity, {**facts, "NamedQueryId": identity, "WorkGroup": group})
        return {"NamedQueryId": identity}

    def get_named_query(self, context: Context, params: Params) -> Answer:
        """Give a named query."""
        found = self._kept(context, _NAMED, "", params["NamedQueryId"])
        if found is None:
            raise invalid(f"NamedQuery {params['NamedQueryId']} is not found.")
        return {"NamedQuery": found}

    def batch_get_named_query(self, context: Context, params: Params) -> Answer:
        """Give several named queries."""
        found = {identity: self._kept(context, _NAMED, "", identity) for identity in params["NamedQueryIds"]}
        missing = [identity for identity, query in found.items() if query is None]
        return {
            "NamedQueries": [query for query in found.values() if query is not None],
            "UnprocessedNamedQueryIds": [
                {"NamedQueryId": i, "ErrorCode": "INVALID_INPUT", "ErrorMessage": f"NamedQuery {i} is not found."}
                for i in missing
            ],
        }

    def list_named_queries(self, context: Context, params: Params) -> Answer:
        """List the ids of a work group's named queries."""
        group = self.work_group(context, params.get("WorkGroup"))["Name"]
        ids = [query["NamedQueryId"] for query in self._all(context, _NAMED, "") if query["WorkGroup"] == group]
        return page("NamedQueryIds", ids, params, most=50)

    def update_named_query(self, context: Context, params: Params) -> Answer:
        """Change a named query."""
        query = self.get_named_query(context, params)["NamedQuery"]
        changed: Params = {key: params[key] for key in ("Name", "Description", "QueryString") if key in params}
        self._keep(context, _NAMED, "", params["NamedQueryId"], {**query, **changed})
        return {}

    def delete_named_query(self, context: Context, params: Params) -> Answer:
        """Delete a named query."""
        self.get_named_query(context, params)
        self._drop(context, _NAMED, "", params["NamedQueryId"])
        return {}

    # Prepared statements.

    def create_prepared_statement(self, context: Context, params: Params) -> Answer:
        """Keep a statement with question marks under a name of its work group."""
        group = self.work_group(context, params["WorkGroup"])["Name"]
        name = params["StatementName"]
        if self._kept(context, _PREPARED, group, name) is not None:
            raise invalid(f"Prepared Statement {name} already exists in WorkGroup {group}")
        self._prepare(context, group, params)
        return {}

    def _prepare(self, context: Context, group: str, params: Params) -> None:
        facts = {
            "StatementName": params["StatementName"],
            "QueryStatement": params["QueryStatement"],
            "WorkGroupName": group,
            "Description": params.get("Description"),
            "LastModifiedTime": time.time(),
        }
        self._keep(context, _PREPARED, group, params["StatementName"], facts)

    def get_prepared_statement(self, context: Context, params: Params) -> Answer:
        """Give a prepared statement."""
        found = self._kept(context, _PREPARED, params["WorkGroup"], params["StatementName"])
        if found is None:
            raise AwsError("ResourceNotFoundException", f"PreparedStatement {params['StatementName']} does not exist")
        return {"PreparedStatement": _dated(found)}

    def batch_get_prepared_statement(self, context: Context, params: Params) -> Answer:
        """Give several prepared statements."""
        found, missing = [], []
        for name in params["PreparedStatementNames"]:
            facts = self._kept(context, _PREPARED, params["WorkGroup"], name)
            if facts is None:
                missing.append(
                    {
                        "StatementName": name,
                        "ErrorCode": "STATEMENT_NOT_FOUND",
                        "ErrorMessage": f"{name} does not exist",
                    }
                )
            else:
                found.append(_dated(facts))
        return {"PreparedStatements": found, "UnprocessedPreparedStatementNames": missing}

    def list_prepared_statements(self, context: Context, params: Params) -> Answer:
        """List the prepared statements of a work group."""
        group = self.work_group(context, params["WorkGroup"])["Name"]
        found = [_dated(facts) for facts in self._all(context, _PREPARED, group)]
        return page("PreparedStatements", found, params, most=50)

    def update_prepared_statement(self, context: Context, params: Params) -> Answer:
        """Replace a prepared statement."""
        self.get_prepared_statement(context, params)
        self._prepare(context, params["WorkGroup"], params)
        return {}

    def delete_prepared_statement(self, context: Context, params: Params) -> Answer:
        """Delete a prepared statement."""
        self.get_prepared_statement(context, params)
        self._drop(context, _PREPARED, params["WorkGroup"], params["StatementName"])
        return {}

    # Data catalogs: others than Glue's are kept, but no query reaches them.

    def data_catalog(self, context: Context, name: str) -> dict[str, Any]:
        """Give a data catalog. Raises: AwsError."""
        if name.lower() == OWN_CATALOG["Name"].lower():
            return {**OWN_CATALOG, "Description": "", "Parameters": {"catalog-id": context.account}}
        found = self._kept(context, _CATALOG, "", name)
        if found is None:
            raise invalid(f"DataCatalog {name} was not found")
        return found

    def create_data_catalog(self, context: Context, params: Params) -> Answer:
        """Keep a data catalog."""
        name = params["Name"]
        if name.lower() == OWN_CATALOG["Name"].lower() or self._kept(context, _CATALOG, "", name) is not None:
            raise invalid(f"DataCatalog {name} has already been created")
        facts = {key: params.get(key) for key in ("Name", "Type", "Description", "Parameters")}
        self._keep(context, _CATALOG, "", name, {**facts, "Status": "CREATE_COMPLETE"})
        return {"DataCatalog": {**facts, "Status": "CREATE_COMPLETE"}}

    def get_data_catalog(self, context: Context, params: Params) -> Answer:
        """Describe a data catalog."""
        return {"DataCatalog": self.data_catalog(context, params["Name"])}

    def list_data_catalogs(self, context: Context, params: Params) -> Answer:
        """List the data catalogs."""
        catalogs = [OWN_CATALOG, *self._all(context, _CATALOG, "")]
        summaries = [{"CatalogName": c["Name"], "Type": c["Type"], "Status": c["Status"]} for c in catalogs]
        return page("DataCatalogsSummary", summaries, params, most=50)

    def update_data_catalog(self, context: Context, params: Params) -> Answer:
        """Change a data catalog."""
        found = self.data_catalog(context, params["Name"])
        changed: Params = {key: params[key] for key in ("Type", "Description", "Parameters") if key in params}
        self._keep(context, _CATALOG, "", params["Name"], {**found, **changed})
        return {}

    def delete_data_catalog(self, context: Context, params: Params) -> Answer:
        """Delete a data catalog."""
        found = self.data_catalog(context, params["Name"])
        if found["Name"] == OWN_CATALOG["Name"]:
            raise invalid(f"DataCatalog {found['Name']} cannot be deleted")
        self._drop(context, _CATALOG, "", params["Name"])
        return {"DataCatalog": {**found, "Status": "DELETE_COMPLETE"}}

    # Tags.

    def tag_resource(self, context: Context, params: Params) -> Answer:
        """Add tags to a work group or data catalog."""
        arn = params["ResourceARN"]
        tags = self._kept(context, _TAGS, "", arn) or {}
        tags.update({tag["Key"]: tag.get("Value", "") for tag in params["Tags"]})
        self._keep(context, _TAGS, "", arn, tags)
        return {}

    def untag_resource(self, context: Context, params: Params) -> Answer:
        """Take tags off."""
        arn = params["ResourceARN"]
        tags = self._kept(context, _TAGS, "", arn) or {}
        self._keep(context, _TAGS, "", arn, {k: v for k, v in tags.items() if k not in params["TagKeys"]})
        return {}

    def list_tags_for_resource(self, context: Context, params: Params) -> Answer:
        """List tags."""
        tags = self._kept(context, _TAGS, "", params["ResourceARN"]) or {}
        return page("Tags", [{"Key": key, "Value": value} for key, value in sorted(tags.items())], params, most=75)


def _configuration(given: dict[str, Any]) -> dict[str, Any]:
    return {
        "EnforceWorkGroupConfiguration": True,
        "PublishCloudWatchMetricsEnabled": True,
        "RequesterPaysEnabled": False,
        "ResultConfiguration": {},
        **{key: value for key, value in given.items() if key != "EngineVersion"},
        "EngineVersion": ENGINE,
    }


def _dated(facts: dict[str, Any]) -> dict[str, Any]:
    times = {"CreationTime", "LastModifiedTime"}
    return {key: datetime.fromtimestamp(v, UTC) if key in times else v for key, v in facts.items()}
