"""Request and response bodies of the model servers: CSV, JSON, NPY and LIBSVM as arrays."""

import io
import json
from typing import Any

import numpy as np

CSV = "text/csv"
JSON = "application/json"
NPY = "application/x-npy"
LIBSVM = ("text/libsvm", "text/x-libsvm")
ANY = "*/*"


class Refused(Exception):
    """A body that the model can't take; becomes the container's answer of status 400 or 415."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def media_type(header: str) -> str:
    """Give the type without its parameters: `text/csv; charset=utf-8` is text/csv."""
    return header.partition(";")[0].strip().lower()


def decode(body: bytes, content_type: str) -> Any:
    """Read rows as an array of two dimensions: numbers, or objects where a CSV or JSON has text.

    Raises: Refused with 415 for another type of content, with 400 for a body that is not of its type.
    """
    kind = media_type(content_type) or CSV
    try:
        if kind == CSV:
            return _rows(_cells(body))
        if kind == JSON:
            return _rows(_instances(json.loads(body)))
        if kind == NPY:
            return np.load(io.BytesIO(body), allow_pickle=False)
        if kind in LIBSVM:
            return _libsvm(body.decode())
    except (ValueError, TypeError, RecursionError, EOFError) as err:
        raise Refused(400, f"The body is not {kind}: {err}") from err
    raise Refused(415, f"Content-type {kind} not supported. Supported: {CSV}, {JSON}, {NPY}, {', '.join(LIBSVM)}")


def encode(rows: Any, accept: str) -> tuple[bytes, str]:
    """Write an array as CSV (a row a line), NPY, or a JSON list; gives body and content type.

    Raises: Refused with 406 for another type.
    """
    kind = media_type(accept)
    array = rows.toarray() if hasattr(rows, "toarray") else np.asarray(rows)
    if kind in {"", ANY, JSON}:
        return json.dumps(array.tolist()).encode(), JSON
    if kind == CSV:
        lines = (",".join(map(str, row)) if isinstance(row, list) else str(row) for row in array.tolist())
        return "\n".join(lines).encode(), f"{CSV}; charset=utf-8"
    if kind == NPY:
        buffer = io.BytesIO()
        np.save(buffer, array)
        return buffer.getvalue(), NPY
    raise Refused(406, f"Accept type {kind} not supported. Supported: {JSON}, {CSV}, {NPY}")


def _cells(body: bytes) -> list[list[str]]:
    lines = body.decode().strip().splitlines()
    if not lines:
        raise ValueError("it is empty")
    return [line.split(",") for line in lines]


def _instances(document: Any) -> Any:
    if isinstance(document, dict):
        for name in ("instances", "inputs", "data"):
            if name in document:
                return document[name]
        raise ValueError("a document has its rows under instances, inputs or data")
    return document


def _rows(values: Any) -> Any:
    try:
        array = np.asarray(values, dtype=np.float64)
    except ValueError:
        width = {len(row) for row in values}
        if len(width) > 1:
            raise
        array = np.asarray(values, dtype=object)
        for column in range(array.shape[1]):  # numbers beside text stay numbers
            try:
                array[:, column] = array[:, column].astype(np.float64)
            except ValueError:
                continue
    return array.reshape(1, -1) if array.ndim == 1 else array


def _libsvm(text: str) -> Any:
    rows = [[pair.split(":") for pair in line.split() if ":" in pair] for line in text.strip().splitlines()]
    width = max((int(index) for row in rows for index, _ in row), default=-1) + 1
    array = np.full((len(rows), width), np.nan)
    for number, row in enumerate(rows):
        for index, value in row:
            array[number, int(index)] = float(value)
    return array
