"""Tags, and searching by them."""

from typing import Any

from sandbox.errors import AwsError, NotEmulated
from sandbox.services.sagemaker.resources import COMPONENT, CONFIG, ENDPOINT, MODEL, TRANSFORM, Resources
from sandbox.services.sagemaker.store import Document
from sandbox.services.service import Answer, Context, Params

_NAME_MEMBERS = {
    MODEL: "ModelName",
    CONFIG: "EndpointConfigName",
    ENDPOINT: "EndpointName",
    TRANSFORM: "TransformJobName",
    COMPONENT: "InferenceComponentName",
}
# API reference: the values of Search's Resource that the sandbox has, and the member of the answer.
_SEARCHED = {"Endpoint": (ENDPOINT, "Endpoint"), "Model": (MODEL, "Model")}


class Tagging(Resources):
    """AddTags, ListTags, DeleteTags, Search."""

    def add_tags(self, context: Context, params: Params) -> Answer:
        """Add tags to a resource; gives all it has then."""
        arn = self._existing(context, params["ResourceArn"])
        self.store.tag(arn, {tag["Key"]: tag["Value"] for tag in params["Tags"]})
        return {"Tags": self.tag_list(arn)}

    def list_tags(self, context: Context, params: Params) -> Answer:
        """Give the tags of a resource."""
        return {"Tags": self.tag_list(self._existing(context, params["ResourceArn"]))}

    def delete_tags(self, context: Context, params: Params) -> None:
        """Remove tags of a resource."""
        self.store.untag(self._existing(context, params["ResourceArn"]), params["TagKeys"])

    def search(self, context: Context, params: Params) -> Answer:
        """Find resources whose members or tags fit all filters."""
        if params["Resource"] not in _SEARCHED:
            raise NotEmulated(f"sagemaker:Search of {params['Resource']}")
        kind, member = _SEARCHED[params["Resource"]]
        expression = params.get("SearchExpression", {})
        found = []
        for document in self.store.listing(context.region, kind):
            arn = self.arn(context.region, kind, document[_NAME_MEMBERS[kind]])
            described = {**document, f"{member}Arn": arn, "Tags": self.tag_list(arn)}
            if _matches(expression, described):
                found.append({member: {"Model": described} if kind == MODEL else described})
        return {"Results": found, "TotalHits": {"Value": len(found), "Relation": "EqualTo"}}

    def tag_list(self, arn: str) -> list[dict[str, str]]:
        """Give the tags of a resource as the API has them."""
        return [{"Key": key, "Value": value} for key, value in self.store.tags(arn).items()]

    def _existing(self, context: Context, arn: str) -> str:
        kind, _, name = arn.rpartition(":")[2].partition("/")
        member = _NAME_MEMBERS.get(kind)
        if member is None:
            raise NotEmulated(f"tags of {kind}")
        if not any(document[member].lower() == name.lower() for document in self.store.listing(context.region, kind)):
            raise AwsError("ValidationException", f'Could not find resource "{arn}".')
        return self.arn(context.region, kind, name)


def _matches(expression: Document, described: Document) -> bool:
    operator = expression.get("Operator", "And")
    verdicts = [_fits(wanted, described) for wanted in expression.get("Filters", [])]
    verdicts += [_matches(inner, described) for inner in expression.get("SubExpressions", [])]
    if "NestedFilters" in expression:
        raise NotEmulated("nested filters of sagemaker:Search")
    return not verdicts or (all(verdicts) if operator == "And" else any(verdicts))


def _fits(wanted: Document, described: Document) -> bool:
    value = _member(wanted["Name"], described)
    limit = wanted.get("Value")
    match wanted.get("Operator", "Equals"):
        case "Exists":
            return value is not None
        case "NotExists":
            return value is None
        case "Equals":
            return value is not None and str(value) == limit
        case "NotEquals":
            return str(value) != limit
        case "Contains":
            return limit is not None and limit in str(value or "")
        case "In":
            return value is not None and str(value) in str(limit).split(",")
        case operator:
            raise NotEmulated(f"the operator {operator} of sagemaker:Search")


def _member(name: str, described: Document) -> Any:
    if name.startswith("Tags."):
        tags = {tag["Key"]: tag["Value"] for tag in described["Tags"]}
        return tags.get(name.removeprefix("Tags."))
    return described.get(name)
