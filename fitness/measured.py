"""Which fields of a workload were measured by a load test, rather than said by somebody.

A load test writes down the values that it put in; a field that somebody has changed since is theirs again.
Source: docs/workload.md#measured.
"""

from collections.abc import Mapping

from fitness.document import shown
from fitness.workload import Workload

MEASURED, DECLARED = "measured", "declared"


def written(values: Mapping[str, object]) -> str:
    """Give the text of `measured.fields` for values by path.

    >>> written({"request.processing_ms": 12.5, "request.measured_on": "ml.m5.large"})
    'request.processing_ms=12.5 request.measured_on=ml.m5.large'
    """
    return " ".join(f"{path}={_plain(value)}" for path, value in values.items())


def measured_fields(workload: Workload) -> tuple[str, ...]:
    """Give the paths of the fields that still have the value that was measured, in the order of the file."""
    noted = dict(part.partition("=")[::2] for part in (workload.measured.fields or "").split())
    return tuple(path for path, value in workload.declared().items() if noted.get(path) == _plain(value))


def sentence(workload: Workload) -> str | None:
    """Say what was measured, when and by what; None: nothing that still counts."""
    paths = measured_fields(workload)
    if not paths:
        return None
    origin = ", ".join(part for part in (workload.measured.as_of, workload.measured.by) if part)
    return f"{', '.join(paths)}" + (f" ({origin})" if origin else "")


def _plain(value: object) -> str:
    return value if isinstance(value, str) else shown(value)
