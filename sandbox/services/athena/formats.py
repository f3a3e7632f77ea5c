"""The forms that a table's objects may have, by the names of Hive's classes for them."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from sandbox.services.athena.catalog import Table
from sandbox.services.athena.errors import not_emulated

LAZY_SIMPLE: Final = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
OPEN_CSV: Final = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
OPENX_JSON: Final = "org.openx.data.jsonserde.JsonSerDe"
HIVE_JSON: Final = "org.apache.hive.hcatalog.data.JsonSerDe"
REGEX: Final = "org.apache.hadoop.hive.serde2.RegexSerDe"
PARQUET: Final = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
TEXT_INPUT: Final = "org.apache.hadoop.mapred.TextInputFormat"
TEXT_OUTPUT: Final = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
OPENX_OUTPUT: Final = "org.apache.hadoop.hive.ql.io.IgnoreKeyTextOutputFormat"
PARQUET_INPUT: Final = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
PARQUET_OUTPUT: Final = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"


class Format(Enum):
    """How the objects of a table are read and written."""

    PARQUET = "parquet"
    TEXT = "text"
    CSV = "csv"
    JSON = "json"
    REGEX = "regex"


_BY_SERDE: Final = {
    LAZY_SIMPLE: Format.TEXT,
    OPEN_CSV: Format.CSV,
    OPENX_JSON: Format.JSON,
    HIVE_JSON: Format.JSON,
    "org.apache.hadoop.hive.serde2.JsonSerDe": Format.JSON,
    REGEX: Format.REGEX,
    "com.amazonaws.glue.serde.RegexSerDe": Format.REGEX,
    PARQUET: Format.PARQUET,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delimiters:
    """What stands between the parts of a text table's line; `nested` by depth: items, keys of maps, and deeper."""

    field: str
    nested: tuple[str, ...]
    escape: str
    null: str


def format_of(table: Table) -> Format:
    """Give the form of a table's objects. Raises: QueryFailed."""
    if table.is_iceberg:
        return Format.PARQUET
    found = _BY_SERDE.get(table.serde)
    if found is None:
        raise not_emulated(f"the SerDe {table.serde or 'of a table without one'}")
    return found


def delimiters_of(table: Table) -> Delimiters:
    """Give the delimiters of a text table; Hive's are the control characters 1, 2, 3 and so on."""
    settings = table.serde_parameters
    return Delimiters(
        field=settings.get("field.delim") or settings.get("serialization.format", "\x01").replace("1", "\x01", 1),
        nested=(
            settings.get("collection.delim") or settings.get("colelction.delim") or "\x02",
            settings.get("mapkey.delim") or "\x03",
            *(chr(code) for code in range(4, 9)),
        ),
        escape=settings.get("escape.delim", ""),
        null=settings.get("serialization.null.format", "\\N"),
    )
