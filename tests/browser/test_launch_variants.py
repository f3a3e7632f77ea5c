"""An A/B test as a person does it: a second model with a share of the requests, launched, called and removed."""

from playwright.sync_api import expect

from fitness.options import OPTIONS
from tests.browser.session import ready
from tests.browser.test_launch import (
    PATIENCE_MS,
    account_server,
    choose,
    fill,
    left_behind,
    main,
    press,
    removed,
    reviewed_and_confirmed,
    sandbox,
    visit,
)

__all__ = ["account_server", "sandbox", "visit"]


def test_a_second_model_gets_its_share_from_the_form_to_the_removal(visit, sandbox):
    page = visit("/launch")
    choose(page, "Option", OPTIONS["real_time"].title)
    press(page, "Test a second model beside it")
    fill(page, "Name of the variant", "rival")
    fill(page, "Share of the requests (%)", "40")
    expect(main(page).get_by_text("AllTraffic 60 %, rival 40 %")).to_be_visible(timeout=PATIENCE_MS)
    reviewed_and_confirmed(page, "Launch ...")
    expect(main(page).get_by_text("What runs is what was asked for")).to_be_visible(timeout=PATIENCE_MS)
    expect(main(page).get_by_text("First prediction of rival")).to_be_visible(timeout=PATIENCE_MS)

    main(page).get_by_role("link", name="Watch, call and change").click()
    main(page).get_by_role("tab", name="Call it").click()
    ready(page)
    choose(page, "Variant", "rival")
    press(page, "Ask")
    expect(main(page).get_by_text("Answered by variant rival")).to_be_visible(timeout=PATIENCE_MS)
    main(page).get_by_role("tab", name="Settings").click()
    expect(main(page).get_by_text("40 % of the requests")).to_be_visible(timeout=PATIENCE_MS)
    main(page).get_by_role("tab", name="Traffic").click()
    main(page).get_by_text("rival", exact=True).click()
    ready(page)
    removed(page, "real-time")
    assert left_behind(sandbox, None) == {}
