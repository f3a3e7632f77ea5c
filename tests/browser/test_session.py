"""The harness of the browser tests itself: it must notice what goes wrong."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.session import NARROW, Server, Visits, ready, running_app

SCRIPT = """
import time
import streamlit as st

st.title("Probe")
name = st.text_input("Name", key="name")
if name:
    time.sleep(0.5)
    st.write(f"Hello {name}")
if st.button("Break"):
    raise ValueError("broken on purpose")
"""


@pytest.fixture(scope="module")
def probe_server(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("probe")
    script = folder / "probe.py"
    script.write_text(SCRIPT)
    with running_app(folder / "app.log", script=script) as server:
        yield server


@pytest.fixture
def probe(browser: Browser, probe_server: Server):
    visits = Visits(browser=browser, server=probe_server)
    yield visits
    visits.close()


def test_an_app_that_fails_at_the_start_is_reported_with_its_log(tmp_path: Path):
    script = tmp_path / "broken.py"
    script.write_text("raise ValueError('broken at the start')")
    with pytest.raises(RuntimeError, match="broken at the start"), running_app(tmp_path / "app.log", script=script):
        pass


def test_ready_waits_for_the_answer_to_what_was_typed(probe: Visits):
    page = probe()
    page.get_by_label("Name").fill("Ada")
    page.keyboard.press("Enter")
    ready(page)
    assert page.get_by_text("Hello Ada").is_visible()


def test_a_traceback_of_the_server_is_found_and_only_after_the_mark(probe: Visits):
    page = probe()
    mark = probe.server.log.stat().st_size
    assert not probe.server.tracebacks(since=mark)
    page.get_by_role("button", name="Break").click()
    ready(page)
    assert "broken on purpose" in probe.server.tracebacks(since=mark)
    assert not probe.server.tracebacks(since=probe.server.log.stat().st_size)


def test_errors_of_the_page_and_requests_to_other_hosts_are_collected(probe: Visits):
    page = probe()
    page.evaluate("setTimeout(() => { throw new Error('thrown on purpose') })")
    page.evaluate("fetch('https://example.org/').catch(() => 0)")
    page.wait_for_timeout(500)
    assert "thrown on purpose" in " ".join(probe.problems)
    assert "ERR_NAME_NOT_RESOLVED" in " ".join(probe.problems)


def test_the_theme_follows_the_colour_scheme_and_the_size_is_as_asked(probe: Visits):
    def background(page):
        return page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")

    light, dark = probe(scheme="light"), probe(scheme="dark", viewport=NARROW)
    assert (background(light), background(dark)) == ("rgb(255, 255, 255)", "rgb(14, 17, 23)")
    assert dark.evaluate("window.innerWidth") == NARROW["width"]
    assert probe.problems == []


def test_whoever_comes_first_by_a_link_finds_the_page(browser: Browser, tmp_path: Path):
    with running_app(tmp_path / "app.log", is_warm=False) as server:
        visits = Visits(browser=browser, server=server)
        page = visits("limits")
        page.get_by_role("heading", name="Limits and prices").wait_for()
        assert page.get_by_text("Page not found").count() == 0
        visits.close()
