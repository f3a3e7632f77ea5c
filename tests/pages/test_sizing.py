"""The sizing of a multi-model endpoint: how much memory, which models leave, what a miss costs."""

import pytest

from fitness import presets
from fitness.workload import Workload
from tests.pages.conftest import address, drawn, texts
from ui import data
from ui import format as fmt

SIMULATE = "pages/architects/simulate.py"
CUSTOMERS = presets.load("customer-models")
FRAUD = presets.load("card-fraud")
VIEW = "Model memory"


def opened(app, workload=CUSTOMERS, **parameters):
    return app(SIMULATE, workload, view=VIEW, **parameters)


def said(at):
    return texts(at).replace("\\", "")


def metrics(at):
    return {one.label: one.value.replace("\\", "") for one in at.metric}


def test_a_link_opens_the_sizing_with_its_goal_and_type(app):
    at = opened(app, shared_type="ml.m5.xlarge", hits="90")
    assert at.title[0].value == "Size the memory of many models"
    assert at.slider(key="hits").value == 90
    sizing, _ = data.sizing_of(CUSTOMERS, "mme", {"instance_type": "ml.m5.xlarge"}, goal_ratio=0.9)
    assert metrics(at)["Instances"] == str(sizing.enough.instances)
    assert metrics(at)["A month"] == fmt.usd(sizing.enough.usd)
    assert address(at) == CUSTOMERS
    assert len(at.get("plotly_chart")) == 2


@pytest.mark.parametrize(
    ("declared", "why"), [({"models.count": 1}, "This workload has one."), ({}, "is not said, so it counts as one")]
)
def test_a_workload_of_one_model_has_nothing_to_share_and_nobody_is_quoted(app, declared, why):
    at = opened(app, Workload.from_values({"name": "little", "traffic.rps_mean": 3.0, **declared}))
    assert why in at.info[0].value


def test_a_higher_goal_takes_more_memory(app):
    at = opened(app, hits="80")
    less = int(metrics(at)["Instances"])
    at.slider(key="hits").set_value(99)
    at = drawn(at.run())
    assert int(metrics(at)["Instances"]) > less


def test_several_sizes_stand_in_a_table_from_one_instance_to_every_model_in_memory(app):
    at = opened(app)
    table = at.dataframe[0].value
    names = list(table["Fewest instances"])
    assert names[0].startswith("1")
    assert sum("★" in name for name in names) == 1
    assert table["Lost to loads (user-seconds a month)"].iloc[-1] == "0"
    assert table["Hits"].iloc[-1] == "100 %"


def test_it_says_which_models_leave_by_which_rule_and_what_that_costs(app):
    at = opened(app)
    assert "Keep them together" in said(at)
    assert "The rule: the most requested models leave" in said(at)
    splits = at.dataframe[1].value
    assert splits["Models that leave"].iloc[0] == "0 ★"
    assert splits["Own endpoints"].iloc[0] == "$0.00"


def test_it_says_what_the_numbers_rest_on(app):
    at = opened(app)
    assert "Che's approximation differs by at most" in said(at)
    assert "(grade " in said(at)
    assert "Popularity is the same all month" in said(at)


def test_a_workload_with_one_model_has_nothing_to_share_and_leads_to_the_field(app):
    at = opened(app, FRAUD)
    assert "no models to share memory" in at.info[0].proto.title
    assert not at.get("plotly_chart")
    assert at.get("page_link")


def test_a_type_that_holds_no_model_is_explained(app):
    at = opened(app, CUSTOMERS.replace({"models.memory_mb": 9_000}), shared_type="ml.c5.large")
    assert at.error


def test_sizes_that_are_too_large_to_play_say_so(app):
    at = opened(app, CUSTOMERS.replace({"models.count": 5_000}), shared_type="ml.c5.large")
    assert "not played" in list(at.dataframe[0].value["99 % within"])


def test_more_models_than_are_counted_are_explained(app):
    at = opened(app, CUSTOMERS.replace({"models.count": 100_000}))
    assert "size a part of them" in at.error[0].value


def test_an_infeasible_option_says_so(app):
    at = opened(app, CUSTOMERS.replace({"models.frameworks": "different"}))
    assert "Infeasible" in said(at)
    assert metrics(at)


@pytest.mark.parametrize("preset", presets.PRESETS, ids=lambda preset: preset.id)
def test_every_preset_is_sized_or_says_why_not(app, preset):
    at = opened(app, presets.load(preset.id))
    assert at.get("plotly_chart") or at.error or at.info


def test_nonsense_in_the_address_is_ignored(app):
    at = opened(app, shared="nonsense", shared_type="nonsense", hits="nonsense")
    assert len(at.get("plotly_chart")) == 2
