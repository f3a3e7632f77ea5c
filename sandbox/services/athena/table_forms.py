"""From what CREATE TABLE and WITH (...) say to a table of the catalog."""

import re
from typing import Any, Final

from sandbox.services.athena.catalog import Column, Table
from sandbox.services.athena.ddl import CreateTable
from sandbox.services.athena.errors import QueryFailed, not_emulated
from sandbox.services.athena.formats import (
    HIVE_JSON,
    LAZY_SIMPLE,
    OPENX_JSON,
    OPENX_OUTPUT,
    PARQUET,
    PARQUET_INPUT,
    PARQUET_OUTPUT,
    TEXT_INPUT,
    TEXT_OUTPUT,
)  # fmt: skip
from sandbox.services.athena.hive_types import parse_type

# STORED AS, and `format` of CTAS -> SerDe and the classes that read and write the files.
_STORED: Final = {
    "parquet": (PARQUET, PARQUET_INPUT, PARQUET_OUTPUT),
    "textfile": (LAZY_SIMPLE, TEXT_INPUT, TEXT_OUTPUT),
    "json": (OPENX_JSON, TEXT_INPUT, TEXT_OUTPUT),
    "jsonfile": (HIVE_JSON, TEXT_INPUT, TEXT_OUTPUT),
}


def made_table(made: CreateTable) -> Table:
    """Give the table that CREATE TABLE means. Raises: QueryFailed."""
    is_iceberg = made.properties.get("table_type", "").lower() == "iceberg"
    if not made.external and not is_iceberg:
        raise QueryFailed(
            "NOT_SUPPORTED", "CREATE TABLE without EXTERNAL is for Iceberg tables: 'table_type'='ICEBERG'"
        )
    if not made.location:
        raise QueryFailed(
            "INVALID_TABLE_PROPERTY", "No location was specified for table. An S3 location must be specified"
        )
    if not made.location.startswith(("s3://", "s3a://", "s3n://")):
        raise QueryFailed("FAILED", f"SemanticException: {made.location} is not an S3 location")
    serde, input_format, output_format = _form(made.stored_as or ("parquet" if is_iceberg else "textfile"))
    columns = [Column(name=name, type=str(parse_type(kind)), comment=comment) for name, kind, comment in made.columns]
    partitions = [] if is_iceberg else made.partitioned_by
    parameters = dict(made.serde_properties)
    if made.delimiters is not None:
        parameters.update(made.delimiters)
        if "field.delim" in made.delimiters:
            parameters["serialization.format"] = made.delimiters["field.delim"]
    parameters.setdefault("serialization.format", "1")
    return Table(
        database=made.database,
        name=made.name,
        columns=tuple(columns),
        partition_columns=tuple(Column(name=n, type=str(parse_type(t)), comment=c) for n, t, c in partitions),
        location=made.location if is_iceberg else _path(made.location),
        serde=made.serde or serde,
        serde_parameters=parameters,
        parameters=made.properties,
        input_format=made.input_format or input_format,
        output_format=made.output_format or (OPENX_OUTPUT if made.serde == OPENX_JSON else output_format),
        comment=re.sub(r"\s+", " ", made.comment),  # so Athena keeps it
    )


def _path(location: str) -> str:
    """Write the place of a table as Hive does: without the slash at its end, but for that after a bucket.

    >>> _path("s3://bucket/table/"), _path("s3://bucket/")
    ('s3://bucket/table', 's3://bucket/')
    """
    bare = location.rstrip("/")
    return bare if bare.count("/") > 2 else f"{bare}/"


def table_with(database: str, name: str, columns: list[Column], properties: dict[str, Any], location: str) -> Table:
    """Give the table that CTAS and UNLOAD write, by their WITH (...). Raises: QueryFailed."""
    is_iceberg = str(properties.get("table_type", "")).upper() == "ICEBERG"
    form = str(properties.get("format", "PARQUET")).lower()
    serde, input_format, output_format = _form(form)
    place = str(properties.get("external_location") or properties.get("location") or location)
    names = [] if is_iceberg else [str(column).lower() for column in properties.get("partitioned_by", [])]
    last = [column.name for column in columns[len(columns) - len(names) :]]
    if names != last:
        raise QueryFailed(
            "HIVE_COLUMN_ORDER_MISMATCH",
            "Partition keys must be the last columns in the table and in the same order as the table properties: "
            f"{names}",
        )
    parameters = {"table_type": "ICEBERG"} if is_iceberg else {}
    compression = (
        properties.get("write_compression") or properties.get("compression") or properties.get("parquet_compression")
    )
    if compression:
        parameters["write_compression"] = str(compression)
    mark = properties.get("field_delimiter")
    own = len(columns) - len(names)
    return Table(
        database=database,
        name=name,
        columns=tuple(columns[:own]),
        partition_columns=tuple(columns[own:]),
        location=place if place.endswith("/") else f"{place}/",
        serde=serde,
        serde_parameters={"field.delim": str(mark), "serialization.format": str(mark)}
        if mark
        else {"serialization.format": "1"},
        parameters=parameters,
        input_format=input_format,
        output_format=output_format,
    )


def _form(name: str) -> tuple[str, str, str]:
    found = _STORED.get(name.lower())
    if found is None:
        raise not_emulated(f"the file format {name.upper()}")
    return found
