"""The Limits page: every row with its source, and the ways to narrow it down."""

from fitness import limits, presets
from fitness.options import OPTIONS
from tests.pages.conftest import LIMITS, address, drawn
from ui import data


def shown(at):
    return at.dataframe[0].value


def test_every_limit_is_shown_with_its_source_and_date(app):
    table = shown(app(LIMITS))
    assert len(table) == len(limits.register())
    assert table["Source"].str.len().gt(0).all()
    assert table["As of"].str.len().gt(0).all()


def test_limits_of_one_option_and_profile_from_the_address(app):
    table = shown(app(LIMITS, option="Serverless endpoint", profile="Article"))
    expected = limits.for_option("serverless", "article")
    assert list(table["Allowed"]) == [row.text for row in expected]
    assert set(table["Option"]) == {OPTIONS["serverless"].title}


def test_a_search_keeps_rows_with_every_word(app):
    at = app(LIMITS)
    at.text_input(key="lim_text").set_value("payload serverless-endpoints")
    narrow = shown(drawn(at.run()))
    at.text_input(key="lim_text").set_value("payload")
    wide = shown(drawn(at.run()))
    assert 0 < len(wide) < len(limits.register())
    assert len(narrow) < len(wide)


def test_prices_of_a_region_are_shown_with_their_grade_and_source(app):
    at = app(LIMITS, table="Prices", region="eu-west-1")
    table = at.dataframe[0].value
    assert len(table) == len(data.price_table("eu-west-1"))
    assert table["Region"].iloc[0] == "eu-west-1"
    assert table[["Price", "Grade", "Source"]].apply(lambda column: column.str.len().gt(0).all()).all()


def test_a_price_is_found_by_the_name_of_its_type(app):
    at = app(LIMITS, table="Prices")
    at.text_input(key="prc_text").set_value("hosting/ml.c5.large")
    table = drawn(at.run()).dataframe[0].value
    assert list(table["Price"]) == ["$0.102 per hour"]


def test_the_scenario_stays_in_the_address(app):
    fraud = presets.load("card-fraud")
    assert address(app(LIMITS, fraud)) == fraud


def test_unknown_filters_in_the_address_are_ignored(app):
    assert len(shown(app(LIMITS, option="nonsense", profile="nonsense"))) == len(limits.register())
