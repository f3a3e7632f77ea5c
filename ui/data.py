"""The only place of caches: the price book, the catalogue, and verdicts by what was declared.

Everything here is shared by all visitors, so nothing personal is kept: a verdict depends on the
declared workload alone. Cached values are frozen, which is why they are shared and not copied.
"""

import logging

import streamlit as st

from fitness import instances, limits, prices, verdict
from fitness.cli import price_cache
from fitness.errors import PriceBookError
from fitness.limits import Limit
from fitness.prices import Price, PriceBook
from fitness.verdict import Verdict
from fitness.workload import Workload
from ui import scenario

DRAWS = 512  # draws over the unknown inputs; at least 500 make P(best) worth showing
_DAY_S = 86_400
_REFRESHED_S = 600  # a refresh of the prices on the command line shows after this time

_LOGGER = logging.getLogger("hostfit.ui")


@st.cache_resource(ttl=_REFRESHED_S, max_entries=1, show_spinner=False)
def _books() -> tuple[PriceBook, str | None]:
    """Give the price book with the refreshed prices over it, and why those could not be read."""
    try:
        return prices.load_book(price_cache()), None
    except PriceBookError as err:
        _LOGGER.warning("refreshed prices left out: %s", err)
        return prices.load_book(), str(err)


def price_book() -> PriceBook:
    """Give the price book of this installation."""
    return _books()[0]


def price_problem() -> str | None:
    """Say why refreshed prices were left out, if they were."""
    return _books()[1]


@st.cache_resource(ttl=_DAY_S, max_entries=32, show_spinner=False)
def price_table(region: str) -> tuple[Price, ...]:
    """Give every price of a Region, Azure's with it."""
    return price_book().table(region)


@st.cache_resource(ttl=_DAY_S, max_entries=1, show_spinner=False)
def instance_names() -> tuple[str, ...]:
    """Give the instance types that can host, by name."""
    return tuple(sorted(name for name, one in instances.CATALOGUE.items() if "hosting" in one.accepts))


@st.cache_resource(ttl=_DAY_S, max_entries=1, show_spinner=False)
def limit_register() -> tuple[Limit, ...]:
    """Give every row of the limit register."""
    return limits.register()


def verdict_of(workload: Workload) -> Verdict:
    """Give the verdict of a workload with everything that the draws tell; evaluated once per declaration."""
    return _verdict(scenario.encode(workload), DRAWS, price_book().as_of)


def first_verdict_of(workload: Workload) -> Verdict:
    """Give the same ranking in a tenth of the time, without ranges, chances and what would change it."""
    return _verdict(scenario.encode(workload), 0, price_book().as_of)


@st.cache_resource(ttl=_DAY_S, max_entries=256, show_spinner=False)
def _verdict(link: str, draws: int, prices_as_of: str) -> Verdict:
    del prices_as_of  # only part of the key: another book, another verdict
    return verdict.recommend(scenario.decode(link), book=price_book(), draws=draws)
