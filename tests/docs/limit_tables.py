"""The tables of docs/options.md and docs/limits.md, made from the limit register.

`python -m tests.docs.limit_tables` rewrites them between their markers.
"""

import re
from pathlib import Path

from fitness import limits
from fitness.options import OPTIONS

DOCS = Path(__file__).resolve().parents[2] / "docs"


def option_table(option: str) -> str:
    """Every limit of an option, with what each profile says."""
    rows = [
        "| limit | article | current | status, date, [source](#sources) and note |",
        "|---|---|---|---|",
    ]
    by_profile = {
        profile: {row.limit: row for row in limits.for_option(option, profile)} for profile in limits.PROFILES
    }
    for name in dict.fromkeys(row.limit for row in limits.register() if row.option == option):
        found = [by_profile[profile].get(name) for profile in limits.PROFILES]
        article, current = ("-" if row is None else row.text for row in found)
        said = "<br>".join(_said(row) for row in dict.fromkeys(row for row in found if row))
        rows.append(f"| {limits.NAMES[name].title} (`{name}`) | {article} | {current} | {said} |")
    return "\n".join(rows)


def names_table() -> str:
    """Every limit id with its meaning and the options that have it."""
    rows = ["| id | name | meaning | options |", "|---|---|---|---|"]
    for name in limits.NAMES.values():
        having = {row.option for row in limits.register() if row.limit == name.id}
        shown = "all" if len(having) == len(OPTIONS) else ", ".join(o for o in OPTIONS if o in having)
        rows.append(f"| `{name.id}` | {name.title} | {name.meaning} | {shown} |")
    return "\n".join(rows)


def sources_list() -> str:
    """Every source, with the number that the tables of the options cite."""
    return "\n".join(f"{number}. {source}" for source, number in _numbers().items())


def statuses_table() -> str:
    """Every status with its meaning and how many rows have it."""
    rows = ["| status | meaning | rows |", "|---|---|---|"]
    for status, meaning in limits.STATUSES.items():
        count = sum(row.status == status for row in limits.register())
        rows.append(f"| {status} | {meaning} | {count} |")
    return "\n".join(rows)


def tables() -> dict[str, dict[str, str]]:
    """Each generated table by document and marker."""
    return {
        "options.md": {
            **{f"limits {option}": option_table(option) for option in OPTIONS},
            "sources": sources_list(),
        },
        "limits.md": {"names": names_table(), "statuses": statuses_table()},
    }


def between(text: str, marker: str) -> str:
    """What stands between the markers of a table.

    Raises: LookupError when the document lacks them.
    """
    found = _span(marker).search(text)
    if found is None:
        message = f"no table marked {marker!r}"
        raise LookupError(message)
    return found["table"]


def _numbers() -> dict[str, int]:
    cited = dict.fromkeys(source for row in limits.register() for source in row.sources)
    return {source: number for number, source in enumerate(cited, start=1)}


def _said(row: limits.Limit) -> str:
    note = f": {row.note}" if row.note else ""
    numbers = ", ".join(str(_numbers()[source]) for source in row.sources)
    return f"{row.status}, {row.as_of}, [{numbers}]{note}"


def _span(marker: str) -> re.Pattern[str]:
    start = re.escape(f"<!-- table: {marker} -->\n")
    end = re.escape("\n<!-- end of table -->")
    return re.compile(f"(?P<start>{start})(?P<table>.*?)(?P<end>{end})", re.DOTALL)


def rewrite() -> None:
    """Put today's tables into the documents."""
    for document, marked in tables().items():
        path = DOCS / document
        text = path.read_text(encoding="utf-8")
        for marker, table in marked.items():
            between(text, marker)
            text = _span(marker).sub(lambda m, new=table: f"{m['start']}{new}{m['end']}", text)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    rewrite()
