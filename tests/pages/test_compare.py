"""The Compare page: a verdict for every scenario, and what a person can do with it."""

import pytest

from fitness import presets
from fitness.measured import written
from fitness.workload import Workload
from tests.pages.conftest import COMPARE, address, drawn, texts
from ui import data

FRAUD = presets.load("card-fraud")
# Somebody waits, outside AWS and in the customer's VPC: no option has it all.
IMPOSSIBLE = FRAUD.replace({"request.payload_in_mb": 2_000})
VAGUE = Workload.from_values({"name": "vague", "request.synchronous": True})


def ranking(at):
    return at.dataframe[0].value


def open_part(app, workload, part, **parameters):
    return app(COMPARE, workload, part=part, **parameters)


def test_without_a_scenario_the_page_says_where_to_begin(app):
    at = app(COMPARE)
    assert "Start from a workload that you know" in at.info[0].value
    assert not at.dataframe


def test_an_unfinished_scenario_is_not_compared(app):
    at = app(workload=FRAUD)
    at.number_input(key="dsc_q_models_count").set_value(-1)
    at = drawn(at.run())
    at = drawn(at.switch_page(COMPARE).run())
    assert "can't be used yet" in at.warning[0].value


@pytest.mark.parametrize("preset", presets.PRESETS, ids=lambda preset: preset.id)
def test_every_preset_is_ranked_with_its_ten_options(app, preset):
    workload = presets.load(preset.id)
    at = app(COMPARE, workload)
    verdict = data.verdict_of(workload)
    assert list(ranking(at)["Option"]) == [one.option.title for one in verdict.options]
    assert at.header[0].value.replace("\\", "") == verdict.best.option.title
    assert address(at) == workload


def test_an_impossible_scenario_names_the_limit_of_every_option(app):
    at = app(COMPARE, IMPOSSIBLE)
    rows = ranking(at)
    assert set(rows["Status"]) == {"✕ Infeasible"}
    assert rows["Note"].str.len().gt(0).all()
    assert "No option is feasible" in texts(at)
    assert not at.get("plotly_chart")  # an empty one would say nothing
    assert at.caption[-1].value.startswith("By the limits alone.")


def test_a_vague_scenario_says_what_to_ask_next_and_links_to_it(app):
    at = app(COMPARE, VAGUE)
    asked = data.verdict_of(VAGUE).ask_next
    links = [link for link in at.get("page_link") if "ask=" in link.proto.query_string]
    assert asked
    assert [link.proto.query_string.split("ask=")[1] for link in links[: len(asked)]] == list(asked)


def test_a_weight_ranks_again_and_is_part_of_the_link(app):
    at = app(COMPARE, presets.load("keystroke-search"))
    before = list(ranking(at)["Score"])
    at.slider(key="cmp_weights_cost").set_value(5.0)
    at = drawn(at.run())
    assert address(at).weights.cost == 5
    assert list(ranking(at)["Score"]) != before


def test_the_caption_says_simulated_once_it_is(app):
    said = texts(app(COMPARE, FRAUD))
    assert "Simulated. Prices of" in said
    assert "simulating" not in said


def test_more_traffic_ranks_again_and_costs_more(app):
    at = app(COMPARE, FRAUD)
    assert at.get_by_key("cmp_traffic_rps_mean").value == FRAUD.traffic.rps_mean
    at.get_by_key("cmp_traffic_rps_mean").set_value(100.0)
    at = drawn(at.run())
    assert address(at).traffic.rps_mean == 100
    assert data.verdict_of(address(at)).best.monthly_usd.p50 > data.verdict_of(FRAUD).best.monthly_usd.p50


def test_a_mean_above_the_peak_takes_the_peak_along(app):
    at = app(COMPARE, FRAUD)
    at.get_by_key("cmp_traffic_rps_mean").set_value(500.0)
    at = drawn(at.run())
    assert (address(at).traffic.rps_mean, address(at).traffic.rps_peak) == (500, 500)
    at.get_by_key("cmp_traffic_rps_peak").set_value(1.0)
    at = drawn(at.run())
    assert (address(at).traffic.rps_mean, address(at).traffic.rps_peak) == (1, 1)


def test_unknown_traffic_has_no_slider_but_a_link_to_the_question(app):
    at = app(COMPARE, VAGUE)
    with pytest.raises(KeyError):
        at.get_by_key("cmp_traffic_rps_mean")
    assert "Mean requests/s: unknown" in texts(at)


def test_the_why_not_card_shows_the_gates_and_the_guide(app):
    at = app(COMPARE, FRAUD)
    at.session_state["cmp_card_batch"] = True
    at = drawn(at.run())
    card = at.get_by_key("cmp_card_batch")
    table = card.get("table")[0].value
    assert ":material/close: Fails" in "".join(table["Result"])
    assert table["Source"].str.len().gt(0).all()
    assert sum("The guide says" in caption.value for caption in card.caption) == 5


def test_the_bill_shows_the_receipt_of_every_line_and_their_sum(app):
    at = open_part(app, FRAUD, "Bill")
    bill = data.verdict_of(FRAUD).best.bill
    shown = at.dataframe[1].value
    assert list(shown["Item"]) == [line.name for line in bill.lines]
    assert shown["Unit price"].str.startswith("$").all()
    assert shown["Source"].str.len().gt(0).all()
    assert at.metric[-1].value.replace("\\", "") == f"${bill.total:,}"


def test_the_bill_of_an_option_is_part_of_the_address(app):
    at = open_part(app, FRAUD, "Bill", bill="Multi-model endpoint (CPU)")
    assert [line.name for line in data.verdict_of(FRAUD).option("mme").bill.lines] == list(
        at.dataframe[1].value["Item"]
    )
    at = open_part(app, FRAUD, "Bill", bill="Batch transform")
    assert "There is no bill" in texts(at)


def test_two_options_stand_side_by_side(app):
    at = open_part(app, FRAUD, "Side by side", a="Multi-model endpoint (CPU)", b="Batch transform")
    table = at.table[-1].value
    assert [name.replace("\\", "") for name in table.columns[1:]] == ["Multi-model endpoint (CPU)", "Batch transform"]
    status = table[table["Property"] == "Status"].iloc[0]
    assert list(status[1:]) == ["✓ Feasible", "✕ Infeasible"]


def test_assumptions_name_the_distribution_and_its_basis(app):
    at = open_part(app, VAGUE, "Assumptions")
    table = at.dataframe[1].value
    assert "request.processing_ms" in set(table["Name"])
    drawn_from = table[table["Name"] == "request.processing_ms"].iloc[0]
    assert "median" in drawn_from["Distribution"]
    assert drawn_from["Basis"]


def test_what_a_load_test_measured_stands_with_the_assumptions(app):
    marks = {"measured.fields": written({"request.processing_ms": 12.5}), "measured.by": "load test of endpoint vague"}
    at = open_part(app, VAGUE.replace({"request.processing_ms": 12.5, **marks}), "Assumptions")
    said = texts(at).replace("\\", "")
    assert "Measured: request.processing_ms (load test of endpoint vague)." in said


def test_the_export_offers_the_record_the_table_the_file_and_the_link(app):
    at = open_part(app, FRAUD, "Export")
    assert {button.proto.label for button in at.get("download_button")} == {
        "Decision record (Markdown)",
        "Ranking (CSV)",
        "Workload (YAML)",
    }
    shown = [code.value for code in at.code]
    assert any(text.startswith("# Hosting of card-fraud") for text in shown)
    assert any("w=" in text for text in shown)


@pytest.mark.parametrize("part", ["Why", "Bill", "Side by side", "Flips", "Assumptions", "Export"])
@pytest.mark.parametrize("workload", [FRAUD, IMPOSSIBLE, VAGUE], ids=["clear", "impossible", "vague"])
def test_every_part_is_drawn_for_every_kind_of_verdict(app, workload, part):
    assert open_part(app, workload, part).title[0].value == "Compare hosting options"


def test_an_unknown_part_or_option_in_the_address_is_ignored(app):
    open_part(app, FRAUD, "Nonsense", a="nonsense", bill="nonsense")


def test_a_name_with_markup_is_shown_as_it_was_written(app):
    at = app(COMPARE, FRAUD.replace({"name": "a $b$ **c** [d](http://x)"}))
    heading = next(text.value for text in at.markdown if "c" in text.value and "http" in text.value)
    assert r"\$b\$ \*\*c\*\* \[d\]\(http\://x\)" in heading


def test_refreshed_prices_that_can_not_be_read_are_left_out_and_said(app, price_cache):
    price_cache.mkdir(parents=True)
    broken = price_cache / "us-east-1.csv"
    broken.write_text("not,a,price,book\n1,2,3,4\n")
    data._books.clear()
    try:
        at = app(COMPARE, FRAUD)
    finally:
        broken.unlink()
        data._books.clear()
    assert "us-east-1.csv" in at.warning[0].value.replace("\\", "")
    assert len(ranking(at)) == 10


def test_a_workload_of_jobs_is_not_asked_for_its_rate(app):
    at = app(COMPARE, presets.load("nightly-scoring"))
    assert "Declare" not in [link.proto.label for link in at.get("page_link")]
    assert "Mean requests/s: it runs in jobs" in [caption.value for caption in at.caption]


def test_the_loads_at_which_another_option_becomes_the_best_are_named(app):
    at = app(COMPARE, presets.load("payroll-chatbot"))
    flips = data.verdict_of(presets.load("payroll-chatbot")).flips
    assert flips
    said = [caption.value for caption in at.caption if "instead of" in caption.value]
    assert len(said) == len(flips)
    assert said[0].replace("\\", "").startswith("Mean requests: from ")
    assert said[0].replace("\\", "").endswith("Real-time endpoint instead of Serverless endpoint.")


def test_the_flips_are_those_of_the_command_drawn_and_listed(app):
    at = open_part(app, FRAUD, "Flips")
    expected = [flip for path in data.flip_fields(FRAUD) for flip in data.axis_of(FRAUD, path).flips]
    table = at.table[-1].value
    assert expected
    assert sum(not str(cell).startswith("nowhere") for cell in table["From"]) == len(expected)
    assert len(at.get("plotly_chart")) == 2
    assert len(set(table["Field"])) == len(data.flip_fields(FRAUD))


def test_what_is_not_declared_can_not_be_followed_and_is_linked_to(app):
    at = open_part(app, FRAUD, "Flips")
    asked = {
        link.proto.query_string.split("ask=")[1] for link in at.get("page_link") if "ask=" in link.proto.query_string
    }
    assert "objectives.deadline_s" in asked
    assert "objectives.monthly_budget_usd" not in asked


def test_a_scenario_that_nothing_changes_says_so_and_has_no_drawing(app):
    hopeless = IMPOSSIBLE.replace({"models.count": 100, "constraints.outside_aws": True})
    at = open_part(app, hopeless, "Flips")
    assert "no option becomes feasible" in at.info[0].value
    assert not at.get("plotly_chart")
    assert set(at.table[-1].value["Best then"]) == {"nothing"}
