"""The tables of docs/workload.md, made from the table of fields.

`python -m tests.docs.field_tables` rewrites them between their markers.
"""

from fitness import presets
from fitness.fields import FIELDS, SECTIONS, Field
from tests.docs.limit_tables import DOCS, between
from tests.docs.limit_tables import _span as span

TOP = "top"


def field_table(section: str | None) -> str:
    """Every field of a section, or of the top of the file."""
    rows = ["| field | meaning | unit | allowed | absent | example |", "|---|---|---|---|---|---|"]
    rows += [_row(one) for one in FIELDS if one.section == section]
    return "\n".join(rows)


def preset_table() -> str:
    """Every preset with whose workload it is."""
    rows = ["| id | workload | whose | what it does |", "|---|---|---|---|"]
    rows += [f"| `{one.id}` | {one.title} | {one.who} | {one.summary} |" for one in presets.PRESETS]
    return "\n".join(rows)


def tables() -> dict[str, str]:
    """Each generated table by its marker."""
    by_section = {f"fields {section}": field_table(section) for section in SECTIONS}
    return {f"fields {TOP}": field_table(None), **by_section, "presets": preset_table()}


def rewrite() -> None:
    """Put today's tables into the document."""
    path = DOCS / "workload.md"
    text = path.read_text(encoding="utf-8")
    for marker, table in tables().items():
        between(text, marker)
        text = span(marker).sub(lambda found, new=table: f"{found['start']}{new}{found['end']}", text)
    path.write_text(text, encoding="utf-8")


def _row(one: Field) -> str:
    example = str(one.example).lower() if isinstance(one.example, bool) else one.example
    return f"| `{one.name}` | {one.help} | {one.unit or '-'} | {one.allowed} | {one.absent} | `{example}` |"


if __name__ == "__main__":
    rewrite()
