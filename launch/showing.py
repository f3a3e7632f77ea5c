"""What the command line shows: plans, changes, steps, launches, removals and sweeps as text. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from fitness.bill import plain
from fitness.options import OPTIONS
from launch.failures import Failure, explain_reason
from launch.launched import Event, Launched, Phase
from launch.plan import Plan
from launch.price import Hourly
from launch.proposals import Change, Proposal
from launch.removal import Removal
from launch.request import as_document
from launch.runs import FurtherRun
from launch.sweep import Sweep

HOURS_PER_MONTH = 730
_SIGNS = {"Add": "+", "Modify": "~", "Remove": "-"}
_LONGEST_VALUE = 60


def usd(amount: Decimal | None) -> str:
    """Give an amount of money for a reader; "unknown" where it is not known."""
    return "unknown" if amount is None else f"{plain(amount, places=2)} USD"


def plan_text(plan: Plan) -> str:
    """The plan: what will be made, what it costs, what to know."""
    request = plan.request
    width = max(len(one.logical_id) for one in plan.resources)
    rows = [
        f"  {one.logical_id:<{width}}  {one.type}{'  billed' if one.is_billed else ''}\n  {'':<{width}}  {one.about}"
        for one in plan.resources
    ]
    parts = [
        f"{request.name}: {OPTIONS[request.option].title} in {request.region}",
        "",
        "Will be made",
        *rows,
        *_listed("Settings", [f"{name}: {value}" for name, value in request.configuration.items()]),
        "",
        plan.hour.as_text(),
        "",
        f"While idle     {_idle(plan)}",
    ]
    if plan.most_usd_per_hour != plan.usd_per_hour:
        parts.append(f"At most        {usd(plan.most_usd_per_hour)} per hour")
    parts.append(f"To confirm     {price_text(plan.to_confirm)}")
    if plan.usd_per_1k_requests is not None:
        parts.append(f"1,000 requests {usd(plan.usd_per_1k_requests)}")
    if plan.month is not None:
        parts.append(f"Month          {usd(plan.month.total)} with the workload's traffic")
    parts += _listed("Can't be undone", plan.irreversible)
    parts += _listed("Note", plan.notes)
    parts += _listed("Permissions that it takes; --json has every action", [one.why for one in plan.permissions])
    return "\n".join(parts).replace("{account}", "<account>").replace("{region}", request.region)


def price_text(price: Hourly) -> str:
    """The price that is confirmed, and of which hour, or why it is not known."""
    if price.unpriced:
        missing, rest = ", ".join(price.unpriced), usd(price.usd_per_hour)
        return f"unknown: no price is known for {missing}; the rest is {rest} per hour {price.when}"
    return f"{usd(price.usd_per_hour)} per hour {price.when}"


def _idle(plan: Plan) -> str:
    """The price of an idle hour and month, or why it is not known."""
    if plan.unpriced:
        return price_text(plan.while_idle)
    return f"{usd(plan.usd_per_hour)} per hour, {usd(plan.usd_per_hour * HOURS_PER_MONTH)} per month"


def plan_dict(plan: Plan) -> dict[str, object]:
    """The plan as JSON has it."""
    return {
        "token": plan.token,
        "request": as_document(plan.request),
        "usd_per_hour": plain(plan.usd_per_hour),
        "most_usd_per_hour": None if plan.most_usd_per_hour is None else plain(plan.most_usd_per_hour),
        "unpriced": plan.unpriced,
        "to_confirm": {
            "usd_per_hour": plain(plan.to_confirm.usd_per_hour),
            "when": plan.to_confirm.when.value,
            "unpriced": plan.to_confirm.unpriced,
            "bill": plan.hour.as_dict(),
        },
        "usd_per_1k_requests": None if plan.usd_per_1k_requests is None else plain(plan.usd_per_1k_requests),
        "idle": plan.idle.as_dict(),
        "month": None if plan.month is None else plan.month.as_dict(),
        "resources": [{"logical_id": one.logical_id, "type": one.type, "about": one.about} for one in plan.resources],
        "permissions": [{"actions": one.actions, "resources": one.resources} for one in plan.permissions],
        "irreversible": plan.irreversible,
        "notes": plan.notes,
    }


def proposal_text(proposal: Proposal) -> str:
    """What would change, and what it does to the price."""
    if proposal.is_empty:
        return f"{proposal.plan.request.name} is as planned: there is nothing to do."
    told = [row for change in proposal.changes for row in _change(change)]
    others = sum(change.is_of_tags_only for change in proposal.changes)
    if others:
        told.append(f"  and the tags of {others} more")
    price, difference = price_text(proposal.price), proposal.usd_per_hour_difference
    if proposal.kind == "UPDATE":
        more = "unknown" if difference is None else f"{'+' if difference >= 0 else ''}{usd(difference)}"
        price += f"; before {usd(proposal.usd_per_hour_before)}, difference {more}"
    told += ["", f"Price: {price}."]
    if job := _of_job(proposal):
        told.append(job)
    if proposal.expires is not None:
        told.append(f"It expires at {proposal.expires:%Y-%m-%d %H:%M} UTC.")
    return "\n".join(["Changes", *told])


def _of_job(proposal: Proposal) -> str | None:
    """When jobs start and what is paid of them; None of what runs none."""
    given = proposal.plan.request.transform
    if given is None:
        return None
    if given.schedule is not None:
        return f"A job starts at every time of {given.schedule} (UTC) and is paid until it ends."
    if proposal.starts_job:
        return "Its job starts at once and is paid until it ends."
    return "No job starts: the one of this launch was started before."


def further_run_text(run: FurtherRun) -> str:
    """What a further run of a batch launch is and costs."""
    return f"{run.job} reads the input of {run.name} again.\nPrice: {price_text(run.price)}; it is paid until it ends."


def event_line(event: Event) -> str:
    """One step of an operation."""
    reason = f"  {event.reason}" if event.reason and event.is_failure else ""
    return f"{event.at:%H:%M:%S}  {event.status:<28} {event.logical_id}{reason}"


def failure_text(failure: Failure) -> str:
    """A failure, what to do about it and the policy statement that grants what was denied."""
    parts = [failure.said, failure.to_do]
    if failure.statement is not None:
        parts.append(json.dumps(failure.statement, indent=1))
    return "\n".join(part for part in parts if part)


def reason_text(launched: Launched) -> str:
    """Why the last operation failed."""
    if launched.reason is None:
        return launched.status_reason or "CloudFormation gives no reason."
    return failure_text(explain_reason(launched.reason))


def launched_text(launched: Launched, now: datetime) -> str:
    """A launch on a page."""
    hours, job = launched.age_s(now) / 3600, launched.usd_per_job_hour
    expires = "never" if launched.expires is None else f"{launched.expires:%Y-%m-%d %H:%M} UTC"
    rows = {
        "option": launched.option or "unknown",
        "phase": f"{launched.phase.value} ({launched.status})",
        "price": f"{usd(launched.usd_per_hour)} per hour while idle",
        **({} if job is None else {"price of a job": f"{usd(job)} per hour"}),
        "age": f"{hours:.1f} h, launched by {launched.by or 'unknown'}",
        "expires": expires + (", which is over" if launched.is_expired(now) else ""),
        **{f"output {key}": value for key, value in launched.outputs.items()},
    }
    parts = [launched.name, *(f"  {key:<24}{value}" for key, value in rows.items())]
    if launched.phase is Phase.FAILED or launched.is_rolled_back:
        parts += ["", reason_text(launched)]
    return "\n".join(parts)


def launched_dict(launched: Launched) -> dict[str, object]:
    """A launch as JSON has it."""
    return {
        "name": launched.name,
        "option": launched.option,
        "region": launched.region,
        "phase": launched.phase.value,
        "status": launched.status,
        "reason": launched.reason,
        "usd_per_hour": None if launched.usd_per_hour is None else plain(launched.usd_per_hour),
        "usd_per_job_hour": None if launched.usd_per_job_hour is None else plain(launched.usd_per_job_hour),
        "created": launched.created.isoformat(),
        "expires": None if launched.expires is None else launched.expires.isoformat(),
        "by": launched.by,
        "token": launched.token,
        "outputs": dict(launched.outputs),
        "request": None if launched.request is None else as_document(launched.request),
    }


def table_text(launches: Sequence[Launched], now: datetime) -> str:
    """A line for each launch."""
    if not launches:
        return "Nothing is launched."
    rows = [("NAME", "OPTION", "PHASE", "USD/H", "AGE H", "EXPIRES")]
    for one in launches:
        expires = "" if one.expires is None else f"{one.expires:%Y-%m-%d %H:%M}"
        price = "?" if one.usd_per_hour is None else plain(one.usd_per_hour)
        rows.append((one.name, one.option or "?", one.phase.value, price, f"{one.age_s(now) / 3600:.1f}", expires))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def removal_text(removal: Removal) -> str:
    """What goes and what stays."""
    gone = [f"{one.logical_id} ({one.type})" for one in removal.resources]
    gone += [f"{one.shown} objects in the bucket {one.name}" for one in removal.buckets]
    gone += [f"the transform job {one}, which runs and is stopped" for one in removal.jobs]
    stuck = [f"{one.logical_id}: {one.reason or 'no reason given'}" for one in removal.stuck]
    parts = [f"{removal.name} ({removal.status})", *_listed("Goes", gone), *_listed("Stays", removal.stays)]
    parts += _listed("Could not be deleted before (--give-up lets go of it)", stuck)
    saved = usd(removal.usd_per_hour)
    return "\n".join([*parts, "", f"Saves {saved} per hour." if removal.is_priced else "What it saves is unknown."])


def sweep_text(sweep: Sweep) -> str:
    """What was found."""
    parts = [
        *_listed("Belongs to no stack", (f"{one.kind} {one.name} (of {one.launch})" for one in sweep.orphans)),
        *_listed("Expired launches", (f"{one.name}, {usd(one.usd_per_hour)} per hour" for one in sweep.expired)),
        *_listed("Proposals that nobody confirmed", (one.name for one in sweep.abandoned)),
        *_listed("Tagged, but of no kind that a launch makes: look for yourself", (one.arn for one in sweep.unknown)),
    ]
    if sweep.is_clean:
        return "\n".join(["There is nothing to sweep.", *parts])
    return "\n".join([*parts[1:], "", f"Saves {usd(sweep.usd_per_hour)} per hour."])


def _change(change: Change) -> Iterable[str]:
    if change.is_of_tags_only:
        return
    replaced = {"True": "  is REPLACED", "Conditional": "  may be REPLACED"}.get(change.replacement or "", "")
    yield f"  {_SIGNS[change.action]} {change.logical_id}  {change.type}{replaced}"
    if change.action == "Modify":
        for one in change.properties:
            yield f"      {one.path}: {_short(one.before)} -> {_short(one.after)}"


def _short(value: str | None) -> str:
    shown = "nothing" if value is None else "known later" if "KNOWN_AFTER_APPLY" in value else value
    return shown if len(shown) <= _LONGEST_VALUE else f"{shown[: _LONGEST_VALUE - 1]}…"


def _listed(title: str, items: Iterable[str]) -> list[str]:
    rows = [f"  {one}" for one in items]
    return ["", title, *rows] if rows else []


def as_json(content: Mapping[str, object] | Sequence[object]) -> str:
    """Write an answer as JSON."""
    return json.dumps(content, indent=1, ensure_ascii=False)
