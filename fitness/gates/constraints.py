"""Gates of what the architect requires: network, capture, another provider, no bill while idle."""

from collections.abc import Iterator

from fitness.gates.gate import EVEN, UNSURE, Case, Gate, gate_of

SECOND_CLOUD = 0.1  # a team on AWS takes on another provider without being asked to


def region(case: Case) -> Iterator[Gate]:
    """A Region that the price book does not know: it may not exist at AWS, and nothing can be priced."""
    row = case.row("outside_aws")
    if case.option == "azure_functions" or row is None or case.point.region in case.regions:
        return
    yield Gate(
        limit="region",
        title="Region",
        allowed=", ".join(case.regions),
        asked=case.point.region,
        unit="",
        passes=None,
        likelihood=EVEN,
        reason=f"the price book has no Region {case.point.region}: nothing is priced there",
        source="price book",
        as_of="2026-11-17",
        status="unverified",
        field="region",
        remedy=case.regions[0] if case.regions else None,
    )


def flags(case: Case) -> Iterator[Gate]:
    """What is declared under `constraints`, against what the option can do."""
    constraints = case.point.workload.constraints
    for name in ("vpc", "network_isolation", "data_capture", "outside_aws"):
        row = case.row(name)
        if row is None or not getattr(constraints, name):
            continue
        passes: bool | None = row.value != "no"
        if row.status in UNSURE:
            passes = None
        word = {True: "is possible here", False: "is not possible here", None: "is not certain: sources disagree"}
        yield gate_of(
            row,
            passes=passes,
            reason=f"{row.title} {word[passes]}" if name != "outside_aws" or not passes else "runs at another provider",
            field=f"constraints.{name}",
            asked=True,
            remedy=False,
        )
    row = case.row("outside_aws")
    if case.option == "azure_functions" and row is not None:
        wanted = bool(constraints.outside_aws)
        yield gate_of(
            row,
            passes=None,
            reason="runs in an Azure subscription: its account, identity, network and quotas are not checked here"
            + ("" if wanted else ", and nothing declared asks to leave AWS"),
            field="constraints.outside_aws",
            asked=wanted,
            likelihood=1.0 if wanted else SECOND_CLOUD,
            remedy=True,
        )


def scale_to_zero(case: Case) -> Iterator[Gate]:
    """No bill while idle: which options and variants manage it."""
    row = case.row("scale_to_zero")
    if row is None or not case.point.workload.constraints.scale_to_zero:
        return
    keeps_paying = case.variant in ("provisioned", "always_on") and case.option in ("real_time", "async", "serverless")
    passes: bool | None = row.value != "no" and not keeps_paying
    reason = "nothing is billed while idle" if passes else "is billed while idle"
    if passes and case.variant == "inference_components":
        reason = "to zero with inference components: requests while at zero fail until an instance is up"
        if case.point.objectives.cold_start_ok is not True and case.point.request.synchronous is not False:
            passes = None
    yield gate_of(row, passes=passes, reason=reason, field="constraints.scale_to_zero", asked=True, remedy=False)
