"""The metrics of one variant: names, units and dimensions as AWS publishes them."""

from collections.abc import Callable

from sandbox.runtime.recorder import ENDPOINT, HOST, MICROSECONDS, NONE, PERCENT, Recorder, Series

# Source: SageMaker developer guide, "Monitor Amazon SageMaker with Amazon CloudWatch" and "CloudWatch metrics for
# multi-model endpoint deployments", read 2026-11.
_UNITS = {
    "Invocations": (ENDPOINT, NONE),
    "InvocationsPerInstance": (ENDPOINT, NONE),
    "Invocation4XXErrors": (ENDPOINT, NONE),
    "Invocation5XXErrors": (ENDPOINT, NONE),
    "InvocationModelErrors": (ENDPOINT, NONE),
    "ModelLatency": (ENDPOINT, MICROSECONDS),
    "OverheadLatency": (ENDPOINT, MICROSECONDS),
    "ContainerLatency": (ENDPOINT, MICROSECONDS),
    "ModelSetupTime": (ENDPOINT, MICROSECONDS),
    "ModelCacheHit": (ENDPOINT, NONE),
    "ModelLoadingWaitTime": (ENDPOINT, MICROSECONDS),
    "ModelDownloadingTime": (ENDPOINT, MICROSECONDS),
    "ModelLoadingTime": (ENDPOINT, MICROSECONDS),
    "ModelUnloadingTime": (ENDPOINT, MICROSECONDS),
    "LoadedModelCount": (HOST, NONE),
    "CPUUtilization": (HOST, PERCENT),
    "MemoryUtilization": (HOST, PERCENT),
    "DiskUtilization": (HOST, PERCENT),
}


class VariantSeries:
    """Records the metrics of a variant of an endpoint."""

    def __init__(self, recorder: Recorder, endpoint: str, variant: str) -> None:
        self._recorder = recorder
        self._dimensions = (("EndpointName", endpoint), ("VariantName", variant))
        self._series: dict[tuple[str, str], Series] = {}

    def add(self, name: str, value: float, minute: int, *, container: str = "") -> None:
        """Record one value; for one container of several if it is named."""
        series = self._series.get((name, container))
        if series is None:
            namespace, unit = _UNITS[name]
            dimensions = (*self._dimensions, ("ContainerName", container)) if container else self._dimensions
            series = self._series[name, container] = self._recorder.series(namespace, name, dimensions, unit)
        series.add(value, minute)

    def request(self, *, status: int, total_us: int, model_us: int, minute: int, instances: int) -> None:
        """Record one invocation; `instances` is 0 where AWS does not publish a share per instance (serverless)."""
        add = self.add
        add("Invocations", 1, minute)
        if instances:
            add("InvocationsPerInstance", 1 / instances, minute)
            add("InvocationModelErrors", 0 if status < 300 else 1, minute)
        add("Invocation4XXErrors", 1 if 400 <= status < 500 else 0, minute)
        add("Invocation5XXErrors", 1 if status >= 500 else 0, minute)
        add("ModelLatency", model_us, minute)
        add("OverheadLatency", max(0, total_us - model_us), minute)


Measure = Callable[[str, float], None]
