"""The usages that can be priced: which fields each has, and what they meter.

Fields are numbers >= 0 unless a field says otherwise. Quantities are worked out in decimal from the
numbers as they were written, so a reader can repeat each line by hand.
Source: docs/prices.md#usages (fields, units and the billing rules with their origin).
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType

from fitness.bill import Metered, plain
from fitness.items import COMPONENTS, HOURS_PER_MONTH, SERVERLESS_MEMORY_MB
from fitness.metering import Figure, Usage, Values, number, optional, product, ratio, required, tiered, times

ATHENA_MINIMUM_MB = 10  # Athena pricing: a query is charged for at least 10 MB
MB_PER_TB = 1024 * 1024
FIRST_TIER_METRICS = 10_000  # CloudWatch: the price of custom metrics holds for the first 10,000
FIRST_TIER_S3_GB = 50 * 1024  # S3: the price of Standard storage holds for the first 50 TB
LAMBDA_TIERS = ((6 * 10**9, ""), (9 * 10**9, "/tier2"), (None, "/tier3"))  # GB-seconds, x86
LAMBDA_ARM64_TIERS = ((Decimal("7.5e9"), ""), (None, "/tier2"))


def _instances(component: str) -> Callable[[Values], list[Metered]]:
    def meter(values: Values) -> list[Metered]:
        instances, hours = number(values, "instances"), number(values, "hours")
        return [
            Metered(
                item=f"{component}/{values['instance_type']}",
                quantity=product(instances, hours),
                note=times((instances, "instances"), (hours, "h")),
            )
        ]

    return meter


def _serverless(values: Values) -> list[Metered]:
    memory_mb = plain(number(values, "memory_mb"))
    lines = [_request_seconds(f"serverless/duration/{memory_mb}", values)]
    return lines + _serverless_data(values)


def _provisioned_concurrency(values: Values) -> list[Metered]:
    memory_mb = plain(number(values, "memory_mb"))
    units, hours = number(values, "units"), number(values, "hours")
    lines = [
        Metered(
            item=f"provisioned_concurrency/usage/{memory_mb}",
            quantity=product(units, hours, 3600),
            note=times((units, "units"), (hours, "h"), (Decimal(3600), "s")),
        )
    ]
    if "requests" in values:
        lines.append(_request_seconds(f"provisioned_concurrency/duration/{memory_mb}", values))
    return lines + _serverless_data(values)


def _request_seconds(item: str, values: Values) -> Metered:
    requests, duration_ms = number(values, "requests"), number(values, "duration_ms")
    return Metered(
        item=item,
        quantity=ratio(product(requests, duration_ms), 1000),
        note=times((requests, "requests"), (duration_ms, "ms")),
    )


def _serverless_data(values: Values) -> list[Metered]:
    if "data_gb" not in values:
        return []
    return [
        Metered(
            item="serverless/data_in",  # in and out have one price
            quantity=number(values, "data_gb"),
            name="Serverless data processed in and out",
        )
    ]


def _storage(values: Values) -> list[Metered]:
    gb, hours = number(values, "gb"), number(values, "hours")
    return [
        Metered(
            item=f"storage/{values['of']}",
            quantity=ratio(product(gb, hours), HOURS_PER_MONTH),
            note=f"{times((gb, 'GB'), (hours, 'h'))} / {HOURS_PER_MONTH}",
        )
    ]


def _plain_gb(item: str) -> Callable[[Values], list[Metered]]:
    return lambda values: [Metered(item=item, quantity=number(values, "gb"))]


def _athena(values: Values) -> list[Metered]:
    scanned_tb, queries = number(values, "tb_scanned"), number(values, "queries")
    least_tb = ratio(product(queries, ATHENA_MINIMUM_MB), MB_PER_TB)
    note = f"at least {ATHENA_MINIMUM_MB} MB for each query" if least_tb > scanned_tb else ""
    return [Metered(item="athena/scan", quantity=max(scanned_tb, least_tb), note=note)]


def _lambda(values: Values) -> list[Metered]:
    requests, duration_ms = number(values, "requests"), number(values, "duration_ms")
    memory_mb = number(values, "memory_mb")
    gb_seconds = ratio(product(requests, memory_mb, duration_ms), 1024 * 1000)
    is_arm64 = values["architecture"] == "arm64"
    note = times((requests, "requests"), (memory_mb, "MB"), (duration_ms, "ms"))
    lines = [Metered(item="lambda/requests", quantity=ratio(requests, 10**6))]
    item = "lambda/duration_arm64" if is_arm64 else "lambda/duration"
    return lines + tiered(item, gb_seconds, LAMBDA_ARM64_TIERS if is_arm64 else LAMBDA_TIERS, note)


def _cloudwatch(values: Values) -> list[Metered]:
    lines = []
    if "metrics" in values:
        tiers = ((FIRST_TIER_METRICS, ""), (None, "/tier2"))
        lines += tiered("cloudwatch/metric", number(values, "metrics"), tiers)
    for name, item, divisor in (
        ("alarms", "cloudwatch/alarm", 1),
        ("high_resolution_alarms", "cloudwatch/high_resolution_alarm", 1),
        ("dashboards", "cloudwatch/dashboard", 1),
        ("get_metric_data", "cloudwatch/get_metric_data", 1000),
    ):
        if name in values:
            lines.append(Metered(item=item, quantity=ratio(number(values, name), divisor)))
    return lines


def _s3(values: Values) -> list[Metered]:
    lines = []
    if "gb" in values:
        tiers = ((FIRST_TIER_S3_GB, ""), (None, "/tier2"))
        lines += tiered("s3/storage", number(values, "gb"), tiers)
    for name, item in (("put_requests", "s3/put"), ("get_requests", "s3/get")):
        if name in values:
            lines.append(Metered(item=item, quantity=ratio(number(values, name), 1000)))
    return lines


def _step_functions(values: Values) -> list[Metered]:
    transitions = ratio(number(values, "transitions"), 1000)
    return [Metered(item="step_functions/transitions", quantity=transitions)]


_MEMORY_MB = Figure(name="memory_mb", sizes=SERVERLESS_MEMORY_MB)
USAGES: Mapping[str, Usage] = MappingProxyType(
    {
        **{
            component: Usage(
                figures=(
                    Figure(name="instance_type", is_text=True),
                    Figure(name="instances", default=Decimal(1)),
                    *required("hours"),
                ),
                meter=_instances(component),
            )
            for component in COMPONENTS
        },
        "serverless": Usage(
            figures=(_MEMORY_MB, *required("requests", "duration_ms"), *optional("data_gb")),
            meter=_serverless,
        ),
        "provisioned_concurrency": Usage(
            figures=(
                _MEMORY_MB,
                *required("units", "hours"),
                *optional("requests", "duration_ms", "data_gb"),
            ),
            meter=_provisioned_concurrency,
            together=("requests", "duration_ms"),
        ),
        "storage": Usage(
            figures=(
                Figure(name="of", choices=("hosting", "training", "processing", "notebook")),
                *required("gb", "hours"),
            ),
            meter=_storage,
        ),
        "data_in": Usage(figures=required("gb"), meter=_plain_gb("data_in")),
        "data_out": Usage(figures=required("gb"), meter=_plain_gb("data_out")),
        "azure_functions": Usage(figures=(), meter=lambda _: []),  # see usage_azure
        "athena": Usage(figures=(*required("tb_scanned"), *optional("queries")), meter=_athena),
        "lambda": Usage(
            figures=(
                *required("requests"),
                Figure(name="memory_mb", minimum=Decimal(128), maximum=Decimal(10240)),
                *required("duration_ms"),
                Figure(name="architecture", default="x86_64", choices=("x86_64", "arm64")),
            ),
            meter=_lambda,
        ),
        "step_functions": Usage(figures=required("transitions"), meter=_step_functions),
        "cloudwatch_metrics": Usage(
            figures=optional("metrics", "alarms", "high_resolution_alarms", "dashboards", "get_metric_data"),
            meter=_cloudwatch,
            needs_any=True,
        ),
        "s3": Usage(figures=optional("gb", "put_requests", "get_requests"), meter=_s3, needs_any=True),
    }
)
"""Every usage that can be priced, by the name in its `usage` field."""
