"""The tables of Athena's own state."""

from typing import Final

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS executions (
    id TEXT PRIMARY KEY, region TEXT, work_group TEXT, submitted REAL, state TEXT, text TEXT, facts TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS executions_by_time ON executions (region, work_group, submitted);
CREATE TABLE IF NOT EXISTS tokens (region TEXT, token TEXT, id TEXT, PRIMARY KEY (region, token)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS resources (
    region TEXT, kind TEXT, parent TEXT, name TEXT, facts TEXT, PRIMARY KEY (region, kind, parent, name)
) WITHOUT ROWID;
"""
