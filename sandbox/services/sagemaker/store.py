"""The resources of SageMaker: documents by region, kind and name, with times that stay times."""

import json
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sandbox.cloud import Cloud

SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
    region TEXT, kind TEXT, name TEXT, document TEXT, PRIMARY KEY (region, kind, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tags (arn TEXT, key TEXT, value TEXT, PRIMARY KEY (arn, key)) WITHOUT ROWID;
"""
_TIME = "$time"

Document = dict[str, Any]


class Store:
    """Keeps the resources and their tags."""

    def __init__(self, cloud: Cloud) -> None:
        self._database = cloud.database("sagemaker", SCHEMA)

    def get(self, region: str, kind: str, name: str) -> Document | None:
        """Give a resource, or None."""
        rows = self._database.read(
            "SELECT document FROM resources WHERE region = ? AND kind = ? AND name = ?", (region, kind, name)
        )
        return _read(rows[0][0]) if rows else None

    def add(self, region: str, kind: str, name: str, document: Document) -> bool:
        """Keep a new resource; False if there is one of that name."""
        return bool(
            self._database.write(
                "INSERT OR IGNORE INTO resources VALUES (?, ?, ?, ?)", (region, kind, name, _write(document))
            )
        )

    def change(self, region: str, kind: str, name: str, change: Callable[[Document], None]) -> Document | None:
        """Change a resource in one step; gives it as it is afterwards, or None if it is gone."""
        with self._database.transaction() as connection:
            row = connection.execute(
                "SELECT document FROM resources WHERE region = ? AND kind = ? AND name = ?", (region, kind, name)
            ).fetchone()
            if row is None:
                return None
            document = _read(row[0])
            change(document)
            document["LastModifiedTime"] = now()
            connection.execute(
                "UPDATE resources SET document = ? WHERE region = ? AND kind = ? AND name = ?",
                (_write(document), region, kind, name),
            )
        return document

    def remove(self, region: str, kind: str, name: str, arn: str) -> bool:
        """Remove a resource and its tags; False if it was not there."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM tags WHERE arn = ?", (arn,))
            gone = connection.execute(
                "DELETE FROM resources WHERE region = ? AND kind = ? AND name = ?", (region, kind, name)
            )
        return bool(gone.rowcount)

    def listing(self, region: str, kind: str) -> list[Document]:
        """Give all resources of a kind in a region."""
        rows = self._database.read("SELECT document FROM resources WHERE region = ? AND kind = ?", (region, kind))
        return [_read(text) for (text,) in rows]

    def everywhere(self, kind: str) -> list[tuple[str, Document]]:
        """Give all resources of a kind with their regions."""
        rows = self._database.read("SELECT region, document FROM resources WHERE kind = ?", (kind,))
        return [(region, _read(text)) for region, text in rows]

    def tags(self, arn: str) -> dict[str, str]:
        """Give the tags of a resource."""
        return dict(self._database.read("SELECT key, value FROM tags WHERE arn = ? ORDER BY key", (arn,)))

    def tagged(self, region: str) -> dict[str, dict[str, str]]:
        """Give the tags of all resources of a region by their ARNs."""
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for arn, key, value in self._database.read("SELECT arn, key, value FROM tags"):
            if arn.split(":")[3] == region:
                found[arn][key] = value
        return found

    def tag(self, arn: str, tags: dict[str, str]) -> None:
        """Add tags to a resource; a key that it has gets the new value."""
        with self._database.transaction() as connection:
            rows = [(arn, key, value) for key, value in tags.items()]
            connection.executemany("INSERT OR REPLACE INTO tags VALUES (?, ?, ?)", rows)

    def untag(self, arn: str, keys: list[str]) -> None:
        """Remove tags of a resource."""
        with self._database.transaction() as connection:
            connection.executemany("DELETE FROM tags WHERE arn = ? AND key = ?", [(arn, key) for key in keys])


def now() -> datetime:
    """Give the time as SageMaker keeps it: to the millisecond."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _write(document: Document) -> str:
    def time(value: object) -> dict[str, float]:
        if isinstance(value, datetime):
            return {_TIME: value.timestamp()}
        raise TypeError(f"{type(value).__name__} can't be kept")

    return json.dumps(document, default=time)


def _read(text: str) -> Document:
    def time(value: Document) -> Any:
        return datetime.fromtimestamp(value[_TIME], UTC) if _TIME in value else value

    document: Document = json.loads(text, object_hook=time)
    return document
