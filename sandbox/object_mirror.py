"""S3 objects as files: written through on every change, read back at the start, and readable by others.

An object lies at `s3/<bucket>/<key>` where the file system can hold that name, else under `s3-other/`; the index
in `objects.sqlite` says where. What is being written is first noted as pending, with its facts; then its file is put
in place in one step; then its row replaces the one before. So after a crash at any point an object is the old one or
the new one, and never the bytes of one with the facts of the other.
"""

import hashlib
import re
import shutil
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sandbox.state import Database, private_folder

SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY, facts BLOB);
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT, key TEXT, path TEXT, size INTEGER, etag TEXT, modified REAL, written INTEGER, facts BLOB,
    PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pending (
    draft TEXT PRIMARY KEY, bucket TEXT, key TEXT, path TEXT, size INTEGER, etag TEXT, modified REAL, written INTEGER,
    facts BLOB
);
"""
_COLUMNS = "bucket, key, path, size, etag, modified, written, facts"
_LONGEST_SEGMENT = 200  # bytes; file systems take 255, and a draft's name may be longer
_PLAIN_SUFFIX = re.compile(r"(?:\.[A-Za-z0-9]{1,12}){1,2}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """One object and the file that holds its bytes. `facts` is what the S3 backend needs to serve it again."""

    bucket: str
    key: str
    path: Path
    size: int
    etag: str
    modified: datetime
    facts: bytes


class ObjectMirror:
    """The files and the index of all buckets."""

    def __init__(self, folder: Path) -> None:
        self._root = private_folder(folder / "s3")
        self._other = private_folder(folder / "s3-other")
        self._drafts = private_folder(folder / "s3-drafts")
        self._database = Database(folder / "objects.sqlite", SCHEMA)

    def listing(self, bucket: str, prefix: str = "") -> list[StoredObject]:
        """Give the objects of a bucket whose key starts with a prefix, in order of their keys."""
        rows = self._database.read(
            "SELECT bucket, key, path, size, etag, modified, facts FROM objects "
            "WHERE bucket = ? AND key >= ? AND substr(key, 1, ?) = ? ORDER BY key",
            (bucket, prefix, len(prefix), prefix),
        )
        return [
            StoredObject(
                bucket=bucket,
                key=key,
                path=Path(path),
                size=size,
                etag=etag,
                modified=datetime.fromtimestamp(modified, UTC),
                facts=facts,
            )
            for bucket, key, path, size, etag, modified, facts in rows
        ]

    def buckets(self) -> list[tuple[str, bytes]]:
        """Give the name and the facts of every bucket."""
        return [(name, facts) for name, facts in self._database.read("SELECT name, facts FROM buckets")]

    def keep_bucket(self, name: str, facts: bytes) -> None:
        """Keep the facts of a bucket: its settings, without its objects."""
        self._database.write("INSERT OR REPLACE INTO buckets VALUES (?, ?)", (name, facts))

    def drop_bucket(self, name: str) -> None:
        """Forget a bucket and whatever is left of it."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM objects WHERE bucket = ?", (name,))
            connection.execute("DELETE FROM buckets WHERE name = ?", (name,))
        shutil.rmtree(self._root / name, ignore_errors=True)

    def keep(self, bucket: str, key: str, content: bytes, *, etag: str, modified: datetime, facts: bytes) -> Path:
        """Write an object's bytes and facts through; gives its file."""
        draft = self._drafts / uuid.uuid4().hex
        draft.write_bytes(content)
        path = self._file_for(bucket, key)
        row = (bucket, key, str(path), len(content), etag, modified.timestamp(), draft.stat().st_mtime_ns, facts)
        self._database.write("INSERT INTO pending VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (str(draft), *row))
        draft.replace(path)
        self._commit(str(draft))
        return path

    def drop(self, bucket: str, key: str) -> None:
        """Remove an object."""
        for (path,) in self._database.read("SELECT path FROM objects WHERE bucket = ? AND key = ?", (bucket, key)):
            Path(path).unlink(missing_ok=True)
            self._database.write("DELETE FROM objects WHERE bucket = ? AND key = ?", (bucket, key))
            self._remove_empty(Path(path).parent)

    def mend(self) -> None:
        """After a crash: finish what was put in place, forget what was not or is gone, see what others have changed."""
        for (draft,) in self._database.read("SELECT draft FROM pending"):
            if not Path(draft).exists():
                self._commit(draft)
        self._database.write("DELETE FROM pending")
        for bucket, key, name, written in self._database.read("SELECT bucket, key, path, written FROM objects"):
            path = Path(name)
            if not path.is_file():
                self._database.write("DELETE FROM objects WHERE bucket = ? AND key = ?", (bucket, key))
            elif path.stat().st_mtime_ns != written:
                content = path.read_bytes()
                self._database.write(
                    "UPDATE objects SET size = ?, etag = ?, modified = ?, written = ? WHERE bucket = ? AND key = ?",
                    (
                        len(content),
                        hashlib.md5(content, usedforsecurity=False).hexdigest(),
                        path.stat().st_mtime,
                        path.stat().st_mtime_ns,
                        bucket,
                        key,
                    ),
                )
        for draft in self._drafts.iterdir():
            draft.unlink()

    def _commit(self, draft: str) -> None:
        """Make a pending object the one that is served."""
        with self._database.transaction() as connection:
            connection.execute(
                f"INSERT OR REPLACE INTO objects ({_COLUMNS}) SELECT {_COLUMNS} FROM pending WHERE draft = ?",  # noqa: S608 (own names)
                (draft,),
            )
            connection.execute("DELETE FROM pending WHERE draft = ?", (draft,))

    def _file_for(self, bucket: str, key: str) -> Path:
        """Choose the file of an object, in a folder that is there."""
        segments = key.split("/")
        if all(_is_plain(segment) for segment in segments):
            path = self._root.joinpath(bucket, *segments)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except (NotADirectoryError, FileExistsError):
                pass  # S3 may hold both "a" and "a/b"; a file system can't
            else:
                if not path.is_dir():
                    return path
        suffix = _PLAIN_SUFFIX.search(key)
        return self._other / (hashlib.sha256(f"{bucket}/{key}".encode()).hexdigest() + (suffix[0] if suffix else ""))

    def _remove_empty(self, folder: Path) -> None:
        while folder not in {self._root, self._other}:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent


def _is_plain(segment: str) -> bool:
    return (
        segment not in {"", ".", ".."}
        and "\0" not in segment
        and len(segment.encode("utf-8", "replace")) <= _LONGEST_SEGMENT
    )
