"""The scaling policy designer: what it recommends, what it refuses, and what a link reproduces."""

import json

import pytest

from fitness import presets
from fitness.simulation.designed import KINDS
from fitness.simulation.policies import Kind
from fitness.simulation.policy_settings import settings_of
from fitness.workload import Workload
from tests.pages.conftest import address, drawn, texts
from ui import data, policy_words, words
from ui import format as fmt

SIMULATE = "pages/architects/simulate.py"
FRAUD = presets.load("card-fraud")
CUSTOMERS = presets.load("customer-models")
VIDEO = presets.load("video-analysis")
VIEW = "Scaling policy"
REAL_TIME = "Real-time endpoint"
QUEUE = words.option_title("async")


def opened(app, workload=FRAUD, **parameters):
    return app(SIMULATE, workload, view=VIEW, **parameters)


def said(at):
    return texts(at).replace("\\", "")


def test_a_link_opens_the_designer_of_an_option_and_a_kind(app):
    at = opened(app, scaled=REAL_TIME, policy="Step scaling")
    assert at.title[0].value == "Design a scaling policy"
    assert at.selectbox(key="scaled").value == "real_time"
    assert at.selectbox(key="policy").value is Kind.STEP
    assert address(at) == FRAUD


def test_only_options_with_instances_are_offered_the_best_first(app):
    at = opened(app)
    ranked = [one.option.id for one in data.first_verdict_of(FRAUD).options if one.option.id in KINDS]
    assert at.selectbox(key="scaled").options == [words.option_title(one) for one in ranked]


def test_the_recommended_policy_is_said_in_words_figures_and_calls(app):
    at = opened(app, scaled=REAL_TIME)
    designed = data.policy_of(FRAUD, "real_time", Kind.TARGET_TRACKING, {}, metric=None)
    best = designed.found.best
    for sentence in policy_words.sentences(best.policy, designed):
        assert sentence in said(at)
    metrics = {one.label: one.value for one in at.metric}
    assert metrics["A month"].replace("\\", "") == f"${best.usd:,.2f}" or best.usd >= 100
    python, document, settings = (one.value for one in at.code)
    assert json.loads(settings)["max_instances"] == best.policy.maximum
    assert f"MaxCapacity={best.policy.maximum}" in python
    tracked = json.loads(document)["put_scaling_policy"][0]["TargetTrackingScalingPolicyConfiguration"]
    assert tracked["TargetValue"] == pytest.approx(best.policy.target_per_minute, rel=0.001)
    assert len(at.get("plotly_chart")) == 2


def test_a_metric_that_the_option_does_not_publish_is_refused_with_the_reason(app):
    at = opened(app, scaled=REAL_TIME)
    assert not at.error
    at.selectbox(key="scaled_metric").set_value("ApproximateBacklogSizePerInstance")
    at = drawn(at.run())
    assert "does not publish" in at.error[0].value
    assert "belongs to async" in at.error[0].value
    assert "this is the usual one" in said(at)


def test_a_published_metric_without_a_known_target_asks_for_a_measurement(app):
    at = opened(app, scaled=REAL_TIME, scaled_metric="CPUUtilization")
    assert not at.error
    assert "takes a measurement" in said(at)


def test_a_burstable_type_is_refused(app):
    at = opened(app, scaled=REAL_TIME, scaled_type="ml.t2.medium")
    assert "can't be registered for scaling" in at.error[0].value
    assert "as long as what is refused above holds" in said(at)


def test_a_queue_has_its_own_kind_and_its_alarm(app):
    at = opened(app, VIDEO, scaled=QUEUE)
    assert at.selectbox(key="policy").options == ["Target on the backlog"]
    assert "HasBacklogWithoutCapacity" in at.code[0].value


def test_the_kind_follows_the_option(app):
    at = opened(app, VIDEO, scaled=REAL_TIME, policy="Target tracking, to zero")
    assert "Inference component" in [one.label for one in at.text_input]
    at.selectbox(key="scaled").set_value("async")
    at = drawn(at.run())
    assert at.selectbox(key="policy").value is Kind.BACKLOG


def test_an_objective_that_no_policy_of_the_kind_keeps_is_said(app):
    at = opened(app, VIDEO, scaled=REAL_TIME, policy="Target tracking, to zero")
    assert "No policy of this kind keeps late requests" in at.warning[0].value
    assert "Closest" in [one.value for one in at.caption]
    assert "**The busiest day under the closest policy**" in texts(at)
    assert "ecommended" not in texts(at)


def test_a_name_that_no_endpoint_can_have_is_explained(app):
    at = opened(app, scaled=REAL_TIME)
    at.text_input(key="dzn_endpoint").set_value("my endpoint'); import os")
    at = drawn(at.run())
    assert "letters, digits" in at.error[0].value
    assert not at.code


def test_of_many_endpoints_one_policy_is_designed(app):
    at = opened(app, CUSTOMERS, scaled=REAL_TIME)
    assert "The policy is that of the most requested endpoint" in said(at)
    assert "One policy for each of 1,000 endpoints" in said(at)


def test_an_infeasible_option_says_so(app):
    at = opened(app, scaled=QUEUE)
    assert "Infeasible" in said(at)


def test_a_workload_that_says_almost_nothing_has_a_policy_and_its_assumptions(app):
    at = opened(app, Workload.from_values({"name": "vague", "request.synchronous": True}))
    assert at.get("plotly_chart")
    assert "the middle of its distribution was used" in said(at)


@pytest.mark.parametrize("preset", presets.PRESETS, ids=lambda preset: preset.id)
def test_every_preset_has_a_policy_or_says_why_not(app, preset):
    at = opened(app, presets.load(preset.id))
    assert at.get("plotly_chart") or at.error


def test_nonsense_in_the_address_is_ignored(app):
    at = opened(app, scaled="nonsense", policy="nonsense", scaled_type="nonsense", scaled_metric="nonsense")
    assert len(at.get("plotly_chart")) == 2


def counts(per_minute):
    return ("count\n" + "\n".join(str(one) for one in per_minute)).encode()


def test_a_recording_is_replayed_in_place_of_the_declared_month(app):
    at = opened(app, scaled=REAL_TIME)
    declared = {one.label: one.value for one in at.metric}
    at.file_uploader(key="dzn_recording").upload("week.csv", counts([60] * 1440 * 3))
    at = drawn(at.run())
    assert "4,320 minutes of week.csv are replayed" in said(at)
    assert "The recording is the past" in said(at)
    # One request a second is far below what one instance carries, day and night.
    assert "Always 1 instance." in said(at)
    assert {one.label: one.value for one in at.metric} != declared
    assert address(at) == FRAUD


def test_a_recording_that_can_not_be_read_says_why_and_the_month_stays(app):
    at = opened(app, scaled=REAL_TIME)
    at.file_uploader(key="dzn_recording").upload("week.csv", b"when,what\nnow,no\n")
    at = drawn(at.run())
    assert at.error[0].proto.title == "The recording can't be used"
    assert "The month is a pattern" in said(at)
    assert len(at.get("plotly_chart")) == 2


def played(at):
    """Press "Play this policy"."""
    return drawn(at.button(key="dzn_play").click().run())


@pytest.mark.parametrize("kind", ["Target tracking", "Step scaling", "Schedule around a target"])
def test_the_recommended_policy_is_put_into_the_scene_and_played(app, kind):
    at = opened(app, scaled=REAL_TIME, policy=kind)
    designed = data.policy_of(FRAUD, "real_time", at.selectbox(key="policy").value, {}, metric=None)
    at = played(at)
    assert at.title[0].value == "Simulate a day"
    assert at.selectbox(key="option").value == "real_time"
    assert at.selectbox(key="instance_type").value == designed.instance_type
    settings = settings_of(designed.found.best.policy, endpoints=1)
    assert at.number_input(key="max_instances").value == settings["max_instances"]
    assert "Simulated" in texts(at)
    own = data.simulation_of(FRAUD, "real_time", {"instance_type": designed.instance_type, **settings})
    table = at.table[-1].value.set_index("Of the month")
    assert table.loc["Instance hours", "Simulated"] == fmt.number(float(own.outcome.instance_hours[0]))


def test_the_policy_of_a_queue_is_played_with_its_target(app):
    at = opened(app, VIDEO, scaled=QUEUE)
    designed = data.policy_of(VIDEO, "async", Kind.BACKLOG, {}, metric=None)
    at = played(at)
    assert at.number_input(key="target_backlog_per_instance").value == designed.found.best.policy.target_per_instance


def test_what_was_fixed_before_does_not_stay_beside_a_policy_that_is_played(app):
    at = app(SIMULATE, FRAUD, option=REAL_TIME, schedule="daily 07:30 2-4", routing="LEAST_OUTSTANDING_REQUESTS")
    at = drawn(at.get_by_key("view").set_value(VIEW).run())
    at.selectbox(key="scaled").set_value("real_time")
    at = played(drawn(at.run()))
    assert at.text_input(key="schedule").value == ""
    assert at.selectbox(key="routing").value is None


def test_inference_components_are_played_only_where_the_workload_asks_for_them(app):
    at = opened(app, scaled=REAL_TIME, policy="Target tracking, to zero")
    assert at.button(key="dzn_play").disabled
    asks = FRAUD.replace({"constraints.scale_to_zero": True, "objectives.cold_start_ok": True})
    at = opened(app, asks, scaled=REAL_TIME, policy="Target tracking, to zero")
    assert not at.button(key="dzn_play").disabled
    assert "Simulated" in texts(played(at))
