"""What a launch costs: an hour in which nothing is asked, an hour of everything it may start, a month of a workload."""

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import StrEnum

from fitness.analytic.settings import FOLLOWS
from fitness.bill import Bill, Metered, bill_for
from fitness.items import COMPONENTS, HOURS_PER_MONTH
from fitness.prices import PriceBook
from fitness.study import study
from fitness.trace import Trace
from fitness.verdict import bill_of
from fitness.workload import Workload
from launch.fleets import Fleet, fleets
from launch.request import Request
from launch.settings import Settings
from launch.template_batch import is_job_now
from launch.template_parts import Resources

SECONDS = 3600
CONFIRMED = Decimal("0.0001")  # what a person confirms, to a hundredth of a cent
TRACKING_ALARMS = 2  # that Application Auto Scaling makes for a target
_RENTED = {"async": "async", "batch": "batch_transform"}
_EXACT = Context(prec=40)


class When(StrEnum):
    """The hour that a price is of."""

    IDLE = "while idle"
    JOB = "while its job runs"
    SCHEDULED = "while a job of its schedule runs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hourly:
    """What an hour costs, as a person confirms it."""

    when: When
    usd_per_hour: Decimal  # of all that has a known price
    unpriced: tuple[str, ...] = ()  # what is billed in this hour and has none

    @property
    def known(self) -> Decimal | None:
        """The price; None where a part of it is not known."""
        return None if self.unpriced else self.usd_per_hour

    @property
    def is_of_job(self) -> bool:
        """Whether it is paid only while a job runs."""
        return self.when is not When.IDLE


def idle(request: Request, settings: Settings, resources: Resources, book: PriceBook) -> Bill:
    """The bill of an hour in which nobody asks for anything."""
    return _hour(request, settings, resources, book, is_busy=False)


def most(request: Request, settings: Settings, resources: Resources, book: PriceBook) -> Bill:
    """The bill of an hour with every instance that may run, or with all that serverless may compute."""
    return _hour(request, settings, resources, book, is_busy=True)


def most_instances(settings: Settings) -> int:
    """As many as scaling, or its schedule, may start."""
    scheduled = [one["max_instances"] for one in settings.schedule]
    return max([settings.maximum, *(most for most in scheduled if isinstance(most, int))])


def set_going(request: Request) -> When:
    """The hour that a launch sets going, whose price is confirmed: the one of a job where it starts jobs."""
    if request.option != "batch":
        return When.IDLE
    return When.JOB if is_job_now(request) else When.SCHEDULED


def hourly(bill: Bill, when: When) -> Hourly:
    """An hour's bill as a person confirms it."""
    return Hourly(when=when, usd_per_hour=confirmed(bill), unpriced=bill.missing)


def confirmed(bill: Bill) -> Decimal:
    """A bill's total as a person confirms it.

    >>> confirmed(Bill(lines=(), region="eu-west-1"))
    Decimal('0.0000')
    """
    return bill.exact_total.quantize(CONFIRMED, rounding=ROUND_HALF_UP, context=_EXACT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month of a workload with the configuration of a launch."""

    bill: Bill
    requests: Decimal
    endpoints: int  # that the workload takes; a launch makes one

    @property
    def usd_per_1k_requests(self) -> Decimal | None:
        """What a thousand requests cost."""
        if not self.requests:
            return None
        return _EXACT.divide(self.bill.exact_total * 1000, self.requests).quantize(CONFIRMED, context=_EXACT)


def month(
    request: Request, settings: Settings, workload: Workload, *, book: PriceBook, trace: Trace | None
) -> Month | None:
    """The month of a workload with this configuration; None where it can't run so.

    All of the traffic is the main variant's; of the others the least instances are paid.
    Raises: InputError for a workload that names a recording which is not given.
    """
    # What an answer says beside its settings follows from the workload again.
    config = {name: value for name, value in request.configuration.items() if name not in FOLLOWS}
    if settings.provisioned is not None:
        config["provisioned_concurrency"] = settings.provisioned
    work = study(workload, book=book, config=config, options=(request.option,), trace=trace)
    played = work.proposed(replace(work.played[request.option], variant=_variant(request, settings)))
    if played is None or played.outcome is None:
        return None
    bill = bill_of(work, played.outcome)
    beside = [
        one
        for fleet in fleets(request)[1:]
        for one in _instances(request, fleet, fleet.settings.minimum, hours=HOURS_PER_MONTH)
    ]
    more = bill_for(beside, request.region, book, estimate=True)
    return Month(
        bill=replace(bill, lines=(*bill.lines, *more.lines)),
        requests=Decimal(str(float(played.outcome.offered[0]))),
        endpoints=round(float(work.point.units[0])),
    )


def _variant(request: Request, settings: Settings) -> str:
    """The way to run the option that the settings ask for, by the names of the decision engine."""
    if request.option == "serverless":
        return "on_demand" if settings.provisioned is None else "provisioned"
    if request.option == "async":
        return "from_zero" if settings.minimum == 0 else "always_on"
    return "inference_components" if settings.has_components else "always_on"


def _hour(
    request: Request,
    settings: Settings,
    resources: Resources,
    book: PriceBook,
    *,
    is_busy: bool,
) -> Bill:
    metered = []
    for fleet in fleets(request):
        idle = 0 if request.option == "batch" else fleet.settings.minimum
        metered += _instances(request, fleet, most_instances(fleet.settings) if is_busy else idle, hours=1)
    if settings.memory_mb is not None:
        metered += _serverless(settings, is_busy=is_busy)
    kinds = [one["Type"] for one in resources.values()]
    tracking = [one for one in resources.values() if "TargetTrackingScalingPolicyConfiguration" in one["Properties"]]
    alarms = kinds.count("AWS::CloudWatch::Alarm") + TRACKING_ALARMS * len(tracking)
    if alarms:
        metered.append(_by_the_month("cloudwatch/alarm", Decimal(alarms), f"{alarms} alarms"))
    paid = [one for one in metered if one.quantity]
    return bill_for(paid, request.region, book, estimate=True)


def _instances(request: Request, fleet: Fleet, instances: int, *, hours: int) -> list[Metered]:
    """Instances of a variant with their volumes."""
    settings = fleet.settings
    if settings.instance_type is None:
        return []
    component = _RENTED.get(request.option, "hosting")
    of = f", variant {fleet.name}" if fleet.suffix else ""
    found = [
        Metered(
            item=f"{component}/{settings.instance_type}",
            quantity=Decimal(instances * hours),
            name=f"{COMPONENTS[component]} ({settings.instance_type}{of})",
            note=f"{instances} x {hours} h",
        )
    ]
    if settings.volume_gb:
        gb = settings.volume_gb * instances
        found.append(_by_the_month("storage/hosting", Decimal(gb), f"{gb} GB", hours=hours))
    return found


def _serverless(settings: Settings, *, is_busy: bool) -> list[Metered]:
    kept, at_once = settings.provisioned or 0, settings.max_concurrency or 0
    found = {f"provisioned_concurrency/usage/{settings.memory_mb}": (kept, "provisioned")}
    if is_busy:
        found[f"provisioned_concurrency/duration/{settings.memory_mb}"] = (kept, "provisioned and busy")
        found[f"serverless/duration/{settings.memory_mb}"] = (at_once - kept, "busy")
    return [
        Metered(item=item, quantity=Decimal(units * SECONDS), note=f"{units} {how} x {SECONDS} s")
        for item, (units, how) in found.items()
    ]


def _by_the_month(item: str, quantity: Decimal, what: str, *, hours: int = 1) -> Metered:
    share = _EXACT.divide(quantity * hours, Decimal(HOURS_PER_MONTH))
    return Metered(item=item, quantity=share, note=f"{what} x {hours} h / {HOURS_PER_MONTH} h of a month")


def is_paid_by_request(request: Request) -> bool:
    """Whether requests are paid one by one, so that an hour says little."""
    return request.option == "serverless"
