import csv
from importlib.resources import files

import pytest

from fitness import limits
from fitness.errors import FitnessError, InputError
from fitness.options import OPTIONS

# What a gate asks of every option, whatever the workload declares.
EVERYWHERE = (
    "payload_in",
    "processing_s",
    "streaming_s",
    "synchronous",
    "cold_start",
    "scale_to_zero",
    "gpu",
    "inferentia",
    "containers_max",
    "frameworks",
    "chain",
    "graph",
    "independent",
    "multi_model_stages",
    "vpc",
    "network_isolation",
    "data_capture",
    "outside_aws",
)
REAL_TIME_FAMILY = (
    "real_time",
    "mme",
    "mme_gpu",
    "mce_direct",
    "serial_pipeline",
    "triton_ensemble",
)
CAPABILITIES = {
    "synchronous",
    "cold_start",
    "scale_to_zero",
    "gpu",
    "inferentia",
    "frameworks",
    "chain",
    "graph",
    "graph_in_code",
    "independent",
    "vpc",
    "network_isolation",
    "data_capture",
    "outside_aws",
    "dataset",
    "own_container",
}
HEADER = "option,limit,value,unit,profile,status,as_of,source,note\n"
GOOD = "batch,payload_in,100,MB,both,current,2026,a page,\n"


def value(option, name, profile):
    row = limits.limit(option, name, profile)
    return None if row is None else row.value


def test_every_row_has_a_value_a_known_status_a_source_and_a_date():
    rows = limits.register()
    assert len(rows) > 250
    for row in rows:
        assert row.value != ""
        assert row.status in limits.STATUSES
        assert row.source.strip(), row
        assert any(year in row.as_of for year in ("2022", "2023", "2024", "2025", "2026")), row
        assert row.profiles <= set(limits.PROFILES), row
        assert row.profiles, row


def test_every_number_has_a_unit_and_no_text_but_a_list_of_sizes_has_one():
    for row in limits.register():
        if row.number is not None:
            assert row.unit, row
        elif row.limit != "memory_sizes_mb":
            assert not row.unit, row


def test_a_unit_in_the_id_is_the_unit_of_the_value():
    for row in limits.register():
        for suffix, unit in (("_s", "s"), ("_gb", "GB"), ("_mb", "MB")):
            if row.limit.endswith(suffix) and row.number is not None:
                assert row.unit == unit, row


def test_capabilities_say_yes_or_no():
    for row in limits.register():
        if row.limit in CAPABILITIES:
            assert row.value in {"yes", "no"}, row


def test_a_derived_row_gives_its_reasoning():
    for row in limits.register():
        if row.status in {"derived", "disputed", "unverified"}:
            assert row.note, row


def test_rows_of_today_do_not_stand_on_superseded_statements():
    for row in limits.register():
        assert not ("current" in row.profiles and row.status == "superseded"), row


@pytest.mark.parametrize("profile", limits.PROFILES)
@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_answers_what_every_gate_asks(option, profile):
    missing = [name for name in EVERYWHERE if limits.limit(option, name, profile) is None]
    assert missing == []


@pytest.mark.parametrize(
    ("option", "name", "article", "current"),
    [
        ("real_time", "payload_in", 6, 25),
        ("real_time", "payload_in_certain", None, 6),
        ("real_time", "streaming_s", "no", 480),
        ("real_time", "scale_to_zero", "no", "yes"),
        ("real_time", "scale_to_zero_with", None, "inference components"),
        ("real_time", "processing_s", 60, 60),
        ("async", "processing_s", 900, 3600),
        ("async", "payload_in", 1024, 1024),
        ("async", "payload_inline", "no", 0.128),
        ("async", "synchronous", "no", "no"),
        ("batch", "payload_in", 100, 100),
        ("batch", "payload_default_mb", 6, 6),
        ("batch", "processing_s", 3600, 3600),
        ("batch", "dataset", "yes", "yes"),
        ("batch", "network_isolation", "no", "no"),
        ("serverless", "payload_in", 4, 4),
        ("serverless", "provisioned_concurrency", "no", 200),
        ("serverless", "concurrency", 200, 200),
        ("serverless", "concurrency_account_large", 1000, 1000),
        ("serverless", "concurrency_account_other", 500, 500),
        ("serverless", "endpoints_per_region", 50, 50),
        ("serverless", "memory_mb", 6144, 6144),
        ("serverless", "disk_gb", 5, 5),
        ("serverless", "image_gb", 10, 10),
        ("serverless", "gpu", "no", "no"),
        ("mme", "frameworks", "no", "no"),
        ("mme_gpu", "frameworks", "yes", "yes"),
        ("mce_direct", "containers_min", 2, 2),
        ("mce_direct", "containers_max", 15, 15),
        ("mce_direct", "chain", "no", "no"),
        ("mce_direct", "gpu", "no", "no"),
        ("serial_pipeline", "graph", "no", "no"),
        ("serial_pipeline", "multi_model_stages", 1, 1),
        ("triton_ensemble", "graph", "yes", "yes"),
        ("azure_functions", "processing_s", 230, 230),
        ("azure_functions", "payload_in", 100, 210),
        ("azure_functions", "payload_in_certain", None, 100),
        ("azure_functions", "memory_mb", 1536, 4096),
    ],
)
def test_a_limit_of_each_profile(option, name, article, current):
    assert value(option, name, "article") == article
    assert value(option, name, "current") == current


@pytest.mark.parametrize("option", REAL_TIME_FAMILY)
def test_everything_on_a_real_time_endpoint_has_its_payload_and_time(option):
    for name in ("payload_in", "payload_out", "payload_in_certain", "processing_s"):
        for profile in limits.PROFILES:
            assert value(option, name, profile) == value("real_time", name, profile)


def test_the_undisputed_payload_is_the_body_of_the_api_model():
    row = limits.limit("real_time", "payload_in_certain", "current")
    assert row.number * 2**20 == 6_291_456
    assert "botocore" in row.source


def test_async_data_capture_was_excluded_and_is_disputed_today():
    assert limits.limit("async", "data_capture", "article").status == "era-2022-23"
    assert limits.limit("async", "data_capture", "current").status == "disputed"


def test_only_azure_runs_outside_aws():
    for profile in limits.PROFILES:
        outside = [option for option in OPTIONS if value(option, "outside_aws", profile) == "yes"]
        assert outside == ["azure_functions"]


def test_gpu_types_of_a_multi_model_endpoint_are_the_single_gpu_sizes():
    types = value("mme_gpu", "gpu_instance_types", "current").split()
    assert len(types) == 12
    assert "ml.g5.12xlarge" not in types  # four GPUs
    assert {"ml.p3.2xlarge", "ml.g4dn.xlarge", "ml.g5.16xlarge"} <= set(types)


def test_serverless_memory_sizes_end_at_the_largest_memory():
    sizes = [int(size) for size in value("serverless", "memory_sizes_mb", "current").split()]
    assert sizes == [1024, 2048, 3072, 4096, 5120, 6144]


def test_rows_of_an_option_are_those_of_the_profile():
    article = {row.limit: row for row in limits.for_option("async", "article")}
    current = {row.limit: row for row in limits.for_option("async", "current")}
    assert {row.option for row in article.values()} == {"async"}
    assert article["processing_s"].number == 900
    assert current["processing_s"].number == 3600
    assert article["queue_s"] is current["queue_s"]


@pytest.mark.parametrize(
    ("arguments", "path", "given"),
    [
        (("realtime", "gpu", "current"), "option", "'realtime'"),
        (("real_time", "gpus", "current"), "limit", "'gpus'"),
        (("real_time", "gpu", "today"), "limits", "'today'"),
    ],
)
def test_an_unknown_name_is_reported_with_the_known_ones(arguments, path, given):
    with pytest.raises(InputError, match=given) as caught:
        limits.limit(*arguments)
    assert [problem.path for problem in caught.value.problems] == [path]
    assert "expected one of" in str(caught.value)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (GOOD.replace("batch,", "bacth,"), "line 2: option 'bacth'"),
        (GOOD.replace("payload_in,", "payload,"), "line 2: limit 'payload'"),
        (GOOD.replace("both", "all"), "line 2: profile 'all'"),
        (GOOD.replace(",current,", ",maybe,"), "line 2: status 'maybe'"),
        (GOOD.replace(",100,", ",,"), "line 2: value is empty"),
        (GOOD.replace("a page", ""), "line 2: source is empty"),
        (GOOD.replace("2026", ""), "line 2: as_of is empty"),
        (GOOD + GOOD.replace("both", "article"), "line 3: batch payload_in is given twice"),
    ],
)
def test_a_bad_row_is_refused_with_its_line(row, message):
    with pytest.raises(FitnessError, match=message):
        limits.parse(HEADER + row)


def test_a_good_row_reads_into_a_limit():
    (row,) = limits.parse(HEADER + GOOD)
    assert (row.value, row.text, row.profiles) == (100.0, "100 MB", {"article", "current"})
    assert row.title == "Request payload"


def test_one_of_a_thing_is_named_in_the_singular():
    row = limits.limit("real_time", "containers_max", "current")
    assert row.text == "1 container"


def test_text_names_every_row_with_its_date_and_source_within_120_characters():
    text = limits.as_text()
    lines = text.splitlines()
    assert max(map(len, lines)) <= limits.TEXT_WIDTH
    table = lines[1 : lines.index("")]
    heads = [line for line in table if not line.startswith(" ")]
    assert len(heads) == len(limits.register())
    start = lines[0].index("as of")
    for head, row in zip(heads, limits.register(), strict=True):
        assert head.split()[:2] == [row.option, row.limit]
        assert head[start:].startswith(row.as_of)
    joined = " ".join(text.split())
    for row in limits.register():
        for source in row.sources:
            assert source in joined


def test_the_numbered_source_of_a_row_is_its_own():
    lines = limits.as_text("serverless").splitlines()
    head = next(line for line in lines if line.startswith("serverless ") and " disk_gb " in line)
    number = head.split()[-1]
    source = next(line for line in lines if line.startswith(f"{number:>3}  "))
    assert source.endswith("doc_source/serverless-endpoints.md")


def test_text_of_one_option_has_its_rows_and_notes_only():
    text = limits.as_text("azure_functions")
    assert "idle time-out of Azure Load Balancer" in text
    assert "real_time" not in text
    with pytest.raises(InputError, match="azure"):
        limits.as_text("azure")


def test_every_name_is_used_and_explained():
    text = files("fitness").joinpath("data/limit_names.csv").read_text(encoding="utf-8")
    names = [row["limit"] for row in csv.DictReader(text.splitlines())]
    assert names == list(limits.NAMES)
    assert set(names) == {row.limit for row in limits.register()}
    for name in limits.NAMES.values():
        assert name.title, name
        assert name.meaning.endswith((".", "?")), name
    assert len({name.title for name in limits.NAMES.values()}) == len(names)
