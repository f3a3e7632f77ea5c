"""The Simulate page as a person uses it: first paint by the formulas, long runs, two tabs at once."""

import re
import statistics
import time

import pytest
from playwright.sync_api import Page, expect

from fitness import presets
from tests.browser.links import link, opened
from tests.browser.session import IS_SHARED, ready

FRAUD = presets.load("card-fraud")
REAL_TIME = "Real-time+endpoint"
LONG = "10+million"


def simulate(visit, workload=FRAUD, **parameters) -> Page:
    return visit(link("simulate", workload, **({"option": REAL_TIME} | parameters)))


def surge(page: Page):
    return page.get_by_role("slider", name=re.compile("Surge"))


def busiest(page: Page) -> float:
    return page.evaluate("() => Math.max(...document.querySelector('.js-plotly-plot')._fullData[0].y)")


def heights(page: Page) -> list[int]:
    """Where the charts and the table begin."""
    return page.evaluate(
        "() => [...document.querySelectorAll('.js-plotly-plot, [data-testid=stTable]')]"
        ".map(e => Math.round(e.getBoundingClientRect().top + document.querySelector('[data-testid=stMain]').scrollTop))"
    )


def test_a_link_opens_a_played_day_and_a_surge_changes_its_charts(visit):
    page = visit(link("simulate", FRAUD, option="Real-time+endpoint", beside="Serverless+endpoint"))
    expect(page.get_by_role("heading", name="Simulate a day")).to_be_visible()
    expect(page.get_by_role("heading", name="Serverless endpoint", exact=True)).to_be_visible()
    charts = page.locator(".js-plotly-plot")
    expect(charts.first).to_be_visible()
    busiest = "() => Math.max(...document.querySelector('.js-plotly-plot')._fullData[0].y)"
    calm = page.evaluate(busiest)
    page.get_by_role("slider", name=re.compile("Surge")).press("End")
    ready(page)
    assert page.evaluate(busiest) > 2 * calm
    assert "surge=10" in page.url
    expect(page.get_by_text(re.compile("simulated, seed")).first).to_be_visible()
    assert opened(page) == FRAUD


def test_a_slider_is_answered_by_the_formulas_and_then_by_the_simulation(visit):
    page = simulate(visit)
    expect(page.get_by_text("Simulated", exact=True)).to_be_visible()
    before = heights(page)
    page.evaluate(WATCH_GRADES)
    for _ in range(4):
        surge(page).press("ArrowRight")
    ready(page)
    seen = page.evaluate("window.grades")
    assert "By the formulas, simulating" in seen
    assert seen[-1] == "Simulated"
    assert heights(page) == before
    assert "surge=3" in page.url


def test_a_slider_moved_again_interrupts_what_was_pending(visit):
    page = simulate(visit)
    for _ in range(6):
        surge(page).press("ArrowRight")
        page.wait_for_timeout(120)
    ready(page)
    expect(page.get_by_text("Simulated", exact=True)).to_be_visible()
    assert "surge=4" in page.url
    assert busiest(page) > 100


def test_the_rates_can_be_moved_here_too(visit):
    page = simulate(visit)
    slider = page.get_by_role("slider", name=re.compile("Mean requests"))
    slider.press("ArrowRight")
    ready(page)
    assert opened(page).traffic.rps_mean > FRAUD.traffic.rps_mean
    expect(page.get_by_text("Simulated", exact=True)).to_be_visible()
    expect(page.get_by_role("combobox", name=re.compile("^Option"))).to_have_value("Real-time endpoint")


def test_a_long_run_shows_how_far_it_is_and_replaces_the_figures(visit):
    page = simulate(visit, workload=FRAUD.replace({"traffic.rps_mean": 31}), requests=LONG)
    expect(page.get_by_text("10 million requests of the month were played")).to_be_visible(timeout=60_000)
    ready(page)
    played = page.get_by_text(re.compile("simulated, seed")).first.inner_text()
    assert int(re.search(r"and ([\d,]+) requests of the month", played)[1].replace(",", "")) > 5_000_000


def test_a_long_run_can_be_stopped(visit):
    page = simulate(visit, workload=FRAUD.replace({"traffic.rps_mean": 32}), beside="Multi-model+endpoint+(CPU)")
    choose_most(page)
    page.get_by_role("button", name="Stop").click()
    ready(page)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    expect(page.get_by_role("combobox", name=re.compile("Requests of the month"))).to_have_value("100,000")
    expect(page.get_by_text("were played", exact=False)).to_have_count(0)


def test_a_slider_of_one_tab_is_answered_while_another_tab_plays_a_long_run(visit):
    """Asserts the order of what happens, not how long it takes."""
    waiting = simulate(visit)
    busy = simulate(visit, workload=FRAUD.replace({"traffic.rps_mean": 33}), beside="Multi-model+endpoint+(CPU)")
    waiting.evaluate(WATCH_GRADES)
    busy.evaluate(WATCH_RUN)
    choose_most(busy)
    expect(busy.get_by_role("button", name="Stop")).to_be_visible()
    surge(waiting).press("ArrowRight")
    waiting.wait_for_function("() => window.simulatingSince !== undefined", polling=10)
    busy.wait_for_function("() => window.playedAt !== undefined", polling=10, timeout=60_000)
    ready(waiting)
    assert waiting.evaluate("window.simulatingSince") < busy.evaluate("window.playedAt")


def choose_most(page: Page) -> None:
    page.get_by_role("combobox", name=re.compile("Requests of the month")).click()
    page.get_by_role("option", name="10 million").click()


@pytest.mark.skipif(IS_SHARED, reason="make browser ARGS='-k paint' prints times")
def test_paint_times_of_a_slider_are_printed(visit, capsys):
    """Prints slider to first paint, and to the simulated figures, for a person to judge on a quiet machine."""
    lines = []
    for name in ("Surge", "Mean requests"):
        page = simulate(visit)
        slider = page.get_by_role("slider", name=re.compile(name))
        painted, played = [], []
        for step in range(20):
            page.evaluate(WATCH_PAINT)
            begun = time.perf_counter()
            slider.press("ArrowRight" if step % 8 < 4 else "ArrowLeft")
            page.wait_for_function("() => window.chartChangedAt !== undefined", polling=5)
            painted.append((time.perf_counter() - begun) * 1000)
            page.wait_for_function("() => window.playedAt !== undefined", polling=5)
            played.append((time.perf_counter() - begun) * 1000)
            ready(page)
        lines.append(f"{name}: slider to first paint {spread(painted)}; to simulated {spread(played)}")
        assert len(played) == 20
    with capsys.disabled():
        print("\n" + "\n".join(lines))


def spread(times_ms: list[float]) -> str:
    ordered = sorted(times_ms)
    return f"p50 {statistics.median(ordered):.0f} ms, p95 {ordered[int(len(ordered) * 0.95) - 1]:.0f} ms"


# Every grade that the page has shown, in their order.
WATCH_GRADES = """
() => {
  window.grades = [];
  const watch = () => {
    const badge = [...document.querySelectorAll('.stMarkdownBadge')].map(e => e.innerText)
      .filter(text => /By the formulas|Simulated/.test(text)).map(text => text.match(/By the formulas.*|Simulated/)[0])[0];
    if (badge && window.grades[window.grades.length - 1] !== badge) window.grades.push(badge);
    if (badge?.includes('simulating')) window.simulatingSince ??= performance.timeOrigin + performance.now();
    requestAnimationFrame(watch);
  };
  requestAnimationFrame(watch);
}
"""

# When the long run has ended, on the clock that both tabs share.
WATCH_RUN = """
() => {
  const watch = () => {
    if (document.body.innerText.includes('requests of the month were played')) {
      window.playedAt = performance.timeOrigin + performance.now();
    } else requestAnimationFrame(watch);
  };
  requestAnimationFrame(watch);
}
"""

# When the chart of the traffic first shows other arrivals, and when the page says again that it is simulated.
WATCH_PAINT = """
() => {
  window.chartChangedAt = window.playedAt = undefined;
  const arrivals = () => document.querySelector('.js-plotly-plot')?._fullData?.[0]?.y;
  const grade = () => [...document.querySelectorAll('.stMarkdownBadge')].map(e => e.innerText).join(' ');
  const before = JSON.stringify(Array.from(arrivals() || []));
  const watch = () => {
    const now = arrivals();
    if (!window.chartChangedAt && now && JSON.stringify(Array.from(now)) !== before) {
      window.chartChangedAt = performance.now();
    }
    if (window.chartChangedAt && grade().includes('Simulated')) window.playedAt = performance.now();
    else requestAnimationFrame(watch);
  };
  requestAnimationFrame(watch);
}
"""
