"""The Glue catalog as Athena reads it: databases, tables, partitions, by way of the sandbox's own Glue."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import ClientError

from sandbox.services.athena.errors import QueryFailed
from sandbox.services.athena.hive_types import HiveType, parse_type

_VIEW_START: Final = "/* Presto View: "
_VIEW_END: Final = " */"
_BATCH: Final = 100  # partitions of a BatchCreatePartition call; Glue API reference, read 2026-11-21


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table; `comment` may be empty."""

    name: str
    type: str
    comment: str = ""

    @property
    def kind(self) -> HiveType:
        """Its type, read."""
        return parse_type(self.type)

    @classmethod
    def read(cls, described: dict[str, Any]) -> "Column":
        """Read it as Glue gives it."""
        return cls(
            name=described["Name"].lower(), type=described.get("Type", "string"), comment=described.get("Comment", "")
        )

    def written(self) -> dict[str, str]:
        """Write it for Glue."""
        return {"Name": self.name, "Type": self.type, **({"Comment": self.comment} if self.comment else {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """One partition: a value for each partition column, as text, and where its objects are."""

    values: tuple[str, ...]
    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table or view of the catalog."""

    database: str
    name: str
    columns: tuple[Column, ...]
    partition_columns: tuple[Column, ...] = ()
    location: str = ""
    serde: str = ""
    serde_parameters: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    input_format: str = ""
    output_format: str = ""
    comment: str = ""
    view: str | None = None  # its query

    @property
    def is_iceberg(self) -> bool:
        """Whether it was made as an Iceberg table."""
        return self.parameters.get("table_type", "").upper() == "ICEBERG"

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """Its columns, those of the partitions last."""
        return self.columns + self.partition_columns

    @classmethod
    def read(cls, described: dict[str, Any]) -> "Table":
        """Read it as Glue gives it."""
        storage = described.get("StorageDescriptor") or {}
        serde = storage.get("SerdeInfo") or {}
        original = described.get("ViewOriginalText") or ""
        view = None
        if described.get("TableType") == "VIRTUAL_VIEW":
            view = original
            if original.startswith(_VIEW_START):
                encoded = original.removeprefix(_VIEW_START).removesuffix(_VIEW_END)
                view = json.loads(base64.b64decode(encoded))["originalSql"]
        return cls(
            database=described["DatabaseName"],
            name=described["Name"],
            columns=tuple(map(Column.read, storage.get("Columns") or [])),
            partition_columns=tuple(map(Column.read, described.get("PartitionKeys") or [])),
            location=storage.get("Location") or "",
            serde=serde.get("SerializationLibrary") or "",
            serde_parameters=serde.get("Parameters") or {},
            parameters=described.get("Parameters") or {},
            input_format=storage.get("InputFormat") or "",
            output_format=storage.get("OutputFormat") or "",
            comment=described.get("Description") or (described.get("Parameters") or {}).get("comment", ""),
            view=view,
        )

    def written(self) -> dict[str, Any]:
        """Write it as the TableInput of Glue."""
        if self.view is not None:
            return self._written_view()
        return {
            "Name": self.name,
            "TableType": "EXTERNAL_TABLE",
            **({"Description": self.comment} if self.comment else {}),
            "Parameters": {
                "EXTERNAL": "TRUE",
                **({"comment": self.comment} if self.comment else {}),
                **self.parameters,
            },
            "PartitionKeys": [column.written() for column in self.partition_columns],
            "StorageDescriptor": self.storage(self.location),
        }

    def storage(self, location: str) -> dict[str, Any]:
        """Write the StorageDescriptor of the table, or of a partition elsewhere."""
        return {
            "Columns": [column.written() for column in self.columns],
            "Location": location,
            "InputFormat": self.input_format,
            "OutputFormat": self.output_format,
            "SerdeInfo": {"SerializationLibrary": self.serde, "Parameters": self.serde_parameters},
        }

    def _written_view(self) -> dict[str, Any]:
        document = {
            "originalSql": self.view,
            "catalog": "awsdatacatalog",
            "schema": self.database,
            "columns": [{"name": column.name, "type": column.type} for column in self.columns],
        }
        encoded = base64.b64encode(json.dumps(document).encode()).decode()
        return {
            "Name": self.name,
            "TableType": "VIRTUAL_VIEW",
            "Parameters": {"presto_view": "true", "comment": "Presto View"},
            "ViewOriginalText": f"{_VIEW_START}{encoded}{_VIEW_END}",
            "ViewExpandedText": "/* Presto View */",
            "StorageDescriptor": {"Columns": [column.written() for column in self.columns], "Location": ""},
            "PartitionKeys": [],
        }


class Catalog:
    """The catalog of one region."""

    def __init__(self, glue: Any) -> None:
        self._glue = glue

    def databases(self) -> list[dict[str, Any]]:
        """Give all databases, `default` among them as in every account that has used Athena."""
        found = [
            database
            for page in self._glue.get_paginator("get_databases").paginate()
            for database in page["DatabaseList"]
        ]
        if not any(database["Name"] == "default" for database in found):
            found.append({"Name": "default", "Description": "Default Hive database"})
        return sorted(found, key=lambda database: database["Name"])

    def database(self, name: str) -> dict[str, Any] | None:
        """Give a database, or None."""
        return next((database for database in self.databases() if database["Name"] == name.lower()), None)

    def create_database(self, name: str, *, comment: str, location: str, parameters: dict[str, str]) -> None:
        """Make a database. Raises: ClientError."""
        described = {"Name": name, "Parameters": parameters}
        if comment:
            described["Description"] = comment
        if location:
            described["LocationUri"] = location
        self._glue.create_database(DatabaseInput=described)

    def drop_database(self, name: str) -> None:
        """Delete a database and what is in it."""
        self._glue.delete_database(Name=name)

    def tables(self, database: str) -> list[dict[str, Any]]:
        """Give the tables of a database as Glue describes them, by name; none if it does not exist."""
        if database == "default":
            self._ensure_default()
        found = [
            table
            for page in self._glue.get_paginator("get_tables").paginate(DatabaseName=database)
            for table in page["TableList"]
        ]
        return sorted(found, key=lambda table: table["Name"])

    def described(self, database: str, name: str) -> dict[str, Any] | None:
        """Give a table as Glue describes it, or None."""
        try:
            described: dict[str, Any] = self._glue.get_table(DatabaseName=database.lower(), Name=name.lower())["Table"]
        except ClientError as err:
            if err.response["Error"]["Code"] == "EntityNotFoundException":
                return None
            raise
        return described

    def table(self, database: str, name: str) -> Table | None:
        """Give a table, or None."""
        described = self.described(database, name)
        return None if described is None else Table.read({**described, "DatabaseName": database.lower()})

    def create_table(self, table: Table) -> None:
        """Put a table into the catalog. Raises: ClientError."""
        if table.database == "default":
            self._ensure_default()
        self._glue.create_table(DatabaseName=table.database, TableInput=table.written())

    def change_table(self, table: Table) -> None:
        """Replace the description of a table."""
        self._glue.update_table(DatabaseName=table.database, TableInput=table.written())

    def drop_table(self, database: str, name: str) -> None:
        """Delete a table."""
        self._glue.delete_table(DatabaseName=database, Name=name)

    def partitions(self, table: Table) -> list[Partition]:
        """Give the partitions that the catalog has of a table."""
        pages = self._glue.get_paginator("get_partitions").paginate(DatabaseName=table.database, TableName=table.name)
        return [
            Partition(values=tuple(found["Values"]), location=found["StorageDescriptor"].get("Location", ""))
            for page in pages
            for found in page["Partitions"]
        ]

    def add_partitions(self, table: Table, partitions: list[Partition]) -> None:
        """Put partitions into the catalog."""
        for start in range(0, len(partitions), _BATCH):
            answer = self._glue.batch_create_partition(
                DatabaseName=table.database,
                TableName=table.name,
                PartitionInputList=[
                    {"Values": list(partition.values), "StorageDescriptor": table.storage(partition.location)}
                    for partition in partitions[start : start + _BATCH]
                ],
            )
            for error in answer.get("Errors") or []:
                raise QueryFailed("HIVE_METASTORE_ERROR", error["ErrorDetail"]["ErrorMessage"])

    def drop_partition(self, table: Table, values: tuple[str, ...]) -> None:
        """Take a partition out of the catalog."""
        self._glue.delete_partition(DatabaseName=table.database, TableName=table.name, PartitionValues=list(values))

    def _ensure_default(self) -> None:
        try:
            self._glue.create_database(DatabaseInput={"Name": "default", "Description": "Default Hive database"})
        except ClientError as err:
            if err.response["Error"]["Code"] != "AlreadyExistsException":
                raise
