"""Translate a file of known hosting cases into workload files, by general rules only.

    python -m tests.cases hosting_cases.yaml     # rewrites what tests/golden holds of them

A case states facts as {value, stated}; an absent fact stays an absent field. The rules:

- A fact named as a leaf of the workload file is that field; RENAMED holds those of another name.
- `traffic`: the words of PATTERNS. "low" says that requests are few, so that most minutes have
  none: intermittent. "long_tail" speaks of the models, not of time: popularity zipf:1, or uniform
  when every model is used at most once (`reuse_per_model`), and the pattern stays unknown.
- `latency_need` becomes a number only when no latency or deadline is given: see NEEDS. "lookup
  only" asks nothing of the model.
- The composition is ensemble for a graph or for loops and conditions, else sequential for a chain,
  else independent when models are called one by one, else single for one model in one container,
  else unknown.
- Facts in NOT_DECLARED have no field. Any other fact or word is left out and named on standard
  error.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from fitness import workload_file
from fitness.fields import FIELDS
from fitness.workload import Workload

GOLDEN = Path(__file__).parent / "golden"
LEAVES = {one.name: one.path for one in FIELDS if one.section != "weights"}
RENAMED = {
    "n_models": "models.count",
    "model_size_mb": "models.artifact_mb",
    "containers_needed": "models.containers",
    "loops_or_conditions": "conditional_flow",
    "sync_response": "request.synchronous",
    "rps_avg": "traffic.rps_mean",
    "idle_share": "traffic.idle_ratio",
    "budget_sensitivity": "objectives.cost_sensitivity",
}
PATTERNS = {
    "steady": "steady",
    "continuous": "steady",
    "diurnal": "diurnal",
    "periodic": "diurnal",
    "spiky": "spiky",
    "bursty": "spiky",
    "intermittent": "intermittent",
    "rare": "intermittent",
    "low": "intermittent",
    "scheduled": "scheduled",
    "scheduled_offline": "scheduled",
}
NEEDS = {
    "milliseconds": {"objectives.latency_p95_ms": 100},
    "low latency": {"objectives.latency_p95_ms": 200},
    "seconds": {"objectives.latency_p95_ms": 2000},
    "near real time": {"objectives.deadline_s": 60},
    "minutes": {"objectives.deadline_s": 900},
    "hours": {"objectives.deadline_s": 14_400},
    "lookup only": {},
}
LATENCIES = ("objectives.latency_p95_ms", "objectives.latency_p99_ms", "objectives.deadline_s")
USED_BY_OTHERS = ("sequential", "dag", "independent_invocation", "reuse_per_model")
NOT_DECLARED = ("compliance",)


def _traffic(facts: Mapping[str, object]) -> dict[str, object] | None:
    word = facts["traffic"]
    if word == "long_tail":
        return {"models.popularity": "uniform" if facts.get("reuse_per_model", 2) <= 1 else "zipf:1"}
    return {"traffic.pattern": PATTERNS[word]} if word in PATTERNS else None


# A rule gives fields by path, or None when it does not know the word.
RULES = {
    "traffic": _traffic,
    "latency_need": lambda facts: {} if facts["latency_need"] in NEEDS else None,
    "gpu": lambda facts: {"accelerator": "gpu" if facts["gpu"] else "none"},
    "cloud": lambda facts: {"constraints.outside_aws": facts["cloud"] != "aws"},
    "processing_s": lambda facts: {"request.processing_ms": round(facts["processing_s"] * 1000, 6)},
}


def translated(case: Mapping[str, object]) -> tuple[Workload, tuple[str, ...]]:
    """Give the workload that a case describes, and the facts that no rule could translate.

    Raises: InputError when the facts are no valid workload.
    """
    facts = {name: fact["value"] for name, fact in case["facts"].items()}
    values = {"name": case["id"], "description": " ".join(case["summary"].split())}
    values["composition"] = _composition(facts)
    left_out = []
    for name, value in facts.items():
        if name in RULES:
            found = RULES[name](facts)
        elif path := RENAMED.get(name) or LEAVES.get(name):
            found = {path: value}
        else:
            found = {} if name in USED_BY_OTHERS + NOT_DECLARED else None
        if found is None:
            left_out.append(f"{name}: {value}")
        else:
            values |= found
    if facts.get("latency_need") in NEEDS and not any(path in values for path in LATENCIES):
        values |= NEEDS[facts["latency_need"]]
    return Workload.from_values(values), tuple(left_out)


def _composition(facts: Mapping[str, object]) -> str | None:
    if facts.get("dag") or facts.get("loops_or_conditions"):
        return "ensemble"
    if facts.get("sequential"):
        return "sequential"
    if facts.get("independent_invocation"):
        return "independent"
    return "single" if facts.get("n_models") == 1 and facts.get("containers_needed", 1) == 1 else None


def expected(case: Mapping[str, object]) -> dict[str, object]:
    """Give what is known to be right and wrong for a case."""
    return {
        "id": case["id"],
        "chosen": case["chosen"],
        "acceptable": case["acceptable"],
        "chosen_under_article_limits": case.get("chosen_under_article_limits"),
        "wrong": {option: dict(why) for option, why in case["wrong"].items()},
        "expected_warning": case.get("expected_warning"),
        "source": case["source"],
    }


def files(cases: list[Mapping[str, object]]) -> dict[str, str]:
    """Give the text of every golden file by its path under tests/golden."""
    texts = {f"workloads/{case['id']}.yaml": workload_file.write(translated(case)[0]) for case in cases}
    expectations = [expected(case) for case in cases]
    return texts | {"cases.json": json.dumps(expectations, indent=1, ensure_ascii=False) + "\n"}


def main(arguments: list[str]) -> int:
    """Rewrite the golden files of a file of cases."""
    parser = argparse.ArgumentParser(description="Translate known hosting cases into workload files.")
    parser.add_argument("cases", type=Path, help="YAML file with the cases")
    parser.add_argument("--into", type=Path, default=GOLDEN, help="folder to write (default: tests/golden)")
    chosen = parser.parse_args(arguments)
    content = yaml.safe_load(chosen.cases.read_text(encoding="utf-8"))
    for name, text in files(content["cases"]).items():
        target = chosen.into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    for case in content["cases"]:
        for fact in translated(case)[1]:
            print(f"{case['id']}: no rule for {fact}", file=sys.stderr)
    print(f"{len(content['cases'])} cases written to {chosen.into}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
