import json

import pytest

from sandbox.errors import AwsError
from sandbox.services.cloudformation import patterns
from sandbox.services.cloudformation.document import read_document
from sandbox.services.cloudformation.intrinsics import Resolver, Unknown
from sandbox.services.cloudformation.parameters import Parameter, values_of
from sandbox.services.cloudformation.template import Bound, Surroundings, Template


def resolver(**members):
    known = {"Topic": {None: "arn:topic", "TopicName": "news"}}
    return Resolver(**{
        "parameters": {"Name": "cars", "Size": "3", "List": ["a", "b"], "AWS::Region": "eu-west-1"},
        "mappings": {"ByRegion": {"eu-west-1": {"Image": "i-1"}}},
        "conditions": {"IsCars": {"Fn::Equals": [{"Ref": "Name"}, "cars"]}, "Not": {"Fn::Not": [{"Condition": "IsCars"}]}},
        "resource": lambda name, attribute: known[name][attribute],
        "imported": {"shared": "value"}.get,
        "stored": {"/path": "stored"}.get,
        **members,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("!Ref Name", "cars"),
        ("!Ref Topic", "arn:topic"),
        ("!GetAtt Topic.TopicName", "news"),
        ("!GetAtt [Topic, TopicName]", "news"),
        ("!Sub '${Name}-${Topic.TopicName}-${!literal}-${AWS::Region}'", "cars-news-${literal}-eu-west-1"),
        ("!Sub ['${Name}-${Other}', {Other: !Ref Size}]", "cars-3"),
        ("!Join ['-', [a, 1, true, !Ref Name]]", "a-1-true-cars"),
        ("!Join [',', !Ref List]", "a,b"),
        ("!Select [1, !Ref List]", "b"),
        ("!Select ['0', !Split ['-', 'x-y']]", "x"),
        ("!If [IsCars, yes-cars, no-cars]", "yes-cars"),
        ("!If [Not, yes-cars, no-cars]", "no-cars"),
        ("{a: !If [IsCars, !Ref AWS::NoValue, 1], b: 2}", {"b": 2}),
        ("[1, !Ref AWS::NoValue, 2]", [1, 2]),
        ("!FindInMap [ByRegion, !Ref AWS::Region, Image]", "i-1"),
        ("!Base64 hello", "aGVsbG8="),
        ("!ImportValue shared", "value"),
        ("'{{resolve:ssm:/path}}/x'", "stored/x"),
        ("{Fn::Sub: '${Name}'}", "cars"),
        ("{Version: 2012-10-17}", {"Version": "2012-10-17"}),
        ("!GetAZs ''", ["eu-west-1a", "eu-west-1b", "eu-west-1c"]),
    ],
)
def test_functions_in_their_short_and_long_forms(expression, value):
    assert resolver().value(read_document(f"x: {expression}")["x"]) == value


@pytest.mark.parametrize(
    ("expression", "sources"),
    [
        ("!Ref Topic", {"Topic"}),
        ("!Sub 'x${Topic.Name}'", {"Topic.Name"}),
        ("!Join ['', [!Ref Topic, !GetAtt Other.Arn]]", {"Topic", "Other.Arn"}),
        ("!Select [0, !Split [':', !Ref Topic]]", {"Topic"}),
        ("!Base64 {Ref: Topic}", {"Topic"}),
        ("!If [Not, !Ref Topic, !Ref Other]", {"Other"}),
    ],
)
def test_what_is_not_known_yet_stays_unknown_with_its_sources(expression, sources):
    unknown = resolver(resource=lambda name, at: Unknown(frozenset({f"{name}.{at}" if at else name})))
    assert unknown.value(read_document(f"x: {expression}")["x"]) == Unknown(frozenset(sources))


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("!Select [2, [a, b]]", "nonexistent value at index 2"),
        ("!FindInMap [ByRegion, mars, Image]", "Unable to get mapping for ByRegion::mars::Image"),
        ("!If [Unheard, a, b]", "Unresolved condition dependency Unheard"),
        ("!Transform {Name: x}", "Fn::Transform is not emulated"),
        ("!Join [a]", "list of 2 value"),
        ("'{{resolve:secretsmanager:x}}'", "Dynamic references to secretsmanager are not emulated"),
    ],
)
def test_wrong_functions_are_refused_with_a_reason(expression, words):
    with pytest.raises(AwsError, match=words) as caught:
        resolver().value(read_document(f"x: {expression}")["x"])
    assert caught.value.code == "ValidationError"


TOPIC = "{Type: AWS::SNS::Topic}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", r"JSON not well-formed. \(line 1, column 2\)"),
        ("Resources:\n  a: [1", r"YAML not well-formed. \(line "),
        ("Resources: {A: 1}\nResources: {B: 1}", r"YAML not well-formed. \(line 2, column 1\)"),
        ("just text", "unsupported structure"),
        ("Resources: {}", "At least one Resources member must be defined"),
        (f"Resources: {{A: {TOPIC}}}\nRessources: {{}}", r"Invalid template property or properties \[Ressources\]"),
        (f"Resources: {{A: {TOPIC}}}\nTransform: x", "Transform is not emulated"),
        ("Resources: {A: {Type: X, Properties: {a: [1, ~]}}}", r"\[/Resources/A/Properties/a/1\] 'null' values"),
        ("Resources: {A: {Properties: {}}}", "must contain a Type member"),
        ("Resources: {A: {Type: X, Propertys: {}}}", "Invalid template resource property 'Propertys'"),
        (f"Resources: {{a-b: {TOPIC}}}", "Resource name a-b is non alphanumeric"),
        ("Resources: {A: {Type: X, Properties: {a: !Ref B}}}", r"Unresolved resource dependencies \[B\]"),
        ("Resources: {A: {Type: X, Properties: {a: !Sub '${B.Arn}'}}}", r"Unresolved resource dependencies \[B\]"),
        ("Resources: {A: {Type: X, DependsOn: B}}", r"Unresolved resource dependencies \[B\]"),
        (f"Resources: {{A: {TOPIC}}}\nOutputs: {{O: {{Value: !Ref B}}}}", r"\[B\] in the Outputs block"),
        ("Resources: {A: {Type: X, DeletionPolicy: Keep}}", "Unrecognized DeletionPolicy Keep"),
        ("Resources: {A: {Type: X, DeletionPolicy: Snapshot}}", "does not support DeletionPolicy Snapshot"),
        (f"Resources: {{A: {TOPIC}}}\nParameters: {{P: {{Type: Strin}}}}", "Unrecognized parameter type: Strin"),
        (f"Resources: {{A: {TOPIC}}}\nParameters: {{P: {{Typ: String}}}}", "must contain a Type member: P"),
        ("a: " + "[" * 5000, "not well-formed|nested too deeply"),
        ("a: &a [x, x, x, x, x, x, x, x]\n" + "\n".join(
            f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 8)}]" for i in range(8)
        ), "more than 100000 values"),
    ],
)  # fmt: skip
def test_an_unsound_template_is_refused_with_its_mistake(text, words):
    with pytest.raises(AwsError, match=words):
        Template(text)


def bound(text, **values):
    around = Surroundings(pseudo={"AWS::StackName": "s"}, imported=str, stored=str)
    return Bound(Template(text), values, around)


def test_order_follows_references_and_depends_on():
    text = """
    Resources:
      Last: {Type: X, Properties: {a: !Sub '${Middle.Arn}', b: !Ref AWS::StackName}}
      Middle: {Type: X, DependsOn: First}
      First: {Type: X}
    """
    assert bound(text).order == ["First", "Middle", "Last"]


def test_a_circle_is_refused():
    text = "Resources: {A: {Type: X, DependsOn: B}, B: {Type: X, Properties: {a: !Ref A}}, C: {Type: X}}"
    with pytest.raises(AwsError, match=r"Circular dependency between resources: \[A, B\]"):
        bound(text)


CONDITIONAL = """
Parameters: {Big: {Type: String}}
Conditions: {IsBig: !Equals [!Ref Big, "true"]}
Resources:
  A: {Type: X, Condition: IsBig}
  B: {Type: X, Properties: {a: !If [IsBig, !Ref A, none]}}
"""


def test_conditions_decide_which_resources_there_are():
    assert bound(CONDITIONAL, Big="true").depends == {"A": [], "B": ["A"]}
    assert bound(CONDITIONAL, Big="false").depends == {"B": []}


def test_a_reference_to_a_resource_whose_condition_fails_is_refused():
    text = CONDITIONAL.replace("!If [IsBig, !Ref A, none]", "!Ref A")
    with pytest.raises(AwsError, match=r"Unresolved resource dependencies \[A\]"):
        bound(text, Big="false")


@pytest.mark.parametrize(
    ("resources", "capability"),
    [
        ("{A: {Type: AWS::SNS::Topic}}", ""),
        ("{A: {Type: AWS::IAM::Role}}", "CAPABILITY_IAM"),
        ("{A: {Type: AWS::IAM::Role, Properties: {RoleName: mine}}}", "CAPABILITY_NAMED_IAM"),
    ],
)
def test_roles_need_consent_and_named_roles_more(resources, capability):
    assert Template(f"Resources: {resources}").capabilities[0] == capability


def parameter(**declared):
    return {"P": Parameter.read("P", {"Type": "String", **declared})}


def given(value):
    return [{"ParameterKey": "P", "ParameterValue": value}]


def test_values_come_from_the_request_the_previous_version_or_the_default():
    assert values_of(parameter(Default="d"), [], None) == {"P": "d"}
    assert values_of(parameter(Default="d"), given("g"), {"P": "p"}) == {"P": "g"}
    assert values_of(parameter(Default="d"), [{"ParameterKey": "P", "UsePreviousValue": True}], {"P": "p"}) == {
        "P": "p"
    }
    assert values_of(parameter(Default="d"), [], {"P": "p"}) == {"P": "d"}


@pytest.mark.parametrize(
    ("declared", "value", "words"),
    [
        ({"AllowedValues": ["a", 1]}, "b", "must be one of AllowedValues"),
        ({"AllowedPattern": "[a-z]+"}, "ab1", r"must match pattern \[a-z\]\+"),
        ({"MinLength": 2}, "a", "at least 2 characters"),
        ({"MaxLength": 2}, "abc", "at most 2 characters"),
        ({"Type": "Number"}, "x", "must be a number"),
        ({"Type": "Number", "MinValue": 2}, "1", "not less than 2"),
        ({"Type": "Number", "MaxValue": 2}, "3", "not greater than 2"),
        ({"Type": "List<Number>"}, "1,x", "must be a number"),
        ({"AllowedPattern": "a", "ConstraintDescription": "only a"}, "b", "failed to satisfy constraint: only a"),
    ],
)
def test_a_value_outside_its_declaration_is_refused(declared, value, words):
    with pytest.raises(AwsError, match=words):
        values_of(parameter(**declared), given(value), None)


def test_every_item_of_a_list_is_matched():
    declared = parameter(Type="CommaDelimitedList", AllowedPattern="(?=a)[a-z]+")
    assert values_of(declared, given("ab, abc"), None) == {"P": "ab, abc"}
    with pytest.raises(AwsError, match="must match pattern"):
        values_of(declared, given("ab, b"), None)


def test_a_pattern_that_backtracks_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(patterns, "_LONGEST_S", 0.5)
    with pytest.raises(AwsError, match=r"AllowedPattern .* takes too long to match"):
        values_of(parameter(AllowedPattern="(a+)+b"), given("a" * 60), None)


@pytest.mark.parametrize("pattern", ["(", "a{99999999999}", "(" * 5000 + ")" * 5000])
def test_what_is_no_pattern_is_refused(pattern):
    with pytest.raises(AwsError, match="AllowedPattern of parameter P is no pattern"):
        parameter(AllowedPattern=pattern)


def test_strangers_and_gaps_among_the_values_are_all_named():
    with pytest.raises(AwsError, match=r"Parameters: \[X, Y\] do not exist in the template"):
        values_of({}, [{"ParameterKey": name, "ParameterValue": ""} for name in "YX"], None)
    with pytest.raises(AwsError, match=r"Parameters: \[P\] must have values"):
        values_of(parameter(), [], None)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("CommaDelimitedList", "a, b", ["a", "b"]),
        ("List<Number>", "1,2", ["1", "2"]),
        ("Number", "1", "1"),
        ("AWS::EC2::Subnet::Id", "s-1", "s-1"),
        ("AWS::SSM::Parameter::Value<String>", "/name", "stored"),
        ("AWS::SSM::Parameter::Value<List<String>>", "/name", ["stored"]),
    ],
)
def test_a_parameter_has_the_type_it_declares(kind, text, value):
    assert parameter(Type=kind)["P"].typed(text, lambda _: "stored") == value


def test_json_and_yaml_mean_the_same():
    document = {"Resources": {"A": {"Type": "X", "Properties": {"a": {"Fn::GetAtt": ["B", "C"]}, "b": True, "c": 1.5}}}}
    yaml = "Resources: {A: {Type: X, Properties: {a: !GetAtt B.C, b: true, c: 1.5}}}"
    assert read_document(json.dumps(document)) == read_document(yaml) == document
