"""Azure Functions: what each plan takes and meters.

Source: docs/prices.md#azure-functions (billing rules with their origin).
"""

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from types import MappingProxyType

from fitness.bill import Metered
from fitness.items import HOURS_PER_MONTH
from fitness.metering import EXACT, Figure, Usage, Values, number, optional, product, ratio, required, times

MEMORY_STEP_MB = 128  # Consumption: memory is rounded up to 128 MB (docs/prices.md#azure-functions)
MINIMUM_MS = 100  # Consumption: an execution is billed for at least 100 ms (the same)


def _consumption(values: Values) -> list[Metered]:
    memory_mb = product(number(values, "memory_gb"), 1024)
    steps = ratio(memory_mb, MEMORY_STEP_MB).to_integral_value(ROUND_CEILING, EXACT)
    billed_mb = max(product(steps, MEMORY_STEP_MB), Decimal(MEMORY_STEP_MB))
    billed_ms = max(number(values, "duration_ms"), Decimal(MINIMUM_MS))
    return _on_demand("consumption", values, ratio(billed_mb, 1024), billed_ms)


def _flex(values: Values) -> list[Metered]:
    memory_gb, hours = number(values, "memory_gb"), number(values, "hours")
    ready = number(values, "always_ready_instances")
    share = number(values, "always_ready_share")
    executions, duration_ms = number(values, "executions"), number(values, "duration_ms")
    lines = _on_demand("flex", values, memory_gb, duration_ms, EXACT.subtract(1, share))
    if "always_ready_instances" in values:
        lines += [
            Metered(
                item="azure_functions/flex/always_ready_baseline",
                quantity=product(ready, memory_gb, hours, 3600),
                note=times((ready, "instances"), (memory_gb, "GB"), (hours, "h")),
            ),
            Metered(
                item="azure_functions/flex/always_ready_duration",
                quantity=ratio(product(executions, share, memory_gb, duration_ms), 1000),
                note=times((product(executions, share), "executions"), (memory_gb, "GB")),
            ),
        ]
    return lines


def _on_demand(
    plan: str,
    values: Values,
    memory_gb: Decimal,
    duration_ms: Decimal,
    share: Decimal | int = 1,
) -> list[Metered]:
    executions = number(values, "executions")
    grant = values.get("free_grant") is True
    return [
        Metered(
            item=f"azure_functions/{plan}/duration",
            quantity=ratio(product(executions, share, memory_gb, duration_ms), 1000),
            note=times(
                (product(executions, share), "executions"),
                (memory_gb, "GB billed"),
                (duration_ms, "ms billed"),
            ),
            on_free_grant=grant,
        ),
        Metered(
            item=f"azure_functions/{plan}/executions",
            quantity=ratio(executions, 10**6),
            on_free_grant=grant,
        ),
    ]


def _premium(values: Values) -> list[Metered]:
    instances, hours = number(values, "instances"), number(values, "hours")
    return [
        Metered(
            item=f"azure_functions/premium/{item}",
            quantity=ratio(product(number(values, name), instances, hours), HOURS_PER_MONTH),
            note=f"{times((number(values, name), unit), (instances, 'instances'), (hours, 'h'))} / {HOURS_PER_MONTH}",
        )
        for item, name, unit in (("vcpu", "vcpu", "vCPU"), ("memory", "memory_gb", "GB"))
    ]


_EXECUTIONS = (
    *required("executions", "memory_gb", "duration_ms"),
    Figure(name="free_grant", default=False, is_flag=True),
)
_ALWAYS_READY = ("always_ready_instances", "hours", "always_ready_share")

_FLEX = Usage(
    figures=(
        *_EXECUTIONS,
        *optional("always_ready_instances", "hours"),
        Figure(name="always_ready_share", is_optional=True, maximum=Decimal(1)),
    ),
    meter=_flex,
    together=_ALWAYS_READY,
)

AZURE_PLANS: Mapping[str, Usage] = MappingProxyType(
    {
        "consumption": Usage(figures=_EXECUTIONS, meter=_consumption),
        "flex": _FLEX,
        "flex_consumption": _FLEX,
        "premium": Usage(
            figures=(
                *required("vcpu", "memory_gb", "hours"),
                Figure(name="instances", default=Decimal(1)),
            ),
            meter=_premium,
        ),
    }
)
"""What `azure_functions` takes and meters, by its `plan`."""
