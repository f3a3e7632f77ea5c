"""Why an option stands where it does, in sentences made from its numbers."""

import numpy as np

from fitness import analytic
from fitness.outcome import configuration
from fitness.score import FUNCTIONS
from fitness.simulation.sweep import Judged
from fitness.study import Played, Study
from fitness.wording import duration, money, percent

WORTH_SAYING = 0.03  # of a score in a function, before the difference to the best is named
BURSTABLE = ("ml.t2.", "ml.t3.")
RARE = 0.001
LOW_HITS = 0.05
HOT_SLOT = 0.5  # share of an instance that one model keeps busy before it should have its own
OTHER_COST = 0.15  # a played month that costs this much more or less than the bill is worth a sentence
SPREAD = 3.0  # CPU per request of the heaviest over the lightest model that still scales together


def reasons(work: Study, played: Played, best: Played | None) -> tuple[str, ...]:
    """Sentences, the most important first."""
    if played.outcome is None or played.scores is None:
        failed = [gate.reason for gate in played.gates if gate.passes is False]
        return tuple(failed) or ("no priced instance type can run it in this Region",)
    found = [f"conditional: {gate.reason}" for gate in played.gates if gate.passes is None]
    found += _against(played, best)
    found += _latency(work, played)
    found += _use(played)
    found += _models(work, played)
    if played.option == "real_time":
        found += _to_zero(work, played)
    if played.variant == "always_on" and float(played.outcome.settings.get("min_instances", np.full(1, 2.0))[0]) == 1:
        found.append("one instance in quiet hours is one availability zone: two or more survive its loss")
    if played.option == "serverless":
        found += _provisioned(work, played)
    return tuple(found)


def of_run(judged: Judged) -> tuple[str, ...]:
    """What the run changed: a configuration sized anew, and a month that costs another sum than the bill."""
    found = []
    if judged.first is not None and judged.first.outcome is not None and judged.proposed.outcome is not None:
        before, after = configuration(judged.first.outcome), configuration(judged.proposed.outcome)
        changed = [
            f"{name} {value} instead of {before[name]}" for name, value in after.items() if value != before[name]
        ]
        found.append(
            f"sized anew with {', '.join(changed)}: as the formulas had it, {percent(judged.first_missed_ratio)} of "
            "the requests were late or lost when they were played"
        )
    usd, bill_usd = judged.simulation.monthly_usd, float(judged.proposed.monthly_usd[0])
    if usd is not None and bill_usd >= 1 and abs(usd / bill_usd - 1) > OTHER_COST:
        found.append(
            f"a month played minute by minute costs {money(usd)}, the formulas of the bill say {money(bill_usd)}"
        )
    return tuple(found)


def _against(played: Played, best: Played | None) -> list[str]:
    usd = float(played.monthly_usd[0])
    if best is None or best.outcome is None or best.scores is None or played.scores is None:
        return []
    if best.option == played.option:
        return [f"costs {money(usd)} a month" if np.isfinite(usd) else "its price is not known"]
    found = []
    other = float(best.monthly_usd[0])
    if np.isfinite(usd) and np.isfinite(other) and other > 0 and abs(usd / other - 1) > WORTH_SAYING:
        word = "more" if usd > other else "less"
        ratio = usd / other if usd > other else other / usd
        found.append(f"costs {ratio:,.1f} times {word} than the best: {money(usd)} against {money(other)} a month")
    behind = [
        (float(getattr(best.scores, name)[0]) - float(getattr(played.scores, name)[0]), name) for name in FUNCTIONS
    ]
    worst = [name for gap, name in sorted(behind, reverse=True) if gap > WORTH_SAYING and name != "cost"]
    if worst:
        found.append(f"behind the best in {' and '.join(worst[:2])}")
    return found


def _latency(work: Study, played: Played) -> list[str]:
    outcome = played.outcome
    if outcome is None:
        return []
    objectives = work.point.objectives
    p99_ms = float(outcome.latency.percentile(0.99)[0]) * 1000
    limit_ms = float(objectives.late_after_s[0]) * 1000
    late = float(outcome.latency.share_above(objectives.late_after_s)[0])
    objective = f"the {'declared' if objectives.is_declared else 'assumed'} objective of {duration(limit_ms)}"
    if late <= RARE:
        excused = p99_ms > limit_ms
        found = [
            f"99 of 100 answers within {duration(p99_ms)}"
            + (
                f"; without the cold starts, which are accepted, inside {objective}"
                if excused
                else f", inside {objective}"
            )
        ]
    else:
        found = [f"{percent(late)} of the answers later than {objective}"]
    cold = float(outcome.cold_ratio[0])
    if cold > RARE:
        found.append(f"{percent(cold)} of the requests wait for a start")
    dropped = float(outcome.dropped_ratio[0])
    if dropped > RARE:
        found.append(f"{percent(dropped)} of the requests are refused, throttled or timed out")
    return found


def _use(played: Played) -> list[str]:
    outcome = played.outcome
    if outcome is None or float(outcome.paid_s[0]) <= 0:
        return []
    used = float(outcome.busy_s[0]) / float(outcome.paid_s[0])
    found = [f"{percent(min(used, 1.0))} of what is paid does work"]
    if outcome.instance_types is not None and outcome.instance_types[0].startswith(BURSTABLE):
        found.append("a burstable type: counted with the vCPU share that it may use for long, credits left out")
    return found


def _models(work: Study, played: Played) -> list[str]:
    outcome = played.outcome
    point = work.point
    if outcome is None or played.option not in ("mme", "mme_gpu", "mce_direct"):
        return []
    if played.option == "mce_direct":
        spread = float(point.models.cpu_spread[0])
        if spread <= SPREAD:
            return []
        reason = f"the heaviest model takes {spread:g} times the CPU of the lightest"
        return [f"{reason}: a shift between them is not seen by the scaling policy"]
    if float(point.units[0]) <= 1:
        count = float(point.models.count[0])
        who = "one model" if count <= 1 else "each request goes through all models, so all stay in memory"
        return [f"{who}: there is nothing to share"]
    found = []
    hits = float(outcome.hit_ratio[0])
    if hits < LOW_HITS:
        found.append(
            f"{percent(hits)} of the calls find their model in memory: disable the model cache, a low hit rate is "
            "healthy"
        )
    else:
        resident, units = float(outcome.settings["models_in_memory"][0]), float(point.units[0])
        held = f"all {units:,.0f}" if resident >= units else f"{resident:,.0f} of {units:,.0f}"
        found.append(f"{percent(hits)} of the calls find their model in memory, which holds {held} models")
    members, share = point.popularity
    busy = point.traffic.rps_peak[0] * share[0] * point.request.processing_s[0] / point.request.concurrency[0]
    hot = busy > HOT_SLOT
    if bool(hot.any()) and not point.traffic.is_scheduled:
        count = float(np.sum(members[0][hot]))
        calls = float(np.sum((members * share)[0][hot]))
        if count <= 1:
            found.append(
                f"the hottest model takes {percent(calls, 0)} of the calls and keeps an instance busy: give it its own "
                "endpoint"
            )
        else:
            found.append(
                f"the {count:,.0f} hottest models take {percent(calls, 0)} of the calls and keep an instance busy: "
                "give each its own endpoint"
            )
    return found


def _to_zero(work: Study, played: Played) -> list[str]:
    """What scale to zero by inference components would do, beside the variant that was chosen."""
    if played.variant != "always_on" or float(work.point.traffic.idle_ratio[0]) <= 0:
        return []
    if work.workload.limits == "article":
        return []
    other = analytic.evaluate("real_time", "inference_components", work.point, work.book, config=work.config)
    if other is None:
        return []
    usd = float(work.usd(other)[0])
    lost = f"{percent(float(other.dropped_ratio[0]))} of the requests would fail while an instance starts"
    return [f"scaled to zero by inference components it would cost {money(usd)} a month, and {lost}"]


def _provisioned(work: Study, played: Played) -> list[str]:
    """What provisioned concurrency would do, beside the variant that was chosen."""
    outcome = played.outcome
    starts_cold = outcome is not None and float(outcome.cold_ratio[0]) > RARE
    if played.variant != "on_demand" or not starts_cold or work.workload.limits == "article":
        return []
    other = analytic.evaluate("serverless", "provisioned", work.point, work.book, config=work.config)
    if other is None:
        return []
    units = float(other.settings["provisioned_concurrency"][0])
    usd, cold = float(work.usd(other)[0]), float(other.cold_ratio[0])
    ready = f"{units:,.0f} provisioned {'unit' if units == 1 else 'units'} an endpoint"
    return [f"with {ready} it would cost {money(usd)} a month, {percent(cold, 2)} starting cold"]
