"""A usage document is read whole, priced by what is known, and refused with every reason at once."""

import json
import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitness import usage
from fitness.errors import InputError
from fitness.prices import load_book
from fitness.usage_azure import AZURE_PLANS
from fitness.usage_items import USAGES

BOOK = load_book()


def priced(item, *, region="us-east-1", free_tier=False):
    document = {"region": region, "free_tier": free_tier, "items": [item]}
    return usage.bill(json.dumps(document), BOOK)


def quantities(item):
    return {line.item: line.quantity for line in priced(item).lines}


def refusal(text):
    with pytest.raises(InputError) as caught:
        usage.bill(text, BOOK)
    return str(caught.value)


def wrong(item):
    return refusal(json.dumps({"items": [item]}))


@pytest.mark.parametrize("component", ["hosting", "async", "batch_transform", "processing", "training", "notebook"])
def test_instances_are_metered_by_the_hour(component):
    item = {"usage": component, "instance_type": "ml.m5.xlarge", "instances": 3, "hours": 10.5}
    assert quantities(item) == {f"{component}/ml.m5.xlarge": Decimal("31.5")}
    assert priced(item).total == Decimal("7.25")  # 31.5 x 0.23 = 7.245, half up


def test_one_instance_is_meant_where_none_is_said():
    assert quantities({"usage": "hosting", "instance_type": "ml.m5.xlarge", "hours": 2}) == {
        "hosting/ml.m5.xlarge": Decimal(2)
    }


def test_serverless_is_metered_in_seconds_and_data_only_where_stated():
    item = {"usage": "serverless", "memory_mb": 3072, "requests": 1000, "duration_ms": 12.5}
    assert quantities(item) == {"serverless/duration/3072": Decimal("12.5")}
    assert quantities({**item, "data_gb": 2}) == {
        "serverless/duration/3072": Decimal("12.5"),
        "serverless/data_in": Decimal(2),
    }


def test_provisioned_concurrency_meters_units_while_enabled_and_what_they_serve():
    item = {"usage": "provisioned_concurrency", "memory_mb": 2048, "units": 2, "hours": 1.5}
    assert quantities(item) == {"provisioned_concurrency/usage/2048": Decimal(10800)}
    served = quantities({**item, "requests": 1e3, "duration_ms": 100, "data_gb": 1})
    assert served == {
        "provisioned_concurrency/usage/2048": Decimal(10800),
        "provisioned_concurrency/duration/2048": Decimal(100),
        "serverless/data_in": Decimal(1),
    }


def test_provisioned_concurrency_of_another_size_is_missing_and_not_guessed():
    made = priced({"usage": "provisioned_concurrency", "memory_mb": 4096, "units": 1, "hours": 1})
    assert made.missing == ("provisioned_concurrency/usage/4096",)


def test_storage_month_has_730_hours():
    assert quantities({"usage": "storage", "of": "hosting", "gb": 5, "hours": 730}) == {"storage/hosting": Decimal(5)}
    assert quantities({"usage": "storage", "of": "notebook", "gb": 1, "hours": 1}) == {
        "storage/notebook": Decimal("0.001369863014")
    }


def test_athena_charges_at_least_10_mb_a_query():
    assert quantities({"usage": "athena", "tb_scanned": 1, "queries": 10}) == {"athena/scan": Decimal(1)}
    assert quantities({"usage": "athena", "tb_scanned": 0, "queries": 1048576}) == {"athena/scan": Decimal(10)}


def test_lambda_duration_is_spread_over_its_tiers():
    item = {"usage": "lambda", "requests": 16e9, "memory_mb": 1024, "duration_ms": 1000}
    assert quantities(item) == {
        "lambda/requests": Decimal(16000),
        "lambda/duration": Decimal(6 * 10**9),
        "lambda/duration/tier2": Decimal(9 * 10**9),
        "lambda/duration/tier3": Decimal(10**9),
    }
    assert priced(item).complete
    arm = priced({**item, "architecture": "arm64"})
    assert arm.missing == ("lambda/duration_arm64/tier2",)


def test_quantities_beyond_the_known_tier_are_missing():
    made = priced({"usage": "cloudwatch_metrics", "metrics": 10_001, "alarms": 0})
    assert (made.total, made.missing) == (Decimal("3000.00"), ("cloudwatch/metric/tier2",))
    made = priced({"usage": "s3", "gb": 51_201})
    assert made.missing == ("s3/storage/tier2",)


def test_requests_are_counted_in_the_units_of_their_price():
    assert quantities({"usage": "s3", "put_requests": 1500, "get_requests": 10}) == {
        "s3/put": Decimal("1.5"),
        "s3/get": Decimal("0.01"),
    }
    assert quantities({"usage": "step_functions", "transitions": 2500}) == {
        "step_functions/transitions": Decimal("2.5")
    }
    assert quantities({"usage": "cloudwatch_metrics", "get_metric_data": 500}) == {
        "cloudwatch/get_metric_data": Decimal("0.5")
    }


@pytest.mark.parametrize(
    ("memory_gb", "duration_ms", "gb_seconds"),
    [(0.5, 100, "0.05"), (0.5, 99, "0.05"), (0.501, 100, "0.0625"), (0, 0, "0.0125"), (0.125, 150.5, "0.0188125")],
)
def test_azure_consumption_rounds_memory_up_and_has_a_shortest_execution(memory_gb, duration_ms, gb_seconds):
    item = {"usage": "azure_functions", "plan": "consumption", "executions": 1}
    found = quantities({**item, "memory_gb": memory_gb, "duration_ms": duration_ms})
    assert found["azure_functions/consumption/duration"] == Decimal(gb_seconds)


def test_flex_plan_has_two_names():
    item = {"usage": "azure_functions", "executions": 1e6, "memory_gb": 2, "duration_ms": 10}
    assert quantities({**item, "plan": "flex"}) == quantities({**item, "plan": "flex_consumption"})


def test_azure_free_grant_is_shared_by_the_items_that_ask_for_it():
    item = {"usage": "azure_functions", "plan": "consumption", "executions": 8e5, "memory_gb": 0.5, "duration_ms": 100}
    one, two = ({**item, "free_grant": True} for _ in range(2))
    assert usage.bill(json.dumps({"items": [one]}), BOOK).total == 0
    assert usage.bill(json.dumps({"items": [one, two]}), BOOK).total == Decimal("0.12")  # 600,000 executions
    assert usage.bill(json.dumps({"items": [one, item]}), BOOK).total == Decimal("0.80")  # all of the second


def test_region_that_is_not_said_is_assumed_and_noted():
    made = usage.bill("items: [{usage: data_in, gb: 1}]", BOOK)
    assert (made.region, made.notes) == ("us-east-1", (usage.ASSUMED_REGION_NOTE,))
    azure = "{usage: azure_functions, plan: premium, vcpu: 1, memory_gb: 1, hours: 1}"
    assert usage.bill(f"items: [{azure}]", BOOK).region == "azure"


def test_region_without_prices_gives_an_incomplete_bill():
    made = priced({"usage": "data_in", "gb": 1}, region="mx-central-1")
    assert (made.total, made.missing) == (Decimal("0.00"), ("data_in",))


def test_bill_says_why_an_instance_type_has_no_price():
    text = "items: [{usage: hosting, instance_type: %s, hours: 1}]"
    assert usage.bill(text % "ml.m5.xlargee", BOOK).notes[-1] == (
        'ml.m5.xlargee is not a known instance type. Did you mean "ml.m5.xlarge"?'
    )
    assert usage.bill(text % "ml.t3.medium", BOOK).notes[-1] == "SageMaker takes no ml.t3.medium for hosting."


@pytest.mark.parametrize("number", ["1000000", "1e6", "1_000_000", "1000000.0", "1.0e+6", "10e5"])
def test_number_may_be_written_in_any_way(number):
    made = usage.bill(f"items: [{{usage: step_functions, transitions: {number}}}]", BOOK)
    assert made.lines[0].quantity == 1000


def test_every_wrong_field_is_reported_at_once_with_its_path():
    text = """
    region: Ireland
    free_teir: true
    items:
      - {usage: hosting, instance_type: m5.large, hours: -1, instances: yes}
      - {usage: severless, memory_mb: 1}
      - {usage: serverless, memory_mb: 2000, requests: "5", duration_ms: .nan, data_gb: .inf, colour: red}
      - 7
      - {usage: storage, of: tea, gb: 1e16, hours: null}
      - {usage: azure_functions, plan: consumption, executions: 1, memory_gb: 1, duration_ms: 1, free_grant: 1}
      - {usage: lambda, requests: 1, memory_mb: 64, duration_ms: 1, architecture: arm}
      - {usage: provisioned_concurrency, memory_mb: 2048, units: 1, hours: 1, requests: 1}
      - {usage: azure_functions, plan: flex, executions: 1, memory_gb: 1, duration_ms: 1, always_ready_share: 2}
      - {usage: s3}
      - {}
    """
    assert refusal(text).splitlines() == [
        'is not a known field; did you mean "free_tier"? @ $.free_teir',
        'must be a Region like "eu-west-1", got "Ireland" @ $.region',
        'must be an instance type like "ml.c5.xlarge", got "m5.large" @ $.items[0].instance_type',
        "must be a number, got true @ $.items[0].instances",
        "must be >= 0, got -1 @ $.items[0].hours",
        f'must be one of {", ".join(USAGES)}, got "severless"; did you mean "serverless"? @ $.items[1].usage',
        "is not a known field; expected one of memory_mb, requests, duration_ms, data_gb @ $.items[2].colour",
        "must be one of 1024, 2048, 3072, 4096, 5120, 6144, got 2000 @ $.items[2].memory_mb",
        'must be a number, got "5" @ $.items[2].requests',
        "must be a finite number, got nan @ $.items[2].duration_ms",
        "must be a finite number, got inf @ $.items[2].data_gb",
        "must be a mapping, got 7 @ $.items[3]",
        'must be one of hosting, training, processing, notebook, got "tea" @ $.items[4].of',
        "must be <= 1000000000000000, got 1e+16 @ $.items[4].gb",
        "is required @ $.items[4].hours",
        "must be true or false, got 1 @ $.items[5].free_grant",
        "must be >= 128, got 64 @ $.items[6].memory_mb",
        'must be one of x86_64, arm64, got "arm"; did you mean "arm64"? @ $.items[6].architecture',
        "is required with requests @ $.items[7].duration_ms",
        "must be <= 1, got 2 @ $.items[8].always_ready_share",
        "is required with always_ready_share @ $.items[8].always_ready_instances",
        "is required with always_ready_share @ $.items[8].hours",
        "must have at least one of gb, put_requests, get_requests @ $.items[9]",
        f"is required: one of {', '.join(USAGES)} @ $.items[10].usage",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the document is empty @ $"),
        ("5", "must be a mapping, got 5 @ $"),
        ("[]", "must be a mapping, got a list @ $"),
        ("region: us-east-1", "must be a list of at least one usage, got nothing @ $.items"),
        ("items: []", "must be a list of at least one usage, got an empty list @ $.items"),
        ("items: {usage: s3}", "must be a list of at least one usage, got a mapping @ $.items"),
        ("items: [{usage: s3, gb: 1, gb: 2}]", 'the key "gb" is given twice @ $.items[0].gb'),
    ],
)
def test_document_that_states_no_usage_is_refused(text, message):
    assert refusal(text) == message


def test_plan_is_required_for_azure():
    assert wrong({"usage": "azure_functions", "executions": 1}) == (
        f"is required: one of {', '.join(AZURE_PLANS)} @ $.items[0].plan"
    )


def test_document_that_is_all_wrong_is_told_so_briefly_and_soon():
    text = json.dumps({"items": [{"usage": "hosting", "hourz": 1}] * 4000})
    started = time.process_time()
    lines = refusal(text).splitlines()
    assert time.process_time() - started < 2
    assert len(lines) == usage.MAX_PROBLEMS + 1
    assert lines[-1] == "11900 more problems are not listed @ $"


def test_long_usage_is_priced_within_a_second():
    text = json.dumps({"items": [{"usage": "s3", "gb": n, "put_requests": n} for n in range(1, 4000)]})
    started = time.process_time()
    made = usage.bill(text, BOOK)
    made.as_text()
    assert time.process_time() - started < 1
    assert len(made.lines) == 7998


SOUND = {
    "instance_type": st.sampled_from(["ml.c5.large", "ml.m5.xlarge", "ml.m4.xlarge", "ml.z9.large"]),
    "memory_mb": st.sampled_from([1024, 2048, 4096, 6144]),
    "of": st.sampled_from(["hosting", "training", "processing", "notebook"]),
    "architecture": st.sampled_from(["x86_64", "arm64"]),
    "always_ready_share": st.floats(0, 1),
    "free_grant": st.booleans(),
}
NUMBER = st.integers(0, 10**12) | st.floats(0, 1e12)


@st.composite
def sound_items(draw):
    kind = draw(st.sampled_from(sorted(USAGES)))
    item = {"usage": kind}
    kinds = USAGES[kind]
    if kind == "azure_functions":
        item["plan"] = draw(st.sampled_from(sorted(AZURE_PLANS)))
        kinds = AZURE_PLANS[item["plan"]]
    return item | {figure.name: draw(SOUND.get(figure.name, NUMBER)) for figure in kinds.figures}


@settings(max_examples=200, deadline=None)
@given(st.lists(sound_items(), min_size=1, max_size=6), st.booleans())
def test_every_sound_usage_has_a_bill_that_adds_up(items, free_tier):
    made = usage.bill(json.dumps({"items": items, "free_tier": free_tier}), BOOK)
    answer = made.as_dict()
    assert Decimal(answer["total"]) == made.total >= 0
    assert answer["complete"] == (not answer["missing"])
    assert len(answer["lines"]) + sum(line.price is None for line in made.lines) == len(made.lines)
    assert made.as_text()


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["hosting", "serverless", "ml.m5.large", "", "x" * 200]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["usage", "hours", "gb", "memory_mb", "items", "\x1b", "région"]), inner, max_size=4
        )
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(ANYTHING, ANYTHING, ANYTHING)
def test_any_document_has_a_bill_or_a_clear_refusal(region, free_tier, item):
    problems = ["none"]
    try:
        usage.bill(json.dumps({"region": region, "free_tier": free_tier, "items": [item]}), BOOK)
    except InputError as err:
        problems = [str(problem) for problem in err.problems]
    assert problems
    assert all(len(problem) < 500 for problem in problems)
