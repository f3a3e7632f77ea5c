"""The decision on one page of Markdown, for the team's own repository."""

from fitness import workload_file
from fitness.answer import figures, headline
from fitness.bill import CENT
from fitness.measured import sentence
from fitness.verdict import OptionResult, Verdict
from fitness.wording import money, percent

RANGES = "Ranges hold nine of ten draws of what is not known."
GUIDE_NOTE = "The guide's column is the published guidance, shown beside the figures and no part of them."


def decision_record(verdict: Verdict) -> str:
    """Context, decision, alternatives and what would change it, in Markdown."""
    best = verdict.best
    lines = [f"# Hosting of {_plain(verdict.workload.name)}", ""]
    if verdict.workload.description:
        lines += [_plain(verdict.workload.description), ""]
    lines += ["## Decision", "", f"{headline(verdict)}.", ""]
    if best is not None:
        lines += [f"- {name}: `{value}`" for name, value in best.configuration.items()] + [""]
        lines += ["## Why", "", *(f"- {reason}" for reason in best.reasons), ""]
        lines += _scores(best, verdict) + _bill(best)
    lines += [
        "## Why not the others",
        "",
        "| option | status | score | $/month | p99 | reason | to be first, or to run at all |",
    ]
    lines.append("|---|---|---|---|---|---|---|")
    lines += [_other(result) for result in verdict.options if result is not best]
    if verdict.ask_next:
        lines += ["", f"Worth asking next: {', '.join(f'`{path}`' for path in verdict.ask_next)}."]
    if (measured := sentence(verdict.workload)) is not None:
        lines += ["", f"Measured: {measured}."]
    if best is not None and best.assumed:
        lines += ["", f"Assumed, because not declared: {', '.join(f'`{path}`' for path in best.assumed)}."]
    lines += [
        "",
        f"Limits: profile {verdict.profile}. Prices as of {verdict.prices_as_of}. {RANGES}",
        f"Figures: {figures(verdict)}.",
        "",
        "## Workload",
        "",
        "```yaml",
        workload_file.write(verdict.workload).rstrip(),
        "```",
        "",
    ]
    return "\n".join(lines)


def _scores(best: OptionResult, verdict: Verdict) -> list[str]:
    if best.fitness is None:
        return []
    lines = ["| function | score | weight | the guide says |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {value:.2f} | {percent(verdict.weights[name], 0)} | {_plain(best.option.guide.get(name, ''))} |"
        for name, value in best.fitness.as_dict().items()
    ]
    lines.append(f"| **score** | {_score(best)} | | |")
    return [*lines, "", GUIDE_NOTE, ""]


def _bill(best: OptionResult) -> list[str]:
    if best.bill is None:
        return []
    lines = ["## Bill", "", "| item | quantity | unit price | USD a month | price |", "|---|---|---|---|---|"]
    for line in best.bill.lines:
        if line.price is None or line.usd is None:
            lines.append(f"| {line.name} | {line.quantity:f} {line.unit} | unknown | unknown | no price |")
        else:
            price = f"{line.price.grade}, {line.price.as_of}"
            cents = line.usd.quantize(CENT)
            lines.append(
                f"| {line.name} | {line.quantity:f} {line.unit} | {line.price.usd_per_unit} | {cents} | {price} |"
            )
    return [*lines, f"| **total** | | | **{best.bill.total}** | |", ""]


def _other(result: OptionResult) -> str:
    cost = "" if result.monthly_usd is None else money(result.monthly_usd.p50)
    p99 = "" if result.latency_ms is None else f"{result.latency_ms.p99:,.0f} ms"
    wins = "; ".join(f"`{change.field}`: {change.before} to {change.after}" for change in result.to_win)
    reason = _plain("; ".join(result.reasons[:2]))
    return f"| {result.option.title} | {result.status} | {_score(result)} | {cost} | {p99} | {reason} | {wins} |"


def _score(result: OptionResult) -> str:
    """The score with its range, where there is one."""
    if result.score is None:
        return ""
    band = result.score_interval
    return f"{result.score:.2f}" + ("" if band is None else f" ({band.p5:.2f} to {band.p95:.2f})")


def _plain(text: str) -> str:
    """Text that can't break the page: no line breaks, table bars or tags."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
