"""Gates of the models: accelerator, memory, sizes, containers, frameworks and how they are put together."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from fitness.arrays import Array
from fitness.gates.gate import UNSURE, Case, Gate, at_most, gate_of, plain
from fitness.inputs import Inputs
from fitness.limits import Limit
from fitness.machines import max_memory_mb

UNPACKED_OVER_PACKED = 2.0
CATALOGUE = "instance catalogue: the priced types that the option accepts"
CATALOGUE_AS_OF = "2026-11-17"
SHARED_STACK = 0.8  # models of one deployment usually share a framework
REDESIGN = 0.9  # a change of design that is in the architect's hands
IN_ONE_CONTAINER = frozenset({"async", "batch", "serverless"})  # a chain or graph runs inside, if at all
CALLER_CHAINS = frozenset({"real_time", "azure_functions"})  # the caller or own code may run the steps in order


def accelerator(case: Case) -> Iterator[Gate]:
    """GPU and Inferentia, and models that need neither on an option that brings one."""
    for kind in ("gpu", "inferentia"):
        row = case.row(kind)
        if kind == "gpu" and case.option == "mme_gpu" and case.point.accelerator == "none" and row is not None:
            yield gate_of(
                row,
                passes=None,
                reason="the models need no accelerator: Triton would have to run them on a GPU that brings nothing "
                "that was measured",
                field="accelerator",
                asked="none",
                remedy="gpu",
            )
        if row is None or case.point.accelerator != kind:
            continue
        passes: bool | None = row.value != "no"
        if row.status in UNSURE:
            passes = None
        has = {True: "runs", False: "has no", None: "may or may not have"}[passes]
        yield gate_of(
            row,
            passes=passes,
            reason=f"{has} {kind.upper() if kind == 'gpu' else 'Inferentia'} instances",
            field="accelerator",
            asked=kind,
            remedy="none",
        )


def memory(case: Case) -> Iterator[Gate]:
    """A loaded model, or all of them, in the memory of the largest type or size."""
    row = case.row("memory_mb")
    if row is not None and row.number is not None:
        yield from _memory_size(case, row)
        return
    if case.machines is None:
        return
    if case.machines.count == 0:
        yield _no_type(case)
        return
    together = case.option in ("mce_direct", "serial_pipeline", "triton_ensemble")

    def resident(inputs: Inputs) -> Array:
        at_once = inputs.steps if case.option in IN_ONE_CONTAINER else np.ones(inputs.size)
        if together:
            at_once = np.maximum(inputs.units * inputs.steps, inputs.models.containers)
        return inputs.models.memory_mb * at_once

    largest = Limit(
        option=case.option,
        limit="memory_mb",
        value=max_memory_mb(case.machines),
        unit="MB",
        profiles=frozenset({case.profile}),
        status="derived",
        source=CATALOGUE,
        as_of=CATALOGUE_AS_OF,
        note="",
    )
    each = float(case.point.models.memory_mb[0]) / max(float(resident(case.point)[0]), 1e-9)
    what = f"{'all models' if together else 'a model'} in the memory of one instance"
    yield at_most(case, largest, "models.memory_mb", resident, what=what, scale=each)


def _no_type(case: Case) -> Gate:
    arch = "arm64" if case.point.request.measured_on.arch == "arm64" else "x86_64"
    must_scale = case.option == "async" or case.variant == "inference_components"
    return Gate(
        limit="instance_types",
        title="Instance types",
        allowed=0.0,
        asked=1.0,
        unit="types",
        passes=False,
        likelihood=0.0,
        reason="no priced instance type of this option fits the models: "
        f"accelerator {case.point.accelerator}, measured on {arch}"
        + ("; burstable types can't be registered for scaling" if must_scale else ""),
        source=CATALOGUE,
        as_of=CATALOGUE_AS_OF,
        status="derived",
        field="request.measured_on" if case.point.accelerator == "none" else "accelerator",
        remedy=None if case.point.accelerator == "none" else "none",
    )


def _memory_size(case: Case, row: Limit) -> Iterator[Gate]:
    """A memory size of the option's choice, or the one that the caller fixed."""
    fixed, offered = case.fixed_memory_mb, case.row("memory_sizes_mb")
    if fixed is not None and offered is not None and fixed not in map(float, str(offered.value).split()):
        yield gate_of(
            offered,
            passes=False,
            reason=f"there is no memory size of {plain(fixed)} MB, only {', '.join(str(offered.value).split())}",
            field="config.memory_mb",
            asked=fixed,
            remedy=row.number,
        )
        return

    def resident(inputs: Inputs) -> Array:
        return inputs.models.memory_mb * (inputs.steps if case.option in IN_ONE_CONTAINER else 1.0)

    top = row if fixed is None or row.number is None else replace(row, value=min(fixed, row.number))
    each = float(case.point.models.memory_mb[0]) / max(float(resident(case.point)[0]), 1e-9)
    yield at_most(case, top, "models.memory_mb", resident, what="memory of a loaded model", scale=each)


def sizes(case: Case) -> Iterator[Gate]:
    """Container image, disk and model size."""
    image, disk, model = case.row("image_gb"), case.row("disk_gb"), case.row("model_gb")
    if image is not None and image.number is not None:
        yield at_most(case, image, "models.image_gb", lambda inputs: inputs.models.image_gb, what="container image")
    for row, factor, what in ((disk, UNPACKED_OVER_PACKED, "model packed and unpacked"), (model, 1.0, "model")):
        if row is not None and row.number is not None:

            def size_gb(inputs: Inputs, factor: float = factor) -> Array:
                return inputs.models.artifact_mb * factor / 1024

            yield at_most(case, row, "models.artifact_mb", size_gb, what=what, scale=1024 / factor)


def containers(case: Case) -> Iterator[Gate]:
    """How many containers one endpoint takes."""
    low, high = case.row("containers_min"), case.row("containers_max")
    if case.option in ("async", "serverless") and high is not None:
        yield from _one_container(case, high)
    if case.option not in ("mce_direct", "serial_pipeline") or low is None or high is None:
        return
    stacks, count = float(case.point.models.containers[0]), float(case.point.models.count[0])
    asked = max(stacks, count)
    field = "models.containers" if case.point.workload.models.containers and stacks >= count else "models.count"
    if asked > (high.number or 15):
        yield gate_of(
            high,
            passes=False,
            reason=f"{asked:g} containers asked, {high.value} allowed on one endpoint",
            field=field,
            asked=asked,
            remedy=high.number,
        )
    elif asked < (low.number or 2):
        unknown = case.point.workload.models.count is None and case.point.workload.composition is None
        yield gate_of(
            low,
            passes=None if unknown else False,
            reason="one container: nothing to put beside or behind it",
            field=field,
            asked=asked,
            remedy=low.number,
            is_least=True,
        )
    else:
        yield gate_of(high, passes=True, reason=f"{asked:g} containers on one endpoint", field=field, asked=asked)


def _one_container(case: Case, row: Limit) -> Iterator[Gate]:
    """Several serving stacks where an endpoint has one container: each needs its own endpoint, if that is possible."""
    stacks = case.point.workload.models.containers
    if stacks is None or stacks <= (row.number or 1) or case.point.composition is not None:
        return
    yield gate_of(
        row,
        passes=None,
        reason=f"{stacks} containers asked, {row.value} allowed on one endpoint: works only if they are called one by "
        "one, each on its own endpoint; how they are composed is not declared",
        field="models.containers",
        asked=float(stacks),
        remedy=row.number,
    )


def frameworks(case: Case) -> Iterator[Gate]:
    """Whether models of different frameworks may share."""
    row = case.row("frameworks")
    if row is None or row.value != "no" or float(case.point.models.count[0]) <= 1:
        return
    declared = case.point.workload.models.frameworks
    passes = {"same": True, "different": False}.get(str(declared)) if declared else None
    yield gate_of(
        row,
        passes=passes,
        reason={
            True: "all models share one container and serving stack",
            False: "one shared container: models must share their framework and serving stack",
            None: "one shared container: whether the models share a framework is not declared",
        }[passes],
        field="models.frameworks",
        asked=None if declared is None else str(declared),
        likelihood=SHARED_STACK,
        remedy="same",
    )


def composition(case: Case) -> Iterator[Gate]:
    """Single, independent, chain or graph: what the option runs of that."""
    asked = case.point.composition
    rule = {"sequential": _chain, "ensemble": _graph, "independent": _independent}.get(asked or "", _undeclared)
    yield from rule(case)


def _chain(case: Case) -> Iterator[Gate]:
    row = case.row("chain")
    if row is None:
        return
    in_server = row.value != "no"
    passes = in_server or case.option in CALLER_CHAINS
    reason = "does not run a chain of models"
    if passes:
        reason = "runs a chain of models" if in_server else "the caller or own code runs the chain, call after call"
    yield gate_of(row, passes=passes, reason=reason, field="composition", asked="sequential", remedy="independent")


def _graph(case: Case) -> Iterator[Gate]:
    row = case.row("graph")
    if row is None:
        return
    in_server = row.value != "no"
    passes = True if in_server or case.option in CALLER_CHAINS else None
    reason = "runs no graph: works only if the steps fit into one line or one container"
    if passes:
        reason = "runs a graph of models" if in_server else "the caller or own code runs the graph"
    yield gate_of(row, passes=passes, reason=reason, field="composition", asked="ensemble", remedy="sequential")


def _independent(case: Case) -> Iterator[Gate]:
    row = case.row("independent")
    if row is None:
        return
    passes = row.value != "no"
    reason = "models are called one by one, by name"
    if not passes:
        reason = "no fixed chain or graph of steps: the models are called one by one"
    yield gate_of(row, passes=passes, reason=reason, field="composition", asked="independent", remedy="sequential")


def _undeclared(case: Case) -> Iterator[Gate]:
    """One model, or nobody said: chains and graphs need steps."""
    row = case.row("chain")
    if row is None or case.option not in ("serial_pipeline", "triton_ensemble"):
        return
    models = case.point.workload.models
    alone = case.point.composition == "single" or (models.count == 1 and (models.containers or 1) <= 1)
    reason = "one model: there is no chain or graph of steps to run"
    if not alone:
        reason = "works only if each request passes through all models; how they are composed is not declared"
    yield gate_of(
        row,
        passes=False if alone else None,
        reason=reason,
        field="composition",
        asked="single" if alone else case.point.composition,
        remedy="sequential",
    )


def loops(case: Case) -> Iterator[Gate]:
    """Loops and branches between models."""
    row, in_code = case.row("graph"), case.row("graph_in_code")
    if row is None or row.value != "no" or not case.point.workload.conditional_flow:
        return
    may_in_code = in_code is not None and in_code.value == "yes"
    reason = "a fixed chain only: no loops or branches"
    if may_in_code:
        reason = "no loops or branches between models, unless one container's own code has them"
    yield gate_of(
        row,
        passes=None if may_in_code else False,
        reason=reason,
        field="conditional_flow",
        asked=True,
        remedy=False,
    )


def stages(case: Case) -> Iterator[Gate]:
    """Stages of a chain that are themselves multi-model."""
    row = case.row("multi_model_stages")
    asked = case.point.workload.multi_model_stages
    if row is None or row.number is None or not asked:
        return
    passes: bool | None = asked <= row.number
    if not passes and row.number >= 1:
        passes = None
    yield gate_of(
        row,
        passes=passes,
        reason=f"{asked} multi-model stages asked, {row.value:g} allowed"
        + (": keep one, make the others single-model before launch" if passes is None else ""),
        field="multi_model_stages",
        asked=float(asked),
        likelihood=REDESIGN,
        remedy=row.number,
    )
