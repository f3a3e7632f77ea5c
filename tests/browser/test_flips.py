"""The flips on the Compare page as a person reads them."""

import re

from playwright.sync_api import expect

from fitness import presets
from tests.browser.links import link, opened
from tests.browser.session import NARROW, ready

CHATBOT = presets.load("payroll-chatbot")
CUSTOMERS = presets.load("customer-models")
HOVERED = ".js-plotly-plot .hoverlayer .hovertext"


def flips(visit, workload=CHATBOT, **options):
    return visit(link("compare", workload, part="Flips"), **options)


def drawing(page):
    return page.locator(".js-plotly-plot").filter(has_text="declared").last


def test_a_band_names_its_winners_and_the_table_says_the_same(visit):
    page = flips(visit)
    expect(drawing(page)).to_contain_text("Peak requests")
    expect(drawing(page)).to_contain_text("1 Serverless")
    expect(page.get_by_label(re.compile("Where another option becomes the best")).first).to_be_attached()
    table = page.get_by_role("table", name=re.compile("where another option becomes the best"))
    expect(table).to_contain_text("Real-time endpoint")
    expect(table).to_contain_text("requests/s")


def test_pointing_at_a_change_shows_both_scores_and_the_lead(visit):
    page = flips(visit, workload=CUSTOMERS)
    chart = drawing(page)
    chart.scroll_into_view_if_needed()
    stroke = chart.evaluate(
        """plot => {
          const trace = plot._fullData.findIndex(one => one.marker?.symbol === 'line-ns-open'
            && one.customdata.some(tip => tip.includes('ahead')));
          const one = plot._fullData[trace], x = plot._fullLayout[one.xaxis.replace('x', 'xaxis')];
          const y = plot._fullLayout[one.yaxis.replace('y', 'yaxis')], box = plot.getBoundingClientRect();
          return [box.left + x._offset + x.d2p(one.x[one.customdata.findIndex(tip => tip.includes('ahead'))]), box.top + y._offset + y._length / 2];
        }"""
    )
    page.mouse.move(*stroke)
    tip = page.locator(HOVERED)
    expect(tip).to_contain_text("instead of")
    expect(tip).to_contain_text(re.compile(r"endpoint 0\.\d\d"))
    expect(tip).to_contain_text("% ahead")


def test_a_slider_draws_the_flips_again(visit):
    page = flips(visit)
    expect(drawing(page)).to_contain_text("0.02 requests/s declared")
    page.get_by_role("slider", name=re.compile("Mean requests")).press("ArrowRight")
    ready(page)
    assert opened(page).traffic.rps_mean == 0.025
    expect(drawing(page)).to_contain_text("0.025 requests/s declared")


def test_an_objective_that_nobody_declared_is_linked_to(visit):
    page = flips(visit)
    page.get_by_role("link", name="Deadline").click()
    page.get_by_text("The verdict would gain most from deadline").wait_for()
    ready(page)
    assert opened(page) == CHATBOT


def test_the_flips_fit_a_phone(visit):
    page = flips(visit, scheme="dark", viewport=NARROW)
    expect(drawing(page)).to_be_visible()
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= NARROW["width"]
