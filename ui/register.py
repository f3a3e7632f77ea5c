"""The limit register and the price book as tables that a person can narrow down."""

import streamlit as st

from fitness.limits import PROFILES, STATUSES
from fitness.options import OPTIONS
from ui import data, tables, words
from ui import format as fmt

_REFERENCE_REGION = "us-east-1"


def draw_limits() -> None:
    """Draw the limits of chosen options and a profile, and what their status means."""
    options, profile, text = _limit_filter()
    shown = [
        row
        for row in data.limit_register()
        if (not options or row.option in options)
        and (profile is None or profile in row.profiles)
        and _holds(text, row.title, row.text, row.note, row.source)
    ]
    st.caption(f"{len(shown)} of {len(data.limit_register())} rows")
    st.dataframe(
        tables.limits(shown),
        column_config=tables.source_columns("Option"),
        hide_index=True,
        height=520,
        placeholder="",
        key="lim_table",
        alt="Limits of the hosting options with value, profile, status, date and source",
    )
    with st.expander("What the status means", key="lim_status"):
        st.markdown("\n".join(f"- **{status}**: {meaning}" for status, meaning in STATUSES.items()))


def draw_prices() -> None:
    """Draw the price book of one Region."""
    book = data.price_book()
    left, right = st.columns(2)
    region = left.selectbox(
        "Region",
        book.regions,
        index=book.regions.index(_REFERENCE_REGION),
        key="region",
        bind="query-params",
    )
    text = right.text_input("Search", placeholder="for example g5.xlarge", type="search", live="300ms", key="prc_text")
    rows = data.price_table(region if region in book.regions else _REFERENCE_REGION)
    in_region_first = sorted(rows, key=lambda row: row.region != region)  # another provider's come last
    shown = [row for row in in_region_first if _holds(text, row.item, row.source, row.grade)]
    st.caption(
        f"{len(shown)} of {len(rows)} prices; the newest is of {fmt.day(book.as_of)}. Derived and "
        "assumed prices are no published prices: their note says how they were worked out."
    )
    st.dataframe(
        tables.prices(shown),
        column_config=tables.source_columns("Item"),
        hide_index=True,
        height=520,
        placeholder="",
        key="prc_table",
        alt="Prices of the Region with unit, grade, date and source",
    )


def _limit_filter() -> tuple[list[str], str | None, str]:
    left, middle, right = st.columns([2, 1, 1])
    options = left.multiselect(
        "Options",
        tuple(OPTIONS),
        format_func=words.option_title,
        placeholder="all ten",
        key="option",
        bind="query-params",
    )
    profile = middle.segmented_control(
        "Profile", PROFILES, format_func=str.capitalize, key="profile", bind="query-params"
    )
    text = right.text_input("Search", placeholder="for example payload", type="search", live="300ms", key="lim_text")
    return list(options), profile, text


def _holds(text: str, *cells: str) -> bool:
    """Whether every word of a search is somewhere in the cells."""
    joined = " ".join(cells).lower()
    return all(word in joined for word in text.lower().split())
