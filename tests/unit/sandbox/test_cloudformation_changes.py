import json

import pytest

from sandbox.errors import AwsError
from sandbox.services.cloudformation.changes import KNOWN_LATER, changes_of, without_values
from sandbox.services.cloudformation.deployment import with_stack_tags
from sandbox.services.cloudformation.store import Resource, Stack, Version, now
from sandbox.services.cloudformation.template import Bound, Surroundings, Template
from sandbox.services.cloudformation.types import TYPES

TEXT = """
Parameters: {Image: {Type: String, Default: image-1}, Wait: {Type: Number, Default: 60}}
Resources:
  Model:
    Type: AWS::SageMaker::Model
    Properties: {ExecutionRoleArn: role, PrimaryContainer: {Image: !Ref Image}}
  Config:
    Type: AWS::SageMaker::EndpointConfig
    Properties: {ProductionVariants: [{VariantName: all, ModelName: !GetAtt Model.ModelName}]}
  Endpoint:
    Type: AWS::SageMaker::Endpoint
    Properties:
      EndpointConfigName: !GetAtt Config.EndpointConfigName
      DeploymentConfig: {BlueGreenUpdatePolicy: {TerminationWaitInSeconds: !Ref Wait}}
"""


def bind(text, values):
    around = Surroundings(pseudo={"AWS::StackName": "s"}, imported=str, stored=str)
    return Bound(Template(text), {"Image": "image-1", "Wait": "60", **values}, around)


def stack(tags=()):
    version = Version(template="", parameters={}, tags=tags)
    return Stack(id="arn:s", name="s", region="us-east-1", status="CREATE_COMPLETE", created=now(), version=version)


def there(bound):
    """Give resources as they are after a creation from a template."""
    found = {}
    for name in bound.order:

        def worth(other, attribute):
            return found[other].attributes[attribute] if attribute else found[other].physical_id

        kind = bound.active[name].type
        identity = kind.rpartition("::")[2]
        found[name] = Resource(
            stack_id="arn:s",
            logical_id=name,
            type=kind,
            properties=with_stack_tags(TYPES, stack(), name, kind, bound.properties(name, worth)),
            physical_id=f"arn:{name}",
            attributes={f"{identity}Name": f"{name}-1"},
        )
    return found


def changes(text=TEXT, tags=(), **values):
    before = bind(TEXT, {})
    found = changes_of(stack(tags), there(before), before, bind(text, values), TYPES)
    assert {change["Type"] for change in found} <= {"Resource"}
    return {change["ResourceChange"]["LogicalResourceId"]: change["ResourceChange"] for change in found}


def test_the_same_template_and_values_change_nothing():
    assert changes() == {}


def test_a_property_that_can_change_in_place_needs_no_replacement():
    (name, change), *more = changes(Wait="120").items()
    assert (name, change["Action"], change["Replacement"], more) == ("Endpoint", "Modify", "False", [])
    assert change["Scope"] == ["Properties"]
    (detail,) = change["Details"]
    assert detail["Target"]["Name"] == "DeploymentConfig"
    assert detail["Target"]["RequiresRecreation"] == "Never"
    assert (detail["ChangeSource"], detail["CausingEntity"], detail["Evaluation"]) == (
        "ParameterReference",
        "Wait",
        "Static",
    )


def test_a_replacement_spreads_to_what_refers_to_it():
    found = changes(Image="image-2")
    assert {name: change["Replacement"] for name, change in found.items()} == {
        "Model": "True",
        "Config": "Conditional",
        "Endpoint": "False",
    }
    (detail,) = found["Config"]["Details"]
    assert (detail["Evaluation"], detail["ChangeSource"]) == ("Dynamic", "ResourceAttribute")
    assert detail["CausingEntity"] == "Model.ModelName"
    assert KNOWN_LATER in detail["Target"]["AfterValue"]
    assert found["Model"]["PolicyAction"] == "ReplaceAndDelete"
    assert found["Endpoint"]["Details"][0]["Target"]["AfterValue"] == KNOWN_LATER


def test_additions_and_removals():
    text = TEXT[: TEXT.index("  Endpoint:")] + "  Topic: {Type: AWS::SNS::Topic}\n"
    found = changes(text)
    assert {name: change["Action"] for name, change in found.items()} == {"Topic": "Add", "Endpoint": "Remove"}
    assert "Replacement" not in found["Topic"]
    assert (found["Endpoint"]["PhysicalResourceId"], found["Endpoint"]["PolicyAction"]) == ("arn:Endpoint", "Delete")


def test_a_changed_text_is_a_direct_modification_with_both_values():
    found = changes(TEXT.replace("ExecutionRoleArn: role", "ExecutionRoleArn: other"))
    (detail,) = found["Model"]["Details"]
    assert (detail["ChangeSource"], detail["Evaluation"]) == ("DirectModification", "Static")
    assert (detail["Target"]["BeforeValue"], detail["Target"]["AfterValue"]) == ("role", "other")
    assert json.loads(found["Model"]["AfterContext"])["Properties"]["ExecutionRoleArn"] == "other"


def test_tags_of_the_stack_change_tags_in_place():
    found = changes(tags=[{"Key": "team", "Value": "cars"}])
    assert {name: (change["Scope"], change["Replacement"]) for name, change in found.items()} == dict.fromkeys(
        ["Model", "Config", "Endpoint"], (["Tags"], "False")
    )


def test_another_type_under_the_same_name_is_refused():
    with pytest.raises(AwsError, match=r"Update of resource type is not permitted.*\[Model\]"):
        changes(TEXT.replace("AWS::SageMaker::Model\n", "AWS::SNS::Topic\n"))


def test_values_are_left_out_unless_asked_for():
    before = bind(TEXT, {})
    for change in changes_of(stack(), there(before), before, bind(TEXT, {"Image": "image-2"}), TYPES):
        told = json.dumps(without_values(change))
        assert "image-2" not in told
        assert "Context" not in told
