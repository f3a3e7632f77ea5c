"""Gates of one request: its size, its time, who waits for it and how it meets a cold start."""

from collections.abc import Iterator

import numpy as np

from fitness.arrays import Array
from fitness.gates.gate import UNSURE, Case, Gate, at_most, gate_of
from fitness.inputs import Inputs
from fitness.limits import Limit


def payload(case: Case) -> Iterator[Gate]:
    """Request and response size; between two limits that sources give, conditional."""
    for direction in ("in", "out"):
        row, certain = case.row(f"payload_{direction}"), case.row(f"payload_{direction}_certain")
        if row is None or row.number is None:
            continue
        name = f"payload_{direction}_mb"

        def measure(inputs: Inputs, name: str = name) -> Array:
            value: Array = getattr(inputs.request, name)
            return value

        undisputed = certain.number if certain is not None else None
        yield at_most(case, row, f"request.{name}", measure, what=f"payload {direction}", undisputed=undisputed)


def processing(case: Case) -> Iterator[Gate]:
    """Time of one request, streamed or not."""
    streaming = case.row("streaming_s")
    row = case.row("processing_s")
    if case.point.request.streaming and streaming is not None:
        disputed = streaming.status in UNSURE
        if streaming.number is None or disputed:
            reason = "may not do: no reliable source" if disputed else "does not do"
            yield gate_of(
                streaming,
                passes=None if disputed else False,
                reason=f"the answer must be streamed, which this option {reason}",
                field="request.streaming",
                asked=True,
                remedy=False,
            )
        if streaming.number is not None:
            row = streaming
    if row is not None and row.number is not None:
        yield at_most(
            case,
            row,
            "request.processing_ms",
            lambda inputs: inputs.request.processing_s,
            what="processing time",
            scale=1000,
        )


def synchronous(case: Case) -> Iterator[Gate]:
    """Whether the caller gets the answer in the same call."""
    row = case.row("synchronous")
    asked = case.point.request.synchronous
    if row is None or asked is False or (case.point.traffic.is_scheduled and asked is None):
        return
    if row.value != "no":
        if asked:
            yield gate_of(
                row, passes=True, reason="the caller gets the answer in the same call", field="request.synchronous",
                asked=True,
            )  # fmt: skip
        return
    reason = "the answer lands in S3 later; the caller waits for it in the same call"
    if asked is None:
        reason = "the answer lands in S3 later; whether a caller waits for it is not declared"
    yield gate_of(
        row, passes=False if asked else None, reason=reason, field="request.synchronous", asked=asked, remedy=False
    )


def dataset(case: Case) -> Iterator[Gate]:
    """Whether the option needs data that exists beforehand."""
    row = case.row("dataset")
    if row is None or row.value != "yes":
        return
    pattern = case.point.traffic.pattern
    if pattern == "scheduled":
        yield gate_of(
            row, passes=True, reason="the data exists before the job starts", field="traffic.pattern", asked=pattern
        )
        return
    recorded = case.point.traffic.trace is not None
    yield gate_of(
        row,
        passes=False,
        reason="a job reads a data set that exists when it starts; these requests arrive one by one"
        if pattern or recorded
        else "a job reads a data set that exists when it starts; no scheduled work is declared",
        field="traffic.pattern",
        asked="recorded" if recorded else pattern or "diurnal",  # what an undeclared pattern is taken to be
        remedy="scheduled",
    )


def cold_start(case: Case) -> Iterator[Gate]:
    """Whether a slow first answer after idle is acceptable."""
    row = case.row("cold_start")
    cold_s = float(case.cold_s[0])
    if row is None or (row.value == "no" and case.variant != "inference_components") or case.point.traffic.is_scheduled:
        return
    objectives = case.point.objectives
    budget_s = float(objectives.cold_budget_s[0])
    field = "objectives.cold_start_ok"
    if objectives.cold_start_ok is False:
        yield from _no_cold_start(case, row)
        return
    if cold_s <= 0:
        return
    if case.option == "async":
        late_s = float(objectives.late_after_s[0])
        limit_s = float(np.nanmin([late_s, budget_s]))
        # The field that binds, in its own unit.
        field, scale = ("objectives.cold_start_budget_s", 1.0) if budget_s <= late_s else _late_field(case)
        yield gate_of(
            row, passes=cold_s <= limit_s, reason=f"from zero: an answer after {cold_s:.0f} s", field=field,
            asked=limit_s, allowed=cold_s, unit="s", remedy=cold_s * scale, is_least=True,
        )  # fmt: skip
    elif not np.isnan(budget_s):
        yield gate_of(
            row, passes=cold_s <= budget_s, reason=f"first answer after idle about {cold_s:.1f} s later",
            field="objectives.cold_start_budget_s", asked=budget_s, allowed=cold_s, unit="s", remedy=cold_s,
            is_least=True,
        )  # fmt: skip
    elif objectives.cold_start_ok is None:
        late = cold_s > float(objectives.late_after_s[0])
        yield gate_of(
            row,
            passes=None if late else True,
            reason=f"a request after idle takes about {cold_s:.1f} s; whether that is acceptable is not declared",
            field=field,
            asked=None,
            allowed=cold_s,
            unit="s",
            remedy=True,
        )


def _late_field(case: Case) -> tuple[str, float]:
    """The field that says when an answer is late, and how many of its units a second has."""
    declared = case.point.workload.objectives
    if declared.latency_p99_ms is not None:
        return "objectives.latency_p99_ms", 1000.0
    if declared.latency_p95_ms is not None:
        return "objectives.latency_p95_ms", 1000.0
    return "objectives.deadline_s", 1.0


def _no_cold_start(case: Case, row: Limit) -> Iterator[Gate]:
    """No request may meet a cold start: who can promise that."""
    field = "objectives.cold_start_ok"
    if case.option in ("mme", "mme_gpu"):
        together = float(case.point.units[0]) <= 1
        if float(case.cold_s[0]) > 0:
            yield gate_of(
                row, passes=False, reason="the instances that were fixed cannot keep every model in memory",
                field=field, asked=False, remedy=True,
            )  # fmt: skip
            return
        reason = (
            "every model stays in memory, but its first call on each instance loads it: call each once after a launch"
        )
        if together:
            reason = (
                "one model stays in memory" if float(case.point.models.count[0]) <= 1 else "all models stay in memory"
            )
        yield gate_of(
            row,
            passes=True if together else None,
            reason=reason,
            field=field,
            asked=False,
            remedy=True,
        )
    elif case.option == "async" and case.variant == "always_on":
        yield gate_of(row, passes=True, reason="one instance always runs", field=field, asked=False)
    else:
        reason = "requests after idle or in a rise start cold"
        if case.variant == "provisioned":
            reason = "requests beyond the provisioned units still start cold, so none can be promised"
        yield gate_of(row, passes=False, reason=reason, field=field, asked=False, remedy=True)


def serverless(case: Case) -> Iterator[Gate]:
    """Requests at once, endpoints per Region, and whether provisioned concurrency exists."""
    if case.option != "serverless":
        return
    concurrency, endpoints = case.row("concurrency"), case.row("endpoints_per_region")
    if concurrency is not None:

        def at_once(inputs: Inputs) -> Array:
            share: Array = np.max(inputs.popularity[1], axis=1)
            return inputs.traffic.rps_peak * share * inputs.request.processing_s

        assumed = case.point.assumed
        field = "request.processing_ms" if "request.processing_ms" in assumed else "traffic.rps_peak"
        asked = float(at_once(case.point)[0])
        value = float(case.point.traffic.rps_peak[0])
        if field == "request.processing_ms":
            value = float(case.point.request.processing_s[0]) * 1000
        scale = value / asked if asked > 0 else 1.0
        if not case.point.traffic.is_scheduled:
            yield at_most(case, concurrency, field, at_once, what="requests at once", scale=scale)
    asked_endpoints = float(case.point.units[0])
    if endpoints is not None and endpoints.number is not None and asked_endpoints > endpoints.number:
        yield gate_of(
            endpoints,
            passes=None,
            reason=f"{asked_endpoints:g} endpoints asked, one for each model; the quota of {endpoints.number:g} "
            "is adjustable on request",
            field="models.count",
            asked=asked_endpoints,
            remedy=endpoints.number,
        )
    units = case.row("provisioned_concurrency")
    if case.variant == "provisioned" and units is not None and units.number is None:
        yield gate_of(units, passes=False, reason="did not exist then", field="limits", asked=True, remedy="current")
