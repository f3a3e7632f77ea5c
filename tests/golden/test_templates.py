"""Templates and plans as a person reads them. `make golden` rewrites them; review the difference."""

import pytest

from fitness.prices import load_book
from launch.export import as_yaml
from launch.plan import Plan, plan
from tests.launch_requests import REQUESTS, variations

VARIATIONS = variations()
ALSO = (
    "real_time-steps", "real_time-to_zero", "real_time-canary", "real_time-variants", "serverless-provisioned",
    "batch-scheduled",
)  # fmt: skip


def told(found: Plan) -> str:
    """The plan around its template, as comments."""
    lines = [
        f"{found.usd_per_hour} USD an hour while nobody asks, at most {found.most_usd_per_hour}",
        *found.notes,
        *found.irreversible,
    ]
    return "".join(f"# {line}\n" for line in lines)


@pytest.mark.parametrize("kind", [*REQUESTS, *ALSO])
def test_template_reads_as_before(kind, golden):
    found = plan(VARIATIONS[kind], book=load_book())
    golden(told(found) + as_yaml(found), f"templates/{kind}.yaml")
