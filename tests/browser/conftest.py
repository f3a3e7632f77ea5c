"""Fixtures of the browser tests: one server, one Chromium, pages that report their errors."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.session import Server, Visits, running_app, start_chromium

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before pytest selects by mark
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder is a browser test."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_app(tmp_path_factory.mktemp("server") / "app.log") as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = start_chromium(playwright)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def visits(browser: Browser, server: Server) -> Iterator[Visits]:
    visits = Visits(browser=browser, server=server)
    yield visits
    visits.close()


@pytest.fixture
def visit(visits: Visits, server: Server, request: pytest.FixtureRequest) -> Iterator[Visits]:
    """Open a page: `page = visit("compare?w=...", scheme="dark", viewport=NARROW)`.

    The test fails if a page reports an error or the server logs a traceback. A test of just that says
    `visit.problems.clear()` once it has looked.
    """
    logged = server.log.stat().st_size
    visits.problems.clear()
    yield visits
    for number, page in enumerate(visits.pages):
        print(f"page {number}: {page.url}", file=sys.stderr)
    visits.close_pages()
    assert not visits.problems, "\n".join(visits.problems)
    assert not (log := server.tracebacks(since=logged)), log
