"""Recordings in Parquet for tests, and what is wrong with a recording."""

import io
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from pyarrow import parquet

from fitness.errors import InputError
from fitness.trace import read_trace

START = datetime(2026, 3, 1, 10, tzinfo=UTC)


def problems(source, **kwargs):
    with pytest.raises(InputError) as caught:
        read_trace(source, **kwargs)
    return [str(problem) for problem in caught.value.problems]


def file_of(**columns):
    buffer = io.BytesIO()
    parquet.write_table(pa.table(columns), buffer)
    return buffer.getvalue()
