"""CloudWatch: metrics, statistics, metric math, alarms and dashboards."""

import gzip
import io
import zlib
from dataclasses import replace
from typing import ClassVar

from sandbox.errors import AwsError
from sandbox.protocols import Request, Response, Wire
from sandbox.services.cloudwatch.dashboard_operations import DashboardOperations
from sandbox.services.cloudwatch.faults import VALIDATION, VALUE
from sandbox.services.cloudwatch.metric_operations import MetricOperations
from sandbox.services.service import Context

# PutMetricData, CloudWatch API reference, read 2026-11-21. Clients compress what they send from 10 KB on.
_LARGEST_PUT = 1024 * 1024
_LARGEST_UNPACKED = 16 * _LARGEST_PUT


class CloudWatch(MetricOperations, DashboardOperations):
    """Metrics are shared with the runtime, which reports what it measured without this door."""

    name: ClassVar[str] = "cloudwatch"

    def handle(self, wire: Wire, request: Request, context: Context) -> Response:
        """Answer one request, which may be compressed. Raises: AwsError."""
        unpacked = _unpacked(request)
        name = wire.operation(unpacked)
        if name == "PutMetricData" and len(request.body) > _LARGEST_PUT:
            raise AwsError("RequestEntityTooLarge", f"The request is larger than {_LARGEST_PUT:,} bytes.", status=413)
        try:
            return super().handle(wire, unpacked, context)
        except AwsError as err:
            if err.code != "ValidationException":
                raise
            # The older operations have their own name for a value that does not fit.
            operation = self.model.operation_model(name)
            older = any(shape.name == "InvalidParameterValueException" for shape in operation.error_shapes)
            raise AwsError(VALUE if older else VALIDATION, err.message) from err


def _unpacked(request: Request) -> Request:
    if request.headers.get("content-encoding", "").strip().lower() != "gzip":
        return request
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(request.body)) as file:
            body = file.read(_LARGEST_UNPACKED + 1)
    except (OSError, EOFError, zlib.error) as err:
        raise AwsError("SerializationException", "The body is not gzip, which Content-Encoding says it is") from err
    if len(body) > _LARGEST_UNPACKED:
        raise AwsError(
            "RequestEntityTooLarge", f"The request unpacks to more than {_LARGEST_UNPACKED:,} bytes.", status=413
        )
    return replace(request, body=body)
