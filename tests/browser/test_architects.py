"""The architects' pages as a person uses them: a real server, a real Chromium."""

import csv
import re
import statistics
import time
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from fitness import presets, workload_file
from fitness.workload import Workload
from tests.browser.links import link, opened
from tests.browser.session import IS_SHARED, NARROW, Server, Visits, ready, running_app
from ui import scenario, state

FRAUD = presets.load("card-fraud")
SEARCH = presets.load("keystroke-search")


def number(page: Page, label: str) -> Locator:
    return page.get_by_role("spinbutton", name=label, exact=True)


def fill(page: Page, label: str, text: str) -> None:
    number(page, label).fill(text)
    number(page, label).press("Enter")
    ready(page)


def test_a_newcomer_gets_a_verdict_in_two_clicks(visit):
    page = visit()
    expect(page.get_by_text("Nothing is described yet")).to_be_visible()
    page.get_by_role("button", name="Card fraud check").click()
    ready(page)
    expect(page.get_by_text("Best so far")).to_contain_text("Real-time endpoint")
    page.get_by_role("link", name="Compare all ten options").click()
    page.get_by_role("heading", name="Compare hosting options").wait_for()
    ready(page)
    expect(page.get_by_role("heading", name="Real-time endpoint", exact=True)).to_be_visible()
    assert opened(page) == FRAUD


def test_the_tab_of_the_browser_names_the_page(visit):
    assert visit(link("compare", FRAUD)).title() == "Compare - hostfit"


def test_a_reload_of_any_page_keeps_the_scenario(visit):
    page = visit(link("", FRAUD))
    page.get_by_role("link", name="Limits", exact=True).click()
    page.get_by_role("heading", name="Limits and prices").wait_for()
    ready(page)
    page.reload()
    ready(page)
    assert opened(page) == FRAUD


def test_a_link_opens_the_same_scenario_in_another_browser(visit):
    first = visit(link("compare", FRAUD))
    first.get_by_role("slider", name=re.compile("Cost weight")).press("ArrowRight")
    ready(first)
    address = first.url.removeprefix(visit.server.url)
    second = visit(address, scheme="dark")
    assert opened(second) == opened(first) == FRAUD.replace({"weights.cost": 1.5})
    metric = "[data-testid=stMetricValue]"
    assert second.locator(metric).all_inner_texts() == first.locator(metric).all_inner_texts()


def test_a_number_typed_just_before_leaving_the_page_is_not_lost(visit):
    page = visit(link("", FRAUD))
    number(page, "99 of 100 answers within (ms)").fill("180")
    page.get_by_role("link", name="Compare", exact=True).click(delay=100)  # pressing commits the number
    page.get_by_role("heading", name="Compare hosting options").wait_for()
    ready(page)
    assert opened(page) == FRAUD.replace({"objectives.latency_p99_ms": 180})


def test_several_quick_changes_are_all_kept(visit):
    page = visit(link("", FRAUD))
    number(page, "99 of 100 answers within (ms)").fill("180")
    number(page, "One prediction alone takes (ms)").fill("35")
    number(page, "Models in one deployment").fill("2")
    page.keyboard.press("Tab")
    ready(page)
    assert opened(page) == FRAUD.replace(
        {"objectives.latency_p99_ms": 180, "request.processing_ms": 35, "models.count": 2}
    )


def test_back_and_forward_go_through_the_scenarios(visit):
    page = visit(link("", FRAUD))
    fill(page, "99 of 100 answers within (ms)", "180")
    fill(page, "99 of 100 answers within (ms)", "300")
    page.wait_for_timeout(state.STALE_LINK_S * 1000)
    page.go_back()
    ready(page)
    expect(number(page, "99 of 100 answers within (ms)")).to_have_value("180")
    assert opened(page).objectives.latency_p99_ms == 180
    page.go_forward()
    ready(page)
    expect(number(page, "99 of 100 answers within (ms)")).to_have_value("300")


def test_wrong_values_stand_beside_their_field_and_in_the_summary(visit):
    page = visit(link("", FRAUD))
    fill(page, "Busiest minute (requests/s)", "1")
    expect(page.get_by_text("These values can't be used yet")).to_be_visible()
    expect(page.get_by_text("Must be ≥ traffic.rps_mean (30), got 1.")).to_be_visible()
    expect(page.get_by_text("1 value to put right")).to_be_visible()
    assert opened(page) == FRAUD


def test_a_broken_link_is_explained(visit):
    page = visit("?w=" + scenario.encode(FRAUD)[:60])
    expect(page.get_by_text("This link is broken")).to_be_visible()
    page.get_by_role("button", name="Card fraud check").click()
    ready(page)
    assert opened(page) == FRAUD


def test_a_slider_ranks_again(visit):
    page = visit(link("compare", SEARCH))
    score = page.locator("[data-testid=stMetricValue]").last
    before = score.inner_text()
    for _ in range(8):
        page.get_by_role("slider", name=re.compile("Scaling weight")).press("ArrowRight")
    ready(page)
    assert opened(page).weights.scaling == 5
    expect(score).not_to_have_text(before)


def test_a_slider_moved_several_times_ranks_each_time_and_ends_with_the_chances(visit):
    page = visit(link("compare", SEARCH))
    slider = page.get_by_role("slider", name=re.compile("Scaling weight"))
    for _ in range(5):
        slider.press("ArrowRight")
        page.wait_for_timeout(120)
    expect(page.get_by_text("of 512 draws")).to_be_visible(timeout=15_000)
    ready(page)
    assert opened(page).weights.scaling == 3.5


@pytest.mark.parametrize(
    ("button", "name"),
    [
        ("Decision record (Markdown)", "card-fraud-decision.md"),
        ("Ranking (CSV)", "card-fraud-ranking.csv"),
        ("Workload (YAML)", "card-fraud.yaml"),
    ],
)
def test_what_is_exported_can_be_downloaded(visit, tmp_path: Path, button, name):
    page = visit(link("compare", FRAUD, part="Export"))
    with page.expect_download() as pending:
        page.get_by_role("button", name=button).click()
    assert pending.value.suggested_filename == name
    path = tmp_path / name
    pending.value.save_as(path)
    text = path.read_text(encoding="utf-8")
    match path.suffix:
        case ".md":
            assert text.startswith("# Hosting of card-fraud")
        case ".csv":
            assert len(list(csv.DictReader(text.splitlines()))) == 10
        case _:
            assert workload_file.read(text) == FRAUD


def test_why_not_opens_by_keyboard_and_names_the_limit(visit):
    page = visit(link("compare", FRAUD))
    card = page.locator("summary").filter(has_text="Batch transform")
    card.focus()
    page.keyboard.press("Enter")
    ready(page)
    expect(page.get_by_role("table", name=re.compile("Limits of Batch transform")).first).to_contain_text("Fails")


def test_a_question_of_the_verdict_leads_to_its_field(visit):
    vague = Workload.from_values({"name": "vague", "request.synchronous": True})
    page = visit(link("compare", vague))
    page.locator("a[href*='ask=']").first.click()
    page.get_by_text("The verdict would gain most").wait_for()
    ready(page)
    assert opened(page) == vague


def test_the_whole_form_is_reached_by_keyboard(visit):
    page = visit(link("", FRAUD))
    number(page, "Models in one deployment").focus()
    seen = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"))
    assert {"Busiest minute (requests/s)", "One prediction alone takes (ms)", "Name"} <= seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["", "compare", "limits"])
def test_no_page_is_wider_than_a_phone(visit, name, scheme):
    page = visit(link(name, FRAUD), scheme=scheme, viewport=NARROW)
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= NARROW["width"]
    assert page.evaluate("document.body.scrollWidth") <= NARROW["width"]


def test_the_chart_takes_the_colours_of_the_theme(visit):
    """A theme with fewer colours than Streamlit's template asks for would fall back to Plotly's."""
    page = visit(link("compare", FRAUD))
    page.locator(".js-plotly-plot .scatterlayer path.point").first.wait_for()
    colour = page.locator(".js-plotly-plot .scatterlayer path.point").first.evaluate("e => getComputedStyle(e).stroke")
    assert colour == "rgb(0, 105, 168)"


def test_every_drawing_and_table_has_a_name(visit):
    page = visit(link("compare", FRAUD))
    assert page.get_by_label(re.compile("Bill against 99th percentile")).count() >= 1
    assert page.get_by_label(re.compile("ten hosting options, best first")).count() >= 1


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory):
    """The app where sign-in is configured."""
    folder = tmp_path_factory.mktemp("gated")
    secrets = folder / "secrets.toml"
    secrets.write_text(
        '[auth]\nredirect_uri = "http://127.0.0.1/oauth2callback"\ncookie_secret = "not a secret"\n'
        'client_id = "x"\nclient_secret = "x"\nserver_metadata_url = "http://127.0.0.1:9/openid"\n'
    )
    with running_app(folder / "app.log", environment={"STREAMLIT_SECRETS_FILES": str(secrets)}) as server:
        yield server


@pytest.mark.parametrize("path", ["", "compare?part=Bill", "limits"])
def test_a_stranger_sees_only_the_way_in_on_every_address(browser, gated: Server, path):
    visits = Visits(browser=browser, server=gated)
    page = visits(path)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert page.get_by_role("heading", level=1).count() == 0
    for name in ("Describe", "Compare", "Limits"):
        assert page.get_by_role("link", name=name).count() == 0
    visits.close()


@pytest.mark.skipif(IS_SHARED, reason="make browser ARGS='-k paint' prints times")
def test_paint_times_are_printed(visit, capsys):
    """Prints first paint and slider to painted, for a person to judge on a quiet machine."""
    begun = time.perf_counter()
    page = visit.browser.new_page()
    page.goto(visit.server.url)
    page.get_by_role("button", name="Card fraud check").wait_for()
    form_ms = (time.perf_counter() - begun) * 1000
    first_ms = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    page.close()
    lines = [f"first paint {first_ms:.0f} ms, form {form_ms:.0f} ms"]
    for name in ("Scaling weight", "Mean requests"):
        page = visit(link("compare", FRAUD))
        slider = page.get_by_role("slider", name=re.compile(name))
        times: dict[str, list[float]] = {"by the formulas": [], "simulated": [], "with what would change it": []}
        for step in range(20):
            page.evaluate(WATCH_RANKING)
            begun = time.perf_counter()
            slider.press("ArrowRight" if step % 8 < 4 else "ArrowLeft")
            for held, happened in zip(times.values(), ("paintedAt", "simulatedAt", "explainedAt"), strict=True):
                page.wait_for_function(f"() => window.{happened} !== undefined", polling=5)
                held.append((time.perf_counter() - begun) * 1000)
            ready(page)
        assert {len(held) for held in times.values()} == {20}
        lines.append(f"{name}: slider to ranking " + "; ".join(f"{key} {spread(held)}" for key, held in times.items()))
    with capsys.disabled():
        print("\n" + "\n".join(lines))


# When the ranking of the formulas takes the place of the one before, when the simulated one does, and when the page
# has said what would change it.
WATCH_RANKING = """
() => {
  window.paintedAt = window.simulatedAt = window.explainedAt = undefined;
  const texts = (selector) => [...document.querySelectorAll(selector)].map(e => e.innerText);
  const grade = () => texts('[data-testid=stCaptionContainer]').find(text => text.includes('Prices of')) ?? '';
  const figures = () => grade() + texts('[data-testid=stMetricValue]').join();
  const before = figures();
  const app = document.querySelector('[data-testid="stApp"]');
  const watch = () => {
    if (!window.paintedAt && figures() !== before) window.paintedAt = performance.now();
    if (window.paintedAt && !window.simulatedAt && grade().startsWith('Simulated')) {
      window.simulatedAt = performance.now();
    }
    if (window.simulatedAt && app.dataset.testScriptState === 'notRunning') window.explainedAt = performance.now();
    else requestAnimationFrame(watch);
  };
  requestAnimationFrame(watch);
}
"""


def spread(times_ms: list[float]) -> str:
    ordered = sorted(times_ms)
    return f"p50 {statistics.median(ordered):.0f} ms, p95 {ordered[int(len(ordered) * 0.95) - 1]:.0f} ms"
