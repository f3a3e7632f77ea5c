"""The table of docs/simulation.md, made from the metrics that scaling could look at.

`python -m tests.docs.metric_tables` rewrites it between its markers.
"""

from fitness.options import OPTIONS
from fitness.simulation.policy_lint import metrics
from tests.docs.limit_tables import DOCS, between
from tests.docs.limit_tables import _span as span

MARKER = "metrics"


def metric_table() -> str:
    """Every metric with the options that publish it."""
    rows = ["| metric | options | use | source | as of | note |", "|---|---|---|---|---|---|"]
    for one in metrics():
        options = ", ".join(option for option in OPTIONS if option in one.options)
        where = f"{options} ({one.variant})" if one.variant else options
        rows.append(f"| `{one.name}` | {where} | {one.use} | {one.source} | {one.as_of} | {one.note} |")
    return "\n".join(rows)


def rewrite() -> None:
    """Put today's table into the document."""
    path = DOCS / "simulation.md"
    text = path.read_text(encoding="utf-8")
    between(text, MARKER)
    text = span(MARKER).sub(lambda found: f"{found['start']}{metric_table()}{found['end']}", text)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    rewrite()
