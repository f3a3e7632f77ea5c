"""The command line: what it prints, its exit status, and that nothing ever ends in a traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fitness import cli
from fitness.options import OPTIONS
from tests.fuzz_commands import runs

ROOT = Path(__file__).parents[3]
WORKLOADS = ROOT / "tests" / "golden" / "workloads"
CARD = str(WORKLOADS / "rt_card_fraud.yaml")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    status = cli.main(arguments)
    out, err = capsys.readouterr()
    return status, out, err


def test_recommend_answers_as_the_contract_says(capsys):
    status, out, _ = run(capsys, "recommend", CARD, "--json")
    answer = json.loads(out)
    assert status == 0
    assert set(answer) >= {"workload", "limits", "prices_as_of", "verdict", "options", "pareto", "flips"}
    assert set(answer["verdict"]) >= {"option", "confidence", "probability_best", "close_to", "ask_next"}
    first = answer["options"][0]
    assert set(first) >= {
        "option", "status", "score", "fitness", "configuration", "monthly_usd", "usd_per_1k_requests", "latency_ms",
        "late_ratio", "dropped_ratio", "cold_ratio", "cache_hit_ratio", "grade", "gates", "assumed", "reasons", "to_win",
    }  # fmt: skip
    assert set(first["gates"][0]) >= {"limit", "allowed", "unit", "asked", "passes", "source", "as_of"}
    assert answer["verdict"]["option"] == first["option"] == "real_time"


def test_the_limits_of_the_article_gate_on_request(capsys):
    workload = str(WORKLOADS / "rt_payload_12mb.yaml")
    now = json.loads(run(capsys, "recommend", workload, "--json")[1])
    status, out, _ = run(capsys, "recommend", workload, "--json", "--limits", "article")
    then = json.loads(out)
    assert (now["limits"], then["limits"]) == ("current", "article")
    assert status == 3
    assert then["verdict"]["option"] is None


@pytest.mark.parametrize("extra", [(), ("--csv",), ("--record",)])
def test_recommend_reads_well_in_every_form(capsys, extra):
    status, out, err = run(capsys, "recommend", CARD, *extra)
    assert status == 0
    assert not err
    assert all(option.title in out or option.id in out for option in OPTIONS.values())


def test_a_bill_adds_up_and_names_the_origin_of_every_price(capsys):
    status, out, _ = run(capsys, "bill", CARD, "--option", "real_time", "--instance", "ml.c5.xlarge", "--json")
    bill = json.loads(out)
    assert status == 0
    assert bill["configuration"]["instance_type"] == "ml.c5.xlarge"
    assert sum(float(line["usd"]) for line in bill["lines"]) == pytest.approx(float(bill["total"]), abs=0.005)
    assert all(line["source"] and line["as_of"] and line["grade"] for line in bill["lines"])


def test_a_bill_of_an_option_that_can_not_run_says_so(capsys):
    status, out, err = run(capsys, "bill", CARD, "--option", "async")
    assert status == 3
    assert "Not feasible" in out + err


def test_price_prints_the_published_example(capsys, tmp_path):
    usage = tmp_path / "usage.yaml"
    usage.write_text(
        "region: us-east-1\nitems:\n"
        "  - {usage: serverless, memory_mb: 2048, requests: 10000000, duration_ms: 100, data_gb: 10}\n"
    )
    status, out, _ = run(capsys, "price", str(usage), "--json")
    assert status == 0
    assert json.loads(out)["total"] == "40.16"


def test_limits_prices_and_presets_list_what_there_is(capsys):
    assert "serverless" in run(capsys, "limits", "--option", "serverless")[1]
    assert "hosting/ml.c5.xlarge" in run(capsys, "prices", "--region", "us-east-1")[1]
    listing = run(capsys, "presets")[1]
    assert "card-fraud" in listing
    assert run(capsys, "presets", "card-fraud")[1].startswith("version: 1\nname: card-fraud\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("recommend", "no-such-file.yaml"), "can't be read"),
        (("recommend", CARD, "--config", "[1]"), "must be a mapping"),
        (("recommend", CARD, "--config", '{"instance_type": 5}'), "$.config.instance_type"),
        (("recommend", CARD, "--priors", '{"nothing": 1}'), "$.priors.nothing"),
        (("bill", CARD, "--option", "real_time", "--config", '{"memory_mb": 2048}'), "is no setting of real_time"),
        (("prices", "--region", "mars-1"), "--region"),
        (("presets", "none-such"), "none-such"),
        (
            (
                "bill",
                CARD,
                "--option",
                "real_time",
                "--instance",
                "ml.c5.large",
                "--config",
                '{"instance_type": "ml.m5.large"}',
            ),
            "--instance",
        ),
    ],
)
def test_bad_input_ends_with_status_2_and_a_reason(capsys, arguments, says):
    status, out, err = run(capsys, *arguments)
    assert status == 2
    assert not out
    assert says in err
    assert "Traceback" not in err


def test_every_wrong_field_is_named_at_once(capsys, tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("version: 1\nname: x\ntraffic: {rps_peak: -3, patern: steady}\nmodels: {count: 0}\n")
    status, _, err = run(capsys, "recommend", str(wrong))
    assert status == 2
    assert "must be > 0, got -3 @ $.traffic.rps_peak" in err
    assert "$.traffic.patern" in err
    assert "pattern" in err
    assert "$.models.count" in err


def test_a_trace_is_read_beside_the_workload_file(capsys, tmp_path):
    (tmp_path / "arrivals.csv").write_text("count\n" + "\n".join("120" for _ in range(1440)) + "\n")
    workload = tmp_path / "traced.yaml"
    workload.write_text(
        "version: 1\nname: traced\nrequest: {processing_ms: 20, synchronous: true}\ntraffic: {trace: arrivals.csv}\n"
    )
    status, out, _ = run(capsys, "recommend", str(workload), "--json")
    assert status == 0
    assert "traffic.rps_mean" not in json.loads(out)["options"][0]["assumed"]
    workload.write_text(workload.read_text().replace("arrivals.csv", "missing.csv"))
    assert run(capsys, "recommend", str(workload))[0] == 2


def test_malformed_documents_end_in_a_message():
    bad = [one for one in runs(seed=3, count=120) if not one.is_sound]
    assert not bad, bad[0]


def test_the_real_command_refuses_binary_without_a_traceback():
    done = subprocess.run(
        [sys.executable, "-m", "fitness", "recommend", "-"],
        input=bytes(range(256)),
        cwd=ROOT,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert done.stderr.strip()


@pytest.mark.parametrize(
    ("redirection", "status", "says"),
    [
        (">&-", 1, b"standard output is closed"),
        ("> /dev/full", 1, b"No space left on device"),
        ("- <&-", 2, b"standard input is closed"),
    ],
)
def test_streams_that_are_closed_or_full_end_in_a_message(redirection, status, says):
    command = "presets" if redirection.startswith(">") else "price"
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec {sys.executable} -m fitness {command} {redirection}"],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status
    assert says in done.stderr
    assert len(done.stderr.splitlines()) <= 2


def test_answers_are_utf_8_whatever_the_locale(tmp_path):
    usage = tmp_path / "usage.yaml"
    usage.write_text('items: [{usage: "caf\u00e9"}]\n', encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "fitness", "price", str(usage)],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 2
    assert "caf\u00e9" in done.stderr.decode("utf-8")


def test_an_answer_has_one_form(capsys):
    with pytest.raises(SystemExit) as ended:
        run(capsys, "recommend", CARD, "--json", "--csv")
    assert ended.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


def test_flips_name_the_side_where_nothing_can_run(capsys):
    status, out, _ = run(capsys, "flips", CARD, "--field", "request.payload_in_mb")
    assert status == 0
    assert "no option instead of real_time" in out


def test_every_wrong_argument_of_a_simulation_is_named_at_once(capsys, tmp_path):
    workload = tmp_path / "workload.yaml"
    workload.write_text("version: 1\nname: wrong\nmodels: {count: 0}\n")
    status, out, err = run(
        capsys, "simulate", str(workload), "--option", "real_time", "--seed", "-1", "--requests", "5",
        "--config", '{"min_instances": -2, "memory_mb": 1024, "routing": "NEAREST"}', "--priors", '{"launch": 3}',
    )  # fmt: skip
    assert (status, out) == (2, "")
    paths = [line.rpartition(" @ ")[2] for line in err.splitlines()[1:]]
    assert sorted(paths) == [
        "$.config.memory_mb", "$.config.min_instances", "$.config.routing", "$.models.count", "$.priors.launch",
        "--requests", "--seed",
    ]  # fmt: skip


@pytest.mark.parametrize("command", ["bill", "simulate"])
def test_an_option_that_has_no_configuration_is_infeasible_and_says_why(capsys, command):
    status, out, err = run(capsys, command, CARD, "--option", "batch")
    assert (status, out) == (3, "")
    assert "a job reads a data set that exists when it starts" in err


def test_every_field_that_has_no_flips_is_named_before_any_is_searched(capsys):
    status, out, err = run(capsys, "flips", CARD, "--field", "traffic.rps_mean", "--field", "name", "--field", "x")
    assert (status, out) == (2, "")
    assert [line.rpartition(", got ")[2] for line in err.splitlines()[1:]] == ['"name" @ --field', '"x" @ --field']
