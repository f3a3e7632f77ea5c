"""Settings that state a policy, read back by what plays them."""

from dataclasses import replace

import pytest

from fitness import presets
from fitness.analytic.settings import checked
from fitness.outcome import configuration
from fitness.prices import load_book
from fitness.simulation.endpoints import endpoint_of
from fitness.simulation.policy_settings import configured, settings_of
from fitness.simulation.rules import Action, Backlog, Fixed, Scheduled, TargetTracking
from fitness.study import SEED, study
from tests.declared import PLAIN, studied
from tests.gated import LATER, ONLINE
from tests.scaling import STEPS

TRACKING = TargetTracking(
    target_per_minute=600, minimum=2, maximum=9, scale_out_cooldown_s=420, scale_in_cooldown_s=900
)
WEEK = (
    Action(minute_of_week=533, minimum=4, maximum=9),
    Action(minute_of_week=6 * 1440 + 1439, minimum=2, maximum=9),
)
BUSY = {"traffic.pattern": "diurnal", "traffic.rps_mean": 20, "traffic.rps_peak": 120}  # asks for every maximum below
POLICIES = {
    "fixed": ("real_time", Fixed(instances=3)),
    "tracking": ("real_time", TRACKING),
    "step": ("real_time", STEPS),
    "step that only scales out": ("real_time", replace(STEPS, steps_in=(), in_below=0)),
    "scheduled": ("real_time", Scheduled(base=TRACKING, actions=WEEK)),
    "scheduled steps": ("real_time", Scheduled(base=STEPS, actions=WEEK)),
    "backlog": ("async", Backlog(target_per_instance=5, minimum=1, maximum=4)),
}


@pytest.mark.parametrize("name", POLICIES)
def test_the_settings_of_a_policy_play_that_policy(name):
    option, policy = POLICIES[name]
    config = checked(settings_of(policy))
    values = {**(LATER if option == "async" else ONLINE), **BUSY}
    work = studied(values, config=config, priors=PLAIN)
    outcome = work.configured(option).outcome
    assert endpoint_of(work.point, outcome, config, SEED).policy == policy


def test_instances_count_all_endpoints_together():
    found = settings_of(Scheduled(base=TRACKING, actions=WEEK), endpoints=10)
    assert (found["min_instances"], found["max_instances"]) == (20, 90)
    assert found["policy"]["schedule"][0] == {"at": "mon 08:53", "min_instances": 40, "max_instances": 90}


STEP = {"metric": "InvocationsPerInstance", "out_above": 600, "steps_out": [{"distance": 0, "change": 1}]}
SCHEDULE = [{"at": "daily 20:00", "min_instances": 1, "max_instances": 40}]


@pytest.mark.parametrize(
    ("option", "routing", "policy"),
    [
        ("real_time", True, {"step": STEP, "schedule": SCHEDULE}),
        ("async", False, {"schedule": SCHEDULE}),  # a queue publishes another metric, and routes nothing
        ("serverless", False, None),
        ("batch", False, None),
    ],
)
def test_an_answer_repeats_what_was_stated_of_scaling_where_the_option_plays_it(option, routing, policy):
    stated = {
        "routing": "LEAST_OUTSTANDING_REQUESTS",
        "scale_in_cooldown_s": 600,
        "policy": {"step": STEP, "schedule": SCHEDULE},
    }
    work = study(presets.load("nightly-scoring"), book=load_book(), config=stated)
    outcome = work.configured(option).outcome
    said = configured(outcome, work.config)
    assert said.get("policy") == policy
    assert ("routing" in said) is routing
    assert ("scale_in_cooldown_s" in said) is (policy is not None)
    assert checked(said) == said
    assert configured(outcome, {}) == configuration(outcome)
