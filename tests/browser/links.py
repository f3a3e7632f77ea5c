"""Addresses of scenarios, for the browser tests."""

from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page

from fitness.workload import Workload
from ui import scenario


def link(page_name: str, workload: Workload, **parameters: str) -> str:
    query = "&".join(f"{name}={value}" for name, value in {"w": scenario.encode(workload), **parameters}.items())
    return f"{page_name}?{query}"


def opened(page: Page) -> Workload:
    """Give the scenario in the address of the page."""
    return scenario.decode(parse_qs(urlsplit(page.url).query)["w"][0])
