"""Batch transform's work on text: splitting into records, batching, filtering by JSONPath, joining, assembling."""

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\[\s*'([^']*)'\s*\]|\[([^\]]*)\]")
_MIB = 1024 * 1024


class BadRecord(Exception):
    """A record or a JSONPath that can't be worked with; the message is a job's FailureReason."""


def split(content: bytes, *, by_line: bool) -> list[bytes]:
    """Give the records of an object: its lines, or the whole of it."""
    if not by_line:
        return [content]
    return [line for line in content.replace(b"\r\n", b"\n").split(b"\n") if line.strip()]


def batches(records: list[bytes], *, largest_mb: int, many: bool) -> Iterator[list[bytes]]:
    """Give the records of each request: one, or as many as the payload may hold. `largest_mb` 0 has no limit.

    Raises: BadRecord for a record that is larger than a request may be.
    """
    limit = largest_mb * _MIB or float("inf")
    batch: list[bytes] = []
    size = 0
    for record in records:
        if len(record) > limit:
            raise BadRecord(f"A record of {len(record)} bytes is larger than MaxPayloadInMB={largest_mb}.")
        if batch and (not many or size + len(record) + 1 > limit):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += len(record) + 1
    if batch:
        yield batch


class Selection:
    """A JSONPath of the kind that DataProcessing takes: `$`, `$[1:]`, `$[0,2]`, `$.features`, `$['a'][0]`.

    Source: SageMaker developer guide, "Associate Prediction Results with Input Records", read 2026-11.
    """

    def __init__(self, path: str) -> None:
        if not path.startswith("$"):
            raise BadRecord(f"A JSONPath starts with $, got {path!r}")
        self._steps: list[str | list[int | slice]] = []
        position = 1
        while position < len(path):
            found = _STEP.match(path, position)
            if found is None:
                raise BadRecord(f"The JSONPath {path!r} is not one that batch transform takes")
            name = found[1] if found[1] is not None else found[2]
            self._steps.append(name if name is not None else _indexes(found[3], path))
            position = found.end()
        self.is_all = not self._steps

    def of(self, value: Any) -> Any:
        """Give the part of a record. Raises: BadRecord if the record has no such part."""
        for step in self._steps:
            try:
                value = value[step] if isinstance(step, str) else _chosen(step, value)
            except (KeyError, IndexError, TypeError) as err:
                raise BadRecord(f"A record has no {step!r}") from err
        return value


def _indexes(text: str, path: str) -> list[int | slice]:
    chosen: list[int | slice] = []
    for part in text.split(","):
        ends = [end.strip() for end in part.split(":")]
        try:
            numbers = [int(end) if end else None for end in ends]
        except ValueError as err:
            raise BadRecord(f"The JSONPath {path!r} is not one that batch transform takes") from err
        if len(numbers) == 1 and numbers[0] is not None:
            chosen.append(numbers[0])
        elif len(numbers) == 2:
            chosen.append(slice(*numbers))
        else:
            raise BadRecord(f"The JSONPath {path!r} is not one that batch transform takes")
    return chosen


def _chosen(step: list[int | slice], value: Any) -> Any:
    if len(step) == 1 and isinstance(step[0], int):
        return value[step[0]]
    found: list[Any] = []
    for index in step:
        found.extend(value[index] if isinstance(index, slice) else [value[index]])
    return found


def filtered(record: bytes, content_type: str, selection: Selection) -> bytes:
    """Give the part of a record that the model is sent. Raises: BadRecord."""
    if selection.is_all:
        return record
    return _written(selection.of(_parsed(record, content_type)), content_type)


def joined(record: bytes, answer: bytes, *, content_type: str, accept: str, selection: Selection, join: bool) -> bytes:
    """Give the line of the output: the model's answer, beside its record if they are joined, then the part wanted.

    JSON records get the member SageMakerOutput, CSV records further columns. Raises: BadRecord.
    """
    if not join and selection.is_all:
        return answer
    if not join:
        return _written(selection.of(_parsed(answer, accept)), accept)
    source, output = _parsed(record, content_type), _parsed(answer, accept)
    if _is_json(content_type):
        if isinstance(source, dict):
            together: Any = {**source, "SageMakerOutput": output}
        else:
            together = {"SageMakerInput": source, "SageMakerOutput": output}
    else:
        together = [*source, *(output if isinstance(output, list) else [output])]
    return _written(selection.of(together), content_type)


def _is_json(content_type: str) -> bool:
    return "json" in content_type


def _parsed(record: bytes, content_type: str) -> Any:
    try:
        if _is_json(content_type):
            return json.loads(record)
        return next(csv.reader([record.decode().strip()]), [])
    except ValueError as err:
        raise BadRecord(f"A record is not {content_type}: {err}") from err


def _written(value: Any, content_type: str) -> bytes:
    if _is_json(content_type):
        return json.dumps(value).encode()
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(value if isinstance(value, list) else [value])
    return line.getvalue().encode()
