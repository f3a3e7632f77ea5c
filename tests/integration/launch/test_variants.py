"""An A/B test on the sandbox: two variants share the requests, the shares change, one leaves, and nothing is left."""

from collections import Counter
from dataclasses import replace

import pytest

from fitness.errors import InputError
from fitness.prices import load_book
from launch.invoke import Call, invoke
from launch.launched import Phase
from launch.models import resolve
from launch.plan import plan
from launch.request import read_request
from tests.launching import end, launch

REQUEST = """
name: shared
option: real_time
region: us-east-1
configuration: {{instance_type: ml.m5.large, min_instances: 1, max_instances: 2, target_invocations_per_minute: 600}}
models: [{{source: "sample:iris"}}]
weight: 9
variants:
  - name: challenger
    model: {{source: {folder}, framework: sklearn}}
    instance_type: ml.c5.large
alarms: {{errors_per_minute: 5}}
update: {{strategy: all_at_once, wait_s: 0}}
"""
ANSWER = """
def model_fn(model_dir):
    return None

def input_fn(body, content_type):
    return body

def predict_fn(data, model):
    return "the challenger"

def output_fn(prediction, accept):
    return prediction
"""
FLOWER = Call(body=b"5.1,3.5,1.4,0.2")
MOST = 400  # requests until both have answered: one in 10 is missed 400 times once in 10^18


@pytest.fixture
def request_of_two(hosting, tmp_path):
    folder = tmp_path / "challenger"
    folder.mkdir()
    (folder / "inference.py").write_text(ANSWER)
    (folder / "model.joblib").write_bytes(b"0")
    return resolve(read_request(REQUEST.format(folder=folder)), hosting.sandbox.client)


def planned(request):
    return plan(request, book=load_book())


def weights(sandbox):
    variants = sandbox.client("sagemaker").describe_endpoint(EndpointName="shared")["ProductionVariants"]
    return {one["VariantName"]: one["CurrentWeight"] for one in variants}


def test_two_models_share_the_requests_until_one_leaves(stacks, account, sandbox, request_of_two, run, tmp_path):
    body = tmp_path / "flower.csv"
    body.write_bytes(FLOWER.body)
    before = account.holds()
    asked = planned(request_of_two)
    assert launch(stacks, asked).phase is Phase.LIVE
    assert stacks.verify(asked) == stacks.verify("shared") == ()
    targets = {resource for kind, resource in account.holds() - before if kind == "scalable target"}
    assert targets == {"endpoint/shared/variant/AllTraffic", "endpoint/shared/variant/challenger"}

    for variant, answer in (("AllTraffic", "[0]"), ("challenger", "the challenger")):
        told = invoke(sandbox.client, "shared", replace(FLOWER, target_variant=variant))
        assert (told.variant, told.text) == (variant, answer)
        status, out, err = run("invoke", "shared", "--variant", variant, "--body", body)
        assert (status, out.strip(), f"variant {variant}" in err) == (0, answer, True)
    seen = Counter()
    while len(seen) < 2 and seen.total() < MOST:
        seen[invoke(sandbox.client, "shared", FLOWER).variant] += 1
    assert set(seen) == {"AllTraffic", "challenger"}

    (challenger,) = request_of_two.variants
    turned = replace(request_of_two, weight=1.0, variants=(replace(challenger, weight=3.0),))
    assert launch(stacks, planned(turned)).phase is Phase.LIVE
    assert weights(sandbox) == {"AllTraffic": 1, "challenger": 3}
    assert stacks.verify(planned(turned)) == ()

    sandbox.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName="shared", DesiredWeightsAndCapacities=[{"VariantName": "challenger", "DesiredWeight": 0}]
    )
    sandbox.client("sagemaker").get_waiter("endpoint_in_service").wait(
        EndpointName="shared", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    (difference,) = stacks.verify(planned(turned))
    assert str(difference) == ("Endpoint ProductionVariants.challenger.CurrentWeight: asked for 3.0, but it is 0")

    alone = replace(turned, weight=None, variants=())
    with pytest.raises(InputError) as refused:
        stacks.propose(planned(alone), by="ada")
    assert [problem.path for problem in refused.value.problems] == ["$.update", "$.variants"]
    fixed = replace(turned, variants=(replace(turned.variants[0], max_instances=1),))
    assert launch(stacks, planned(fixed)).phase is Phase.LIVE
    assert launch(stacks, planned(replace(alone, update=None))).phase is Phase.LIVE
    assert set(weights(sandbox)) == {"AllTraffic"}
    assert stacks.verify("shared") == ()
    end(stacks, "shared")
    assert account.holds() == before


def test_what_is_wrong_with_a_variants_model_is_named_with_its_place(hosting, tmp_path):
    asked = read_request(REQUEST.format(folder=tmp_path / "nothing"))
    with pytest.raises(InputError, match=r"does not exist.*@ \$\.variants\[0\]\.model\.source"):
        resolve(asked, hosting.sandbox.client)
