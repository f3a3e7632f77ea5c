"""Fixtures of the page tests: the app in this process, without a server."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fitness.workload import Workload
from ui import scenario, state, whatif

ROOT = Path(__file__).parents[2]
COMPARE, LIMITS = "pages/architects/compare.py", "pages/architects/limits.py"
START_S = 60


@pytest.fixture(autouse=True)
def price_cache(monkeypatch, tmp_path_factory) -> Path:
    """No refreshed prices of the person who runs the tests."""
    folder = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder / "hostfit" / "prices"


@pytest.fixture(autouse=True)
def no_rest(monkeypatch) -> None:
    """Nobody is about to move another slider."""
    monkeypatch.setattr(whatif, "REST_S", 0.0)


@pytest.fixture
def app() -> Callable[..., AppTest]:
    """Open the app, on a page and with a scenario in the address: `app(COMPARE, workload)`."""

    def start(page: str | None = None, workload: Workload | None = None, **parameters: str) -> AppTest:
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=START_S)
        link = {state.LINK: scenario.encode(workload)} if workload else {}
        for name, value in (link | parameters).items():
            at.query_params[name] = value
        at.run()
        return drawn(at.switch_page(page).run()) if page else drawn(at)

    return start


def drawn(at: AppTest) -> AppTest:
    """Give the app back when nothing failed: no exception, and no page that could not be drawn."""
    assert not at.exception, at.exception
    failed = [error.value for error in at.error if "reference" in error.value]
    assert not failed, failed
    return at


def confirmed(at: AppTest, *, opener: str, button: str) -> AppTest:
    """Press a button of the open dialog, with the one that opened it: here a run of the app begins without dialogs."""
    at.button(key=opener).click()
    at.button(key=button).click()
    return drawn(at.run())


def address(at: AppTest) -> Workload | None:
    """Give the scenario that the address holds."""
    found = at.query_params.get(state.LINK)
    return scenario.decode(found[0] if isinstance(found, list) else found) if found else None


def texts(at: AppTest) -> str:
    """Give everything that a page says, in order."""
    elements = [*at.title, *at.header, *at.subheader, *at.markdown, *at.caption, *at.info, *at.warning, *at.error]
    return "\n".join(str(element.value) for element in elements)
