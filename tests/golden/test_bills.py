"""Bills as a person reads them. `make golden` rewrites them; review the difference."""

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from fitness import usage
from fitness.bill import CENT
from fitness.prices import load_book

USAGES = Path(__file__).parent / "usages"


@pytest.mark.parametrize("name", sorted(path.stem for path in USAGES.glob("*.yaml")))
def test_bill_reads_as_before(name, golden):
    text = usage.bill((USAGES / f"{name}.yaml").read_bytes(), load_book()).as_text()
    golden(f"{text}\n", f"bills/{name}.txt")


@pytest.mark.parametrize(
    ("name", "usd"),
    [
        ("serverless_example", "40.16"),  # SageMaker pricing page, as its example says
        ("azure_example", "18.00"),  # 1.1 M GB-s x 0.000016 + 2 M x 0.20 / M
        # 14.4 M s x 0.00001 + 1 M s x 0.0000233 + 10 GB x 0.016
        ("provisioned_concurrency", "167.46"),
        # 1,488 h x 0.204 + 2.5 h x 0.922 + 3.41 GB x 0.016
        ("endpoint_with_monitoring", "305.91"),
        ("ten_endpoints", "1.02"),
        # 100 x 0.23 + 50 x 0.24 - (50 x 0.24 + 75 x 0.23) + 100,000 x (0.00002 + 0.00008) - (8 + 50,000 x 0.00002)
        ("free_tier", "6.75"),
        # 25,000 GB-s x 0.000016 + 0.20 + 10,000 GB-s x 0.000026 + 0.40 + 5,256,000 GB-s x 0.000004
        # + 30,000 GB-s x 0.000016 + 2 x (126.29 + 3.5 x 8.98)
        ("azure_plans", "338.20"),
    ],
)
def test_total_is_the_one_worked_out_by_hand(name, usd):
    bill = usage.bill((USAGES / f"{name}.yaml").read_bytes(), load_book())
    assert bill.complete
    assert bill.total == Decimal(usd)


def test_real_bill_of_ireland_comes_out_line_by_line():
    bill = usage.bill((USAGES / "ireland_december_2023.yaml").read_bytes(), load_book())
    charged = """0.01 0.03 0.77 0.30 1.04 40.92 61.42 171.45 0.55 2.11 0.61 11.31 43.00 1.07 15.54 12.17 27.62 4.53
    125.85 17.10 172.00 177.26"""
    lines = [line.usd.quantize(CENT, ROUND_HALF_UP) for line in bill.lines]
    assert lines == [Decimal(usd) for usd in charged.split()]
    # The real bill adds up rounded lines; ours rounds once, at the end.
    assert (sum(lines), bill.total) == (Decimal("886.66"), Decimal("886.65"))
