"""Iceberg tables, in the way of the sandbox: Parquet files and one object that lists those of the table.

A change writes new files first and then replaces the list, in one step; so it happens whole or not at all.
The list is not Iceberg's metadata: other engines can't read these tables.
"""

import json
from typing import Any, Final

from sandbox.object_mirror import ObjectMirror, StoredObject
from sandbox.services.athena.catalog import Table

LIST: Final = "metadata/sandbox-files.json"


def _place(table: Table) -> tuple[str, str]:
    bucket, _, prefix = table.location.partition("://")[2].partition("/")
    return bucket, prefix.rstrip("/") + "/" if prefix else ""


def keys(objects: ObjectMirror, table: Table) -> list[str]:
    """Give the keys of the files that make up the table."""
    bucket, prefix = _place(table)
    for stored in objects.listing(bucket, prefix + LIST):
        listed: list[str] = json.loads(stored.path.read_bytes())
        return listed
    return []


def files(objects: ObjectMirror, table: Table) -> list[StoredObject]:
    """Give the files that make up the table."""
    current = set(keys(objects, table))
    bucket, prefix = _place(table)
    return [stored for stored in objects.listing(bucket, prefix + "data/") if stored.key in current]


def replace(s3: Any, table: Table, current: list[str]) -> None:
    """Make these files, and no others, those of the table."""
    bucket, prefix = _place(table)
    s3.put_object(Bucket=bucket, Key=prefix + LIST, Body=json.dumps(current).encode())
