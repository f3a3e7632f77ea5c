"""The catalog by API: databases and tables."""

import re
from typing import Any

from botocore.exceptions import ClientError

from sandbox.errors import AwsError
from sandbox.services.athena.catalog import Catalog
from sandbox.services.athena.paging import page
from sandbox.services.athena.resources import OWN_CATALOG, Resources
from sandbox.services.service import Answer, Context, Params


class Metadata(Resources):
    """The operations on databases and tables; part of the service."""

    def catalog(self, region: str) -> Catalog:
        """Give the Glue catalog of a region."""
        raise NotImplementedError

    def _reachable(self, context: Context, params: Params) -> Catalog:
        found = self.data_catalog(context, params["CatalogName"])
        if found["Name"] != OWN_CATALOG["Name"]:
            raise _metadata("The sandbox reaches no catalog but AwsDataCatalog")
        return self.catalog(context.region)

    def get_database(self, context: Context, params: Params) -> Answer:
        """Describe a database."""
        name = params["DatabaseName"]
        found = self._reachable(context, params).database(name)
        if found is None:
            raise _missing(context, f"Database {name} not found.")
        return {"Database": _database(found)}

    def list_databases(self, context: Context, params: Params) -> Answer:
        """List the databases."""
        found = [_database(database) for database in self._reachable(context, params).databases()]
        return page("DatabaseList", found, params, most=50)

    def get_table_metadata(self, context: Context, params: Params) -> Answer:
        """Describe a table."""
        name = params["TableName"]
        found = self._reachable(context, params).described(params["DatabaseName"], name)
        if found is None:
            raise _missing(context, "Entity Not Found")
        return {"TableMetadata": _table(found)}

    def list_table_metadata(self, context: Context, params: Params) -> Answer:
        """List the tables of a database whose names match an expression."""
        database = params["DatabaseName"]
        try:
            tables = self._reachable(context, params).tables(database.lower())
        except ClientError as err:
            raise _missing(context, f"Database {database} not found.") from err
        expression = params.get("Expression")
        if expression:
            try:
                pattern = re.compile(expression, re.IGNORECASE)
            except re.error as err:
                raise _metadata(f"Expression is not a regular expression: {err}") from err
            tables = [table for table in tables if pattern.fullmatch(table["Name"])]
        return page("TableMetadataList", [_table(table) for table in tables], params, most=50)


def _metadata(message: str) -> AwsError:
    return AwsError("MetadataException", message)


def _missing(context: Context, what: str) -> AwsError:
    """Give Glue's answer about what it lacks, in the envelope that Athena puts it in."""
    return _metadata(
        f"{what} (Service: AmazonDataCatalog; Status Code: 400; Error Code: EntityNotFoundException; "
        f"Request ID: {context.request_id}; Proxy: null)"
    )


def _database(found: dict[str, Any]) -> dict[str, Any]:
    return {"Name": found["Name"], "Description": found.get("Description"), "Parameters": found.get("Parameters")}


def _table(found: dict[str, Any]) -> dict[str, Any]:
    storage = found.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}
    parameters = dict(found.get("Parameters") or {})
    flat = {
        "location": storage.get("Location"),  # empty for a view, and shown so
        "inputformat": storage.get("InputFormat"),
        "outputformat": storage.get("OutputFormat"),
        "serde.serialization.lib": serde.get("SerializationLibrary"),
    }
    parameters.update({name: value for name, value in flat.items() if value is not None})
    for key, value in (serde.get("Parameters") or {}).items():
        parameters[f"serde.param.{key}"] = value
    return {
        "Name": found["Name"],
        "CreateTime": found.get("CreateTime"),
        "LastAccessTime": found.get("LastAccessTime") or found.get("CreateTime"),
        "TableType": found.get("TableType"),
        "Columns": _columns(storage.get("Columns") or []),
        "PartitionKeys": _columns(found.get("PartitionKeys") or []),
        "Parameters": parameters,
    }


def _columns(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"Name": c["Name"], "Type": c.get("Type"), "Comment": c.get("Comment") or None} for c in found]
