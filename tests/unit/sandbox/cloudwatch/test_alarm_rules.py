import itertools

import pytest

from sandbox.services.cloudwatch.alarm_rules import RuleError, parse_rule

STATES = {"a": "ALARM", "b": "OK", "c": "INSUFFICIENT_DATA", "two words": "ALARM"}


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("ALARM(a)", True),
        ("ALARM(b)", False),
        ("OK(b)", True),
        ("INSUFFICIENT_DATA(c)", True),
        ("INSUFFICIENT_DATA(a)", False),
        ("TRUE", True),
        ("FALSE", False),
        ("NOT ALARM(b)", True),
        ('ALARM("two words")', True),
        ("ALARM('two words')", True),
        ("ALARM(two words)", True),
        ('ALARM("arn:aws:cloudwatch:us-east-1:000000000000:alarm:a")', True),
        ("ALARM(a) AND ALARM(b)", False),
        ("ALARM(a) OR ALARM(b)", True),
        ("ALARM(a) OR ALARM(b) AND FALSE", True),
        ("(ALARM(a) OR ALARM(b)) AND FALSE", False),
        ("NOT (ALARM(a) AND OK(b))", False),
        ("NOT NOT ALARM(a)", True),
        ("ALARM(a) AND NOT ALARM(gone)", True),
        ("\n ALARM( a )\tAND\nOK( b )\n", True),
    ],
)
def test_a_rule_holds(rule, holds):
    assert parse_rule(rule).holds(lambda name: STATES.get(name, "")) is holds


def test_operators_are_those_of_logic():
    rule = parse_rule("ALARM(x) AND NOT ALARM(y) OR ALARM(z)")
    for x, y, z in itertools.product([False, True], repeat=3):
        states = {"x": x, "y": y, "z": z}
        assert rule.holds(lambda name, states=states: "ALARM" if states[name] else "OK") is ((x and not y) or z)


def test_a_rule_names_each_alarm_once():
    assert parse_rule("ALARM(b) OR OK(a) OR OK(b) OR TRUE").children == ("b", "a")


@pytest.mark.parametrize(
    "rule",
    ["", "alarm(a)", "ALARM", "ALARM()", "ALARM(a", "ALARM(a))", "(ALARM(a)", "ALARM(a) ALARM(b)", "AND", "NOT", "ALARM(a) AND",
     "a", "(" * 150 + "TRUE" + ")" * 150, " OR ".join(f"ALARM(a{at})" for at in range(101)), "NOT " * 600 + "TRUE"],
)  # fmt: skip
def test_what_is_no_rule_is_refused(rule):
    with pytest.raises(RuleError):
        parse_rule(rule)
