"""The tables of docs/background.md, made from the priors, the speeds, the decisions and the code's constants.

`python -m tests.docs.background_tables` rewrites them between their markers.
"""

import csv

from fitness import flips, inputs, load, machines, queueing, resolve, scaling, score, sensitivity, verdict
from fitness.analytic import batch, fleet, on_demand, queued, served, to_zero
from fitness.gates import constraints, gate, models
from fitness.latency import STEEPNESS
from fitness.options import OPTIONS
from fitness.priors import PRIORS, Prior
from fitness.throughput import FULL_HEADROOM
from tests.docs.limit_tables import DOCS
from tests.docs.limit_tables import _span as span

JUDGED = "judgement"
AUTOSCALING = "Application Auto Scaling"

# What it is, its value in the code, its basis.
CONSTANTS: tuple[tuple[str, float, str], ...] = (
    ("hours of a month", inputs.HOURS_PER_MONTH, "AWS bills monthly figures so"),
    ("longest chain or graph of one unit", inputs.MAX_CHAIN, "containers of one endpoint"),
    ("exact ranks of a popularity", inputs.EXACT_RANKS, JUDGED),
    ("weekend over weekday", load.WEEKEND_RATIO, JUDGED),
    ("share of active hours at the peak, steady", load.BUSY_HOURS_RATIO, JUDGED),
    ("share of active hours at the peak, spiky", load.SPIKE_HOURS_RATIO, JUDGED),
    ("share of active hours at the peak, intermittent", load.BURST_HOURS_RATIO, JUDGED),
    ("smallest rise of the scaling function", load.SMALLEST_STEP, JUDGED),
    ("largest rise of the scaling function", load.LARGEST_STEP, JUDGED),
    ("shortest sending of a job, s", load.SHORTEST_JOB_S, JUDGED),
    ("longest sending of a job, s", load.LONGEST_JOB_S, JUDGED),
    ("objective where a caller waits, s", resolve.SYNC_OBJECTIVE_S, "Nielsen, 1993"),
    ("objective of a queue, s", resolve.DEADLINE_S, "InvokeEndpointAsync, default time-out"),
    ("objective of a job, s", resolve.JOB_DEADLINE_S, JUDGED),
    ("undeclared objective over processing time", resolve.OBJECTIVE_OVER_PROCESSING, JUDGED),
    ("undeclared processing time over objective", resolve.REACHABLE_RATIO, JUDGED),
    ("requests that an undeclared rate keeps busy", resolve.PLAUSIBLE_AT_ONCE, JUDGED),
    ("memory of an instance's system, GiB", machines.RESERVED_GIB, JUDGED),
    ("spread above which the gamma is solved", queueing.WIDE, "error of Wilson and Hilferty"),
    ("headroom of a fleet", fleet.HEADROOM, JUDGED),
    ("headroom of full marks", FULL_HEADROOM, "the fleet's"),
    ("scale-out alarm, s", fleet.ALARM_OUT_S, AUTOSCALING),
    ("scale-in alarm, s", fleet.ALARM_IN_S, AUTOSCALING),
    ("cooldown, s", fleet.COOLDOWN_S, AUTOSCALING),
    ("idle time of an inference component, s", to_zero.IDLE_S, "alarm and cooldown"),
    ("alarm of inference components at zero, s", to_zero.ALARM_S, "NoCapacityInvocationFailures, one minute"),
    ("length of a rise, s", served.STEP_S, JUDGED),
    ("unpacked and packed over packed", served.UNPACKED_OVER_PACKED, JUDGED),
    ("load of a queue", queued.FULL, JUDGED),
    ("backlog alarm, s", queued.BACKLOG_ALARM_S, "HasBacklogWithoutCapacity, 2 of 2 minutes"),
    ("idle time of an asynchronous instance, s", queued.IDLE_S, "alarm and cooldown"),
    ("time-out of a serverless request, s", on_demand.TIMEOUT_S, "InvokeEndpoint"),
    ("deviations that provisioned units cover", on_demand.SPILL_Z, "99 %"),
    ("most instances of a job", batch.MOST_INSTANCES, "TransformResources"),
    ("payload of a job's request, MB", batch.PAYLOAD_MB, "MaxPayloadInMB, default"),
    ("share of a job's slots that work", batch.FULL, JUDGED),
    ("exponent of the latency function", STEEPNESS, JUDGED),
    ("decisions at which simplicity is one half", scaling.HALF_AT, JUDGED),
    ("smallest function in the mean", score.FLOOR, JUDGED),
    ("likelihood where sources disagree", gate.EVEN, "nothing speaks for either"),
    ("share of draws that counts as passing", gate.SURE, JUDGED),
    ("likelihood of a shared framework", models.SHARED_STACK, JUDGED),
    ("likelihood of a possible redesign", models.REDESIGN, JUDGED),
    ("likelihood of a second cloud, unasked", constraints.SECOND_CLOUD, JUDGED),
    ("draws", verdict.DRAWS, JUDGED),
    ("probability from which a verdict is clear", verdict.CLEAR, JUDGED),
    ("probability below which it is undecided", verdict.UNDECIDED, JUDGED),
    ("score of the best from which another is close", verdict.NEAR_RATIO, JUDGED),
    ("slices of an unknown", sensitivity.BINS, JUDGED),
    ("values on a field's walk", flips.POINTS, JUDGED),
    ("precision of a flip point", flips.PRECISION, JUDGED),
    ("lead at a flip point", flips.MARGIN, JUDGED),
    ("least lead at a flip point", flips.LEAST_LEAD, JUDGED),
)


def prior_table() -> str:
    """Every prior with its distribution and its basis."""
    rows = ["| prior | low or deviation | median | high | unit | for | basis |", "|---|---|---|---|---|---|---|"]
    rows += [_prior_row(one) for one in PRIORS().values()]
    return "\n".join(rows)


def speed_table() -> str:
    """Every accelerator's speed with its basis."""
    text = (DOCS.parent / "fitness" / "data" / "speeds.csv").read_text(encoding="utf-8")
    rows = ["| accelerator | speed over an A10G | basis |", "|---|---|---|"]
    rows += [
        f"| {row['accelerator']} | {row['relative_speed']} | {row['grade']}: {row['source']}, {row['as_of']} |"
        for row in csv.DictReader(text.splitlines())
    ]
    return "\n".join(rows)


def decision_table() -> str:
    """What each option leaves to decide."""
    rows = ["| option | count | decisions |", "|---|---|---|"]
    rows += [
        f"| `{option}` | {len(scaling._DECISIONS[option])} | {'; '.join(scaling._DECISIONS[option])} |"
        for option in OPTIONS
    ]
    return "\n".join(rows)


def constant_table() -> str:
    """Every constant with its value in the code."""
    rows = ["| constant | value | basis |", "|---|---|---|"]
    rows += [f"| {what} | {value:,g} | {basis} |" for what, value, basis in CONSTANTS]
    return "\n".join(rows)


def tables() -> dict[str, str]:
    """Each generated table by its marker."""
    return {
        "priors": prior_table(),
        "speeds": speed_table(),
        "decisions": decision_table(),
        "constants": constant_table(),
    }


def rewrite() -> None:
    """Put today's tables into the document."""
    path = DOCS / "background.md"
    text = path.read_text(encoding="utf-8")
    for marker, table in tables().items():
        text = span(marker).sub(lambda found, new=table: f"{found['start']}{new}{found['end']}", text)
    path.write_text(text, encoding="utf-8")


def _prior_row(one: Prior) -> str:
    low, high = (f"{one.low:g}", f"{one.high:g}") if one.distribution == "uniform" else (f"x {one.spread:g}", "-")
    return (
        f"| `{one.name}` | {low} | {one.median:g} | {high} | {one.unit} | {one.note or '-'} "
        f"| {one.grade}: {one.source}, {one.as_of} |"
    )


if __name__ == "__main__":
    rewrite()
