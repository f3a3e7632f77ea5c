"""The state folder: SQLite files that survive kill -9, private to the user."""

import fcntl
import logging
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

LOG = logging.getLogger(__name__)

Row = tuple[Any, ...]

HELD = "held"  # the file that the process of a state folder keeps locked, with its number in it


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner can enter."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def hold(folder: Path) -> IO[str]:
    """Take a state folder until the file is closed, here and where it is inherited.

    Raises: BlockingIOError if another has it.
    """
    file = (folder / HELD).open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def set_aside(path: Path, reason: str) -> Path:
    """Rename an unreadable file so that the service can start empty and nothing is lost."""
    kept = path.with_name(f"{path.name}.unreadable-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    path.rename(kept)
    LOG.warning("%s could not be read (%s): set aside as %s, starting empty", path.name, reason, kept.name)
    return kept


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file in one step, so that a reader or a crash never sees half of it."""
    draft = path.with_name(f"{path.name}.draft-{os.getpid()}-{threading.get_ident()}")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(path)


def _check(connection: sqlite3.Connection) -> None:
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)


class Database:
    """One SQLite file with write-ahead log: a committed change survives the death of the process.

    Statements run one at a time, so a service's threads may share it.
    """

    def __init__(self, path: Path, schema: str) -> None:
        self._lock = threading.RLock()
        self.path = path
        try:
            self._connection = self._open(schema)
        except sqlite3.DatabaseError as err:
            kept = set_aside(path, str(err))
            for suffix in ("-wal", "-shm"):
                beside = path.with_name(path.name + suffix)
                if beside.exists():
                    beside.rename(kept.with_name(kept.name + suffix))
            self._connection = self._open(schema)

    def _open(self, schema: str) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            _check(connection)
            connection.executescript(schema)
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection

    def read(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Give the rows of a query."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def write(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Run one change and commit it; gives the number of rows it touched."""
        with self._lock:
            return self._connection.execute(statement, values).rowcount

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Several changes that happen together or not at all."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
