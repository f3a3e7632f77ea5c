"""The scaling policy designer and the sizing of models as a person uses them."""

import json
import re

import pytest
from playwright.sync_api import expect

from fitness import presets
from tests.browser.links import link, opened
from tests.browser.session import NARROW, ready

FRAUD = presets.load("card-fraud")
CUSTOMERS = presets.load("customer-models")


def test_a_person_designs_a_policy_sees_a_metric_refused_and_copies_the_calls(visit):
    page = visit(link("simulate", FRAUD, scaled="Real-time+endpoint"))
    page.get_by_text("Scaling policy", exact=True).click()
    expect(page.get_by_role("heading", name="Design a scaling policy")).to_be_visible()
    ready(page)
    assert "view=Scaling+policy" in page.url
    expect(page.get_by_label(re.compile("Cost against late requests of"))).to_be_visible()
    metric = page.get_by_role("combobox", name=re.compile("Metric"))
    metric.focus()
    page.keyboard.type("ApproximateBacklogSizePerInstance")
    page.keyboard.press("Enter")
    ready(page)
    expect(page.get_by_text("This can't work")).to_be_visible()
    expect(page.get_by_text(re.compile("does not publish"))).to_be_visible()
    page.get_by_role("tab", name="JSON").click()
    code = page.get_by_role("tabpanel").locator("code").last
    assert json.loads(code.inner_text())["register_scalable_target"][0]["ServiceNamespace"] == "sagemaker"
    again = visit(page.url.removeprefix(visit.server.url))
    expect(again.get_by_text("This can't work")).to_be_visible()
    assert opened(again) == FRAUD


def test_a_designed_policy_is_played_and_the_link_has_it(visit):
    page = visit(link("simulate", FRAUD, view="Scaling+policy", scaled="Real-time+endpoint", policy="Step+scaling"))
    play = page.get_by_role("button", name="Play this policy")
    play.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Simulate a day")).to_be_visible()
    ready(page)
    expect(page.get_by_text("Simulated", exact=True)).to_be_visible()
    figures = page.locator("[data-testid=stTable]").last.inner_text()
    again = visit(page.url.removeprefix(visit.server.url))
    again.get_by_text("Configuration:").click()
    expect(again.get_by_role("textbox", name="Add instances")).to_have_value(re.compile(r"^[\d.]+: 1"))
    expect(again.get_by_text("Simulated", exact=True)).to_be_visible()
    assert again.locator("[data-testid=stTable]").last.inner_text() == figures
    assert opened(again) == FRAUD


def test_a_schedule_that_is_typed_wrongly_is_explained_where_it_is_typed(visit):
    page = visit(link("simulate", FRAUD, option="Real-time+endpoint"))
    page.get_by_text("Configuration:").click()
    field = page.get_by_role("textbox", name="Schedule (UTC)")
    field.fill("every morning 4-8")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Write it as weekdays 07:30 4-8, daily 20:00 1-4")).to_be_visible()
    field.fill("weekdays 07:30 4-8")
    page.keyboard.press("Enter")
    ready(page)
    assert "schedule=weekdays" in page.url
    expect(page.get_by_text("1 setting fixed")).to_be_visible()


def test_a_person_sizes_the_memory_of_models_by_keyboard(visit):
    page = visit(link("simulate", CUSTOMERS, view="Model+memory"))
    expect(page.get_by_role("heading", name="Size the memory of many models")).to_be_visible()
    memory = page.locator("[data-testid=stMetricValue]").first
    before = memory.inner_text()
    page.get_by_role("slider", name=re.compile("Requests that find their model")).press("End")
    ready(page)
    assert "hits=99" in page.url
    expect(memory).not_to_have_text(before)
    expect(page.get_by_label(re.compile("Hits rise with memory"))).to_be_visible()
    expect(page.get_by_text(re.compile("The rule: the most requested models leave"))).to_be_visible()


@pytest.mark.parametrize("view", ["Scaling+policy", "Model+memory"])
def test_no_tool_is_wider_than_a_phone(visit, view):
    page = visit(link("simulate", CUSTOMERS, view=view), scheme="dark", viewport=NARROW)
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= NARROW["width"]
