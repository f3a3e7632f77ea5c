import numpy as np
import pytest

from fitness import fields
from fitness.errors import InputError
from fitness.fields import FIELDS, Kind

CONTRACT = """
version name description region models.count models.frameworks models.artifact_mb models.memory_mb
models.image_gb models.popularity models.containers models.cpu_spread composition multi_model_stages conditional_flow
accelerator request.payload_in_mb request.payload_out_mb request.processing_ms request.processing_cv
request.processing_distribution request.measured_on request.concurrency request.synchronous request.streaming
traffic.pattern traffic.rps_mean traffic.rps_peak traffic.idle_ratio traffic.trace traffic.records_per_job
traffic.jobs_per_month objectives.latency_p95_ms objectives.latency_p99_ms objectives.deadline_s
objectives.cold_start_ok objectives.cold_start_budget_s objectives.monthly_budget_usd objectives.cost_sensitivity
constraints.vpc constraints.network_isolation constraints.data_capture constraints.outside_aws
constraints.scale_to_zero weights.cost weights.latency weights.throughput weights.scaling weights.traffic
limits measured.fields measured.as_of measured.by
"""


def complaint(path, value):
    one = fields.field(path)
    return one.complaint(one.normalised(value))


def test_the_table_has_the_leaves_of_version_1_in_the_order_of_the_file():
    assert [one.path for one in FIELDS] == CONTRACT.split()


@pytest.mark.parametrize("one", FIELDS, ids=lambda one: one.path)
def test_a_field_is_described_and_its_example_is_valid(one):
    assert one.title[0].isupper()
    assert one.help.endswith(".")
    assert one.absent.endswith(".")
    assert one.allowed
    assert one.example is not None
    assert one.complaint(one.normalised(one.example)) is None


@pytest.mark.parametrize(
    "one", [one for one in FIELDS if one.kind in (Kind.NUMBER, Kind.INTEGER)], ids=lambda o: o.path
)
def test_a_number_takes_its_bounds_and_nothing_beyond_them(one):
    assert one.complaint(one.normalised(one.maximum)) is None
    assert one.complaint(one.maximum + 1) is not None
    assert one.complaint(one.minimum - 1) is not None
    assert (one.complaint(one.normalised(one.minimum)) is None) is not one.exclusive_minimum
    if one.usual is not None:
        low, high = one.usual
        assert one.minimum <= low < high <= one.maximum
        assert not (one.exclusive_minimum and low == one.minimum)


@pytest.mark.parametrize("one", FIELDS, ids=lambda one: one.path)
def test_unknown_is_never_wrong(one):
    assert one.complaint(None) is None


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("traffic.rps_peak", -3, "must be > 0, got -3"),
        ("traffic.rps_peak", 0, "must be > 0, got 0"),
        ("traffic.rps_peak", 2e6, "must be <= 1000000, got 2000000.0"),
        ("traffic.rps_peak", "80", 'must be a number without quotes, got "80"'),
        ("traffic.rps_peak", "many", 'must be a number, got "many"'),
        ("traffic.rps_peak", True, "must be a number, got true"),
        ("traffic.rps_peak", [1], "must be a number, got a list"),
        ("traffic.rps_peak", float("nan"), "must be a finite number, got nan"),
        ("traffic.rps_peak", float("inf"), "must be a finite number, got inf"),
        ("traffic.rps_peak", 5e-324, "must be >= 1e-09, got 5e-324"),
        ("traffic.rps_mean", 5e-324, "must be 0 or >= 1e-09, got 5e-324"),
        ("traffic.idle_ratio", 1.01, "must be <= 1, got 1.01"),
        ("models.count", 0, "must be >= 1, got 0"),
        ("models.count", 1.5, "must be a whole number, got 1.5"),
        ("version", 2, "must be 1, got 2"),
        ("version", "1", 'must be a number without quotes, got "1"'),
        ("request.synchronous", 1, "must be true or false, got 1"),
        ("request.synchronous", "yes", 'must be true or false, got "yes"'),
        ("accelerator", "GPU", 'must be one of gpu, inferentia, none (did you mean gpu?), got "GPU"'),
        ("accelerator", "tpu-v9000", 'must be one of gpu, inferentia, none, got "tpu-v9000"'),
        ("accelerator", None, None),
        ("accelerator", ["gpu"], "must be one of gpu, inferentia, none, got a list"),
        ("region", "US", 'must look like us-east-1, got "US"'),
        ("region", "ukwest", None),
        ("region", "us-east-1\n", 'must hold no control characters or line breaks, got "us-east-1\\n"'),
        ("name", "  ", 'must not be empty, got "  "'),
        ("name", 12, "must be text (in quotes), got 12"),
        ("name", "a\nb", 'must hold no control characters or line breaks, got "a\\nb"'),
        ("name", "x" * 201, f'must have at most 200 characters, got "{"x" * 59}…"'),
        ("name", "\ud800", 'must hold no control characters or line breaks, got "\\ud800"'),
        ("description", "a\nb\t", None),
        ("description", "a\x00", 'must hold no control characters, got "a\\u0000"'),
        ("request.measured_on", "c5.xlarge", 'must look like ml.c5.xlarge, got "c5.xlarge"'),
        ("models.popularity", "uniform", None),
        ("models.popularity", "zipf:0", None),
        ("models.popularity", "zipf:11", 'must have an exponent from 0 to 10, got "zipf:11"'),
        ("models.popularity", "zipf", 'must be hot:SHARE, uniform or zipf:S (as zipf:0.9), got "zipf"'),
        ("models.popularity", "zipf:nan", 'must be hot:SHARE, uniform or zipf:S (as zipf:0.9), got "zipf:nan"'),
        ("models.popularity", "uniform:1", 'must be hot:SHARE, uniform or zipf:S (as zipf:0.9), got "uniform:1"'),
        ("models.popularity", "hot:0.1", 'must have a share from 0.2 (all models alike) to 1, got "hot:0.1"'),
        ("models.popularity", "hot:1", None),
        ("models.popularity", 0.9, "must be hot:SHARE, uniform or zipf:S (as zipf:0.9), got 0.9"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(path, value, message):
    assert complaint(path, value) == message


def test_numbers_keep_what_they_were_and_whole_fields_become_whole():
    peak, count = fields.field("traffic.rps_peak"), fields.field("models.count")
    assert repr(peak.normalised(12)) == "12"
    assert repr(peak.normalised(12.0)) == "12.0"
    assert repr(peak.normalised(np.float64(12.5))) == "12.5"
    assert repr(count.normalised(12.0)) == "12"
    assert repr(count.normalised(np.int64(12))) == "12"
    assert count.normalised(True) is True


def test_an_unknown_path_is_refused_with_the_nearest():
    with pytest.raises(InputError) as caught:
        fields.field("traffic.rps_peek")
    assert str(caught.value) == "is not a known field; did you mean rps_peak? @ $.traffic.rps_peek"


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("nam", "did you mean name?"),
        ("modles", "did you mean models?"),
        ("rps_mean", "did you mean traffic.rps_mean?"),
        ("request.rps_mean", "did you mean traffic.rps_mean?"),
        ("latency_p99", "did you mean objectives.latency_p99_ms?"),
        ("traffic.zzz", "known here: idle_ratio, jobs_per_month, pattern"),
        ("zzz", "known here: accelerator, composition"),
        ("nowhere.zzz", "known here: constraints, measured, models"),
    ],
)
def test_an_unknown_key_gets_the_nearest_known_one(key, hint):
    assert hint in fields.unknown(key, f"$.{key}").message
