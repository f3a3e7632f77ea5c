"""Exports: the YAML is the template, the parameters fit it, and the scripts name nothing that is not there."""

import ast
import json

import pytest
from cfnlint.decode import decode_str

from fitness.prices import load_book
from launch.export import as_parameters, as_script, as_yaml
from launch.plan import Plan, plan
from tests.launch_requests import REQUESTS, variations

VARIATIONS = variations()


def planned(kind: str) -> Plan:
    return plan(VARIATIONS[kind], book=load_book())


@pytest.mark.parametrize("kind", VARIATIONS)
def test_the_yaml_with_short_forms_is_the_template(kind: str):
    found = planned(kind)
    read, unreadable = decode_str(as_yaml(found))
    assert not unreadable
    assert json.loads(json.dumps(read)) == json.loads(json.dumps(found.template))


def test_short_forms_are_used():
    text = as_yaml(planned("real_time-canary"))
    assert "!GetAtt 'Role.Arn'" in text
    assert "Fn::" not in text


def test_parameters_have_the_form_of_the_command_line():
    assert json.loads(as_parameters(planned("mce_direct"))) == [
        {"ParameterKey": "ModelData1", "ParameterValue": "s3://models/iris/model.tar.gz"},
        {"ParameterKey": "ModelData2", "ParameterValue": "s3://models/digits/model.tar.gz"},
    ]


@pytest.mark.parametrize("kind", VARIATIONS)
def test_a_script_uses_only_what_it_defines(kind: str):
    tree = ast.parse(as_script(planned(kind)))
    given = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    given |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ExceptHandler)}
    given |= {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    given |= {
        argument.arg
        for node in ast.walk(tree)
        if isinstance(node, ast.arguments)
        for argument in [*node.args, node.kwarg]
        if argument
    }
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    assert used - given <= {"str", "any", "range", "int", "len", "__name__"}


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_script_says_its_price(kind: str):
    found = planned(kind)
    assert f"{found.to_confirm.usd_per_hour} USD an hour" in as_script(found)
