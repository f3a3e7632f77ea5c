import json
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fitness import document, workload_file
from fitness.errors import InputError
from fitness.fields import FIELDS
from fitness.workload import Workload
from tests import fuzz_documents
from tests.strategies import TEXTS, workloads

TOP_LEVEL = [
    "accelerator",
    "composition",
    "conditional_flow",
    "constraints",
    "description",
    "limits",
    "measured",
    "models",
    "multi_model_stages",
    "name",
    "objectives",
    "region",
    "request",
    "traffic",
    "version",
    "weights",
]
FULL = """\
version: 1
name: card-fraud
description: scores every card payment while the shopper waits
region: us-east-1

models:
  count: 1
  frameworks: same
  artifact_mb: 120
  memory_mb: 400
  image_gb: 1.3
  popularity: zipf:0.9
  containers: 1
  cpu_spread: 1

composition: single
multi_model_stages: 0
conditional_flow: false
accelerator: none

request:
  payload_in_mb: 0.01
  payload_out_mb: 0.001
  processing_ms: 20
  processing_cv: 0.5
  processing_distribution: lognormal
  measured_on: ml.c5.xlarge
  concurrency: 2
  synchronous: true
  streaming: false

traffic:
  pattern: diurnal
  rps_mean: 12
  rps_peak: 80
  idle_ratio: 0.0
  trace: arrivals.csv
  records_per_job: 0
  jobs_per_month: 0

objectives:
  latency_p95_ms: 100
  latency_p99_ms: 250
  deadline_s: 3600
  cold_start_ok: false
  cold_start_budget_s: 10
  monthly_budget_usd: 900
  cost_sensitivity: normal

constraints:
  vpc: false
  network_isolation: false
  data_capture: false
  outside_aws: false
  scale_to_zero: false

weights:
  cost: 1
  latency: 1
  throughput: 1
  scaling: 1
  traffic: 1

limits: current

measured:
  fields: "request.processing_ms=12.5"
  as_of: "2026-11-21"
  by: load test of endpoint card-fraud
"""


def problems(text):
    with pytest.raises(InputError) as caught:
        workload_file.read(text)
    return [str(problem) for problem in caught.value.problems]


def test_the_full_file_comes_back_byte_for_byte():
    workload = workload_file.read(FULL)
    assert len(workload.declared()) == len(FIELDS)
    assert workload_file.write(workload) == FULL


def test_a_file_says_what_other_yaml_readers_understand():
    assert workload_file.to_dict(workload_file.read(FULL)) == yaml.safe_load(FULL)


def test_json_has_the_same_keys_in_the_same_order():
    workload = workload_file.read(FULL)
    text = workload_file.write_json(workload)
    assert json.loads(text) == yaml.safe_load(FULL)
    assert workload_file.read(text) == workload
    assert workload_file.write_json(workload_file.read(text)) == text


def test_comments_say_the_unit_and_are_ignored_on_reading():
    workload = workload_file.read(FULL)
    text = workload_file.write(workload, comments=True)
    assert "  rps_peak: 80  # requests/s: Requests per second in the busiest minute\n" in text
    assert "  pattern: diurnal  # steady, diurnal, spiky, intermittent or scheduled\n" in text
    assert workload_file.read(text) == workload


@given(workloads())
@settings(max_examples=300)
def test_nothing_is_lost_on_the_way_through_a_file(workload):
    for text in (
        workload_file.write(workload),
        workload_file.write(workload, comments=True),
        workload_file.write_json(workload),
    ):
        for source in (text, text.encode()):
            again = workload_file.read(source)
            assert again == workload
            assert repr(again.declared()) == repr(workload.declared())  # 12 stays 12, 12.0 stays 12.0
    assert workload_file.write(workload_file.read(workload_file.write(workload))) == workload_file.write(workload)
    assert workload_file.from_dict(workload_file.to_dict(workload)) == workload


@given(st.one_of(TEXTS, st.text(":#-,'\"&*!|>%@`{}[]?~ nul0x1e.5yesof", min_size=1)).filter(str.strip))
@settings(max_examples=500)
def test_any_text_survives_yaml_also_in_other_readers(name):
    text = workload_file.write(Workload(name=name))
    assert workload_file.read(text).name == name
    assert yaml.safe_load(text)["name"] == name


@pytest.mark.parametrize(
    "word", ["no", "Yes", "off", "null", "~", "1e3", "12:30", "0x1F", "2024-01-01", ".nan", "a: b"]
)
def test_a_name_that_looks_like_another_kind_of_value_stays_text(word):
    text = workload_file.write(Workload(name=word))
    assert document.load(text)["name"] == word
    assert yaml.safe_load(text)["name"] == word


@given(st.floats(1e-9, 1e6))
def test_any_number_survives_yaml_also_in_other_readers(number):
    text = workload_file.write(Workload(name="x").replace({"traffic.rps_peak": number}))
    assert yaml.safe_load(text)["traffic"]["rps_peak"] == number


def test_a_whole_number_may_be_written_with_a_point():
    assert repr(workload_file.read("name: x\nmodels: {count: 3.0}").models.count) == "3"


def test_an_empty_version_is_version_1():
    assert workload_file.read("name: x\nversion:").version == 1


def test_the_dict_holds_plain_values_only():
    content = workload_file.to_dict(workload_file.read(FULL))
    leaves = [leaf for part in content.values() for leaf in (part.values() if isinstance(part, dict) else [part])]
    assert {type(leaf) for leaf in leaves} == {str, int, float, bool}


def test_only_declared_fields_are_written():
    workload = workload_file.read("name: x\ntraffic:\nmodels: {count: 3, memory_mb: }\nregion: null")
    assert workload_file.write(workload) == "version: 1\nname: x\n\nmodels:\n  count: 3\n"


def test_every_wrong_field_is_reported_at_once_with_its_path():
    text = """
version: 2
nam: x
models: 3
traffic: {rps_peek: 3, rps_mean: '12', idle_ratio: .nan, rps_peak: -3}
request: {synchronous: 1, measured_on: ml.c5.xlrge}
rps_peak: 1
"my key": 2
"""
    assert problems(text) == [
        "is not a known field; did you mean name? @ $.nam",
        "must be a mapping such as {count: 1}, got 3 @ $.models",
        "is not a known field; did you mean rps_peak? @ $.traffic.rps_peek",
        "is not a known field; did you mean traffic.rps_peak? @ $.rps_peak",
        f'is not a known field; known here: {", ".join(TOP_LEVEL)} @ $["my key"]',
        "is missing: every workload needs a name @ $.name",
        "must be 1, got 2 @ $.version",
        "must be true or false, got 1 @ $.request.synchronous",
        'must be a number without quotes, got "12" @ $.traffic.rps_mean',
        "must be > 0, got -3 @ $.traffic.rps_peak",
        "must be a finite number, got nan @ $.traffic.idle_ratio",
        'must be a known instance type (did you mean ml.c5.xlarge?), got "ml.c5.xlrge" @ $.request.measured_on',
    ]


@pytest.mark.parametrize("text", ["- name: x", "just text", "3", '["a"]', "true"])
def test_a_document_that_is_no_mapping_is_refused(text):
    (problem,) = problems(text)
    assert problem.startswith("must be a mapping with at least `name`, got ")
    assert problem.endswith(" @ $")


def test_a_section_with_a_dotted_key_is_not_read_as_a_path():
    assert problems("name: x\ntraffic.rps_peak: 3") == [
        'is not a known field; did you mean traffic.rps_peak? @ $["traffic.rps_peak"]'
    ]


def test_a_flood_of_unknown_keys_is_counted_not_listed():
    flood = problems("name: x\n" + "\n".join(f"key_{number}: 1" for number in range(5000)))
    assert len(flood) == workload_file.MAX_UNKNOWN + 1
    assert flood[-1] == "has 4950 more fields that are not known @ $"


def read_or_problems(text):
    try:
        return workload_file.read(text)
    except InputError as err:
        return err.problems


@pytest.mark.timeout(120)
def test_malformed_documents_give_problems_with_paths_and_never_hang():
    refused = accepted = 0
    for text in fuzz_documents.documents(seed=2, n=1500):
        began = time.process_time()
        found = read_or_problems(text)
        assert time.process_time() - began < 2, text[:200]
        if isinstance(found, Workload):
            accepted += 1
            assert workload_file.read(workload_file.write(found)) == found
        else:
            refused += 1
            assert found
            assert all(problem.path.startswith("$") for problem in found)
            assert all(len(str(problem).encode()) < 600 for problem in found)
    assert refused > 1000
    assert accepted > 20  # some mutations are harmless, or the generator makes nothing near a valid file


def test_the_fuzzer_repeats_itself():
    first = list(fuzz_documents.documents(seed=1, n=60))
    assert first == list(fuzz_documents.documents(seed=1, n=60))
    assert first != list(fuzz_documents.documents(seed=2, n=60))
