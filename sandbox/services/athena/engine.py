"""DuckDB, set up to answer as Trino does."""

import threading
from pathlib import Path
from typing import Final

import duckdb

from sandbox.services.athena.functions import MACROS
from sandbox.services.athena.python_functions import register

_MEMORY: Final = "2GB"
_SETTINGS: Final = (
    "SET TimeZone = 'UTC'",
    "SET integer_division = true",
    f"SET memory_limit = '{_MEMORY}'",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET enable_progress_bar = false",
    "SET preserve_insertion_order = true",
)


class Engine:
    """One database in memory; each query works on a cursor of its own, with views and tables of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._root: duckdb.DuckDBPyConnection | None = None

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Give a cursor for one query."""
        with self._lock:
            if self._root is None:
                self._root = self._open()
            return self._root.cursor()

    def _open(self) -> duckdb.DuckDBPyConnection:
        root = duckdb.connect(":memory:", config={"temp_directory": str(self._folder / "athena-spill")})
        for setting in _SETTINGS:
            root.execute(setting)
        register(root)
        root.execute(MACROS)
        return root
