"""Tables in words: sources become links, prices keep every digit."""

from decimal import Decimal

from fitness import bill, presets, prices, verdict
from fitness.fields import field
from fitness.gates import Gate
from fitness.limits import register
from ui import tables, words

BOOK = prices.load_book()


WINDOW_PX = 1_280  # of a window of 1,440, what the page leaves to a table


def gate(**changes):
    values = {
        "limit": "payload_in",
        "title": "Request payload",
        "allowed": 4.0,
        "asked": 5.0,
        "unit": "MB",
        "passes": False,
        "likelihood": 0.0,
        "reason": "5 MB asked, 4 MB allowed",
        "source": "https://docs.aws.amazon.com/a/b.html (read in a mirror) ; botocore 1.2 model",
        "as_of": "2026",
        "status": "current",
        "field": "request.payload_in_mb",
        "remedy": 4.0,
    }
    return Gate(**(values | changes))


def test_a_gate_shows_what_was_asked_and_allowed_with_the_margin():
    row = tables.gates([gate()]).iloc[0]
    assert (row["Asked"], row["Allowed"], row["Margin"]) == ("5 MB", "4 MB", "0.8x")
    assert "Fails" in row["Result"]
    assert row["Why"] == "5 MB asked, 4 MB allowed."


def test_an_unknown_fact_is_open_and_never_zero():
    row = tables.gates([gate(asked=None, passes=None)]).iloc[0]
    assert row["Asked"] == "unknown"
    assert "Open" in row["Result"]


def test_an_address_in_a_source_becomes_a_link_and_the_rest_stays_text():
    source = tables.gates([gate()]).iloc[0]["Source"]
    assert "[docs.aws.amazon.com](<https://docs.aws.amazon.com/a/b.html>)" in source
    assert "botocore 1.2 model" in source


def test_every_source_of_the_register_can_be_drawn():
    table = tables.gates([gate(source=row.source) for row in register()])
    assert table["Source"].str.len().gt(0).all()


def test_a_bill_line_can_be_multiplied_by_hand():
    shown = bill.bill_for(
        [bill.Metered(item="hosting/ml.c5.large", quantity=Decimal("1460.5"))], "us-east-1", BOOK, estimate=False
    )
    row = tables.bill(shown).iloc[0]
    assert (row["Quantity"], row["Unit price"], row["A month"]) == ("1,460.5", "$0.102 per hour", "$148.97")


def test_a_long_quantity_keeps_the_digits_that_its_cents_need():
    metered = [
        bill.Metered(item="hosting/ml.c5.large", quantity=Decimal("1344.858773156936")),
        bill.Metered(item="hosting/ml.c5.large", quantity=Decimal("0.002739726027")),
    ]
    rows = tables.bill(bill.bill_for(metered, "us-east-1", BOOK, estimate=False))
    assert list(rows["Quantity"]) == ["1,344.86", "0.00274"]
    assert list(rows["A month"]) == ["$137.18", "$0.00"]


def test_a_missing_price_is_unknown_and_the_line_stays():
    shown = bill.bill_for([bill.Metered(item="hosting/ml.c5.large", quantity=2)], "nowhere-1", BOOK, estimate=False)
    row = tables.bill(shown).iloc[0]
    assert (row["Unit price"], row["A month"], row["Grade"]) == ("unknown", "unknown", "no price")


def test_every_state_has_a_word_and_a_sign_beside_its_colour():
    for signs in (words.STATUS, words.CONFIDENCE, words.GATE):
        assert len({sign.word for sign in signs.values()}) == len(signs)
        assert len({sign.icon for sign in signs.values()}) == len(signs)
        assert len({sign.character for sign in signs.values()}) == len(signs)


def test_an_assumed_field_shows_its_distribution_or_what_its_absence_means():
    table = tables.assumptions(["request.processing_ms", "traffic.pattern"])
    shown = dict(zip(table["Name"], table["Distribution"], strict=True))
    assert "lognormal" in shown["request.processing_ms"]
    assert shown["traffic.pattern"] == field("traffic.pattern").absent


def test_the_ranking_shows_the_range_of_a_score_once_draws_were_made():
    workload = presets.load("nightly-scoring")
    drawn, first = (tables.ranking(verdict.recommend(workload, book=BOOK, draws=draws)) for draws in (64, 0))
    found = verdict.recommend(workload, book=BOOK, draws=64).best.score_interval
    assert drawn["Range"][0] == f"{found.p5:.2f} to {found.p95:.2f}"
    assert drawn["Range"][drawn["Score"].isna()].isna().all()
    assert first["Range"].isna().all()


def test_why_an_option_is_out_is_seen_without_scrolling_the_ranking():
    columns = tables.ranking_columns()
    frame = tables.ranking(verdict.recommend(presets.load("nightly-scoring"), book=BOOK, draws=0))
    assert list(frame).index("Note") < list(frame).index("Score")
    seen = list(frame)[: list(frame).index("Traffic") + 1]
    assert sum(columns[name]["width"] for name in seen) <= WINDOW_PX


def test_an_infeasible_option_has_no_numbers_and_says_which_limit_it_breaks():
    found = verdict.recommend(presets.load("card-fraud"), book=BOOK, draws=0)
    rows = tables.pair(found.best, found.option("serverless")).set_index("Property").iloc[:, 1]
    assert rows["Numbers are"] == "none\\: it is infeasible"
    assert rows["Limit"].replace("\\", "") == "Private network (VPC) is not possible here"


def test_two_options_say_where_their_numbers_come_from_and_what_that_means():
    best = verdict.recommend(presets.load("nightly-scoring"), book=BOOK, draws=0).best
    rows = tables.pair(best, best).set_index("Property").iloc[:, 0]
    assert rows["Numbers are"].startswith("By the formulas\\: worked out by queueing formulas")
