"""What all operations of CloudFormation stand on: the store, the engine, and what a request asks a stack to be."""

import contextlib
import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

from botocore.exceptions import ClientError

from sandbox.cloud import Cloud
from sandbox.errors import AwsError, NotEmulated
from sandbox.protocols import Request, Response, Wire
from sandbox.services.cloudformation.calls import Calls, stored_parameter
from sandbox.services.cloudformation.changes import Change, changes_of
from sandbox.services.cloudformation.document import LONGEST_BODY, LONGEST_OBJECT, Invalid
from sandbox.services.cloudformation.engine import Engine
from sandbox.services.cloudformation.parameters import values_of
from sandbox.services.cloudformation.store import SCHEMA, Resource, Stack, Stage, Store, Version
from sandbox.services.cloudformation.template import Bound, Surroundings, Template
from sandbox.services.cloudformation.types import TYPES
from sandbox.services.service import Context, Params, Service

_Item = TypeVar("_Item")
# What would change what happens, so that it is better refused than ignored.
_NOT_EMULATED: Final = ("StackPolicyBody", "StackPolicyURL", "ResourceTypes", "NotificationARNs", "ResourcesToImport")
_LOOKING: Final = ("Describe", "List", "Get", "Validate")
_PAGE = 100  # entries of a list in one answer


class Stacks(Service):
    """CloudFormation without operations."""

    name = "cloudformation"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._changing = threading.Lock()
        self.store = Store(cloud.database("cloudformation", SCHEMA))
        self.engine = Engine(self.store, calls=self.calls, bind=self.bind, types=TYPES, background=cloud.background)
        cloud.tag_sources.append(self._tagged)

    def resume(self) -> None:
        """Go on with every operation that was under way."""
        self.engine.resume()

    def handle(self, wire: Wire, request: Request, context: Context) -> Response:
        """Answer one request; a parameter that breaks a constraint has CloudFormation's own code.

        Of requests that change something one is answered after the other: two clients may ask for the same at once.
        """
        only_looks = wire.operation(request).startswith(_LOOKING)
        try:
            with contextlib.nullcontext() if only_looks else self._changing:
                return super().handle(wire, request, context)
        except AwsError as err:
            if err.code == "ValidationException":
                raise Invalid(err.message) from err
            raise
        except RecursionError as err:
            raise Invalid("Template format error: nested too deeply") from err

    def _tagged(self, region: str) -> dict[str, dict[str, str]]:
        """Give the tags of the stacks of a region by their ids."""
        stacks = self.store.stacks(region)
        return {
            stack.id: {tag["Key"]: tag["Value"] for tag in stack.version.tags}
            for stack in stacks
            if stack.deleted is None
        }

    def calls(self, region: str) -> Calls:
        """Give the services of a region."""
        return Calls(lambda service: self.cloud.client(service, region), self.cloud.account, region)

    def existing(self, context: Context, name: str) -> Stack:
        """Give the stack of a name or id. Raises: AwsError."""
        stack = self.store.find(context.region, name)
        if stack is None:
            raise Invalid(f"Stack with id {name} does not exist")
        return stack

    def current(self, stack: Stack) -> dict[str, Resource]:
        """Give the resources that a stack has now."""
        everything = self.store.resources(stack.id)
        return {one.logical_id: one for one in everything if one.current and one.stage is not Stage.GONE}

    def bind(self, stack: Stack, version: Version) -> Bound:
        """Give what a version means for a stack. Raises: Invalid."""
        pseudo = {
            "AWS::AccountId": self.cloud.account,
            "AWS::NotificationARNs": [],
            "AWS::Partition": "aws",
            "AWS::Region": stack.region,
            "AWS::StackId": stack.id,
            "AWS::StackName": stack.name,
            "AWS::URLSuffix": "amazonaws.com",
        }

        def imported(name: str) -> str:
            exports = self.store.exports(stack.region)
            if name not in exports:
                raise Invalid(f"No export named {name} found.")
            return exports[name][0]

        around = Surroundings(pseudo=pseudo, imported=imported, stored=stored_parameter(self.calls(stack.region)))
        return Bound(Template(version.template), version.parameters, around)

    def asked(self, context: Context, params: Params, previous: Version | None) -> Version:
        """Read what a request wants a stack to be; what it leaves out stays as it was. Raises: AwsError."""
        for name in _NOT_EMULATED:
            if params.get(name):
                raise NotEmulated(f"{name} of a stack")
        if params.get("RollbackConfiguration", {}).get("RollbackTriggers"):
            raise NotEmulated("rollback triggers of a stack")
        text = self.template_text(context, params, previous)
        template = Template(text)
        values = values_of(template.parameters, params.get("Parameters", []), previous.parameters if previous else None)
        tags = params.get("Tags", previous.tags if previous else ())
        capabilities = params.get("Capabilities", [])
        needed, _ = template.capabilities
        if needed and not {needed, "CAPABILITY_NAMED_IAM"} & set(capabilities):
            raise AwsError("InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]")
        return Version(template=text, parameters=values, tags=tags, capabilities=capabilities)

    def template_text(self, context: Context, params: Params, previous: Version | None = None) -> str:
        """Give the text of the template that a request means. Raises: Invalid."""
        given = [name for name in ("TemplateBody", "TemplateURL", "UsePreviousTemplate") if params.get(name)]
        if len(given) != 1:
            raise Invalid("Either Template URL or Template Body must be specified, and only one of them.")
        if given == ["UsePreviousTemplate"]:
            if previous is None:
                raise Invalid("Template must exist to use the previous one.")
            return previous.template
        if given == ["TemplateURL"]:
            return self._fetched(context, params["TemplateURL"])
        text: str = params["TemplateBody"]
        if len(text.encode()) > LONGEST_BODY:
            raise Invalid(
                "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
                f"Member must have length less than or equal to {LONGEST_BODY}"
            )
        return text

    def _fetched(self, context: Context, url: str) -> str:
        place = urlsplit(url)
        host, path = place.netloc, unquote(place.path).lstrip("/")
        bucket, dot, _ = host.partition(".s3")
        if not (dot and bucket and host.endswith("amazonaws.com")):
            bucket, _, path = path.partition("/")
        if not bucket or not path:
            raise Invalid("S3 error: Domain name specified in the URL is not a valid S3 domain")
        try:
            answer = self.cloud.client("s3", context.region).get_object(Bucket=bucket, Key=path)
        except ClientError as err:
            raise Invalid(f"S3 error: {err.response['Error'].get('Message', 'Access Denied')}") from err
        body: bytes = answer["Body"].read(LONGEST_OBJECT + 1)
        if len(body) > LONGEST_OBJECT:
            raise Invalid("Template may not exceed 1000000 bytes in size.")
        return body.decode("utf-8", "replace")

    def changes(self, stack: Stack, version: Version) -> tuple[Bound, list[Change]]:
        """Say what it takes to make a stack what a version says. Raises: Invalid."""
        asked = _with_version(stack, version)
        after = self.bind(asked, version)
        current = self.current(stack)
        before = self.bind(stack, stack.version) if current else None
        return after, changes_of(asked, current, before, after, TYPES)

    def stays(self, stack: Stack, version: Version, after: Bound, changes: Sequence[Change]) -> bool:
        """Say whether nothing would change: no resource, no output, no tag of the stack."""
        outputs = (after.template.outputs, Template(stack.version.template).outputs)
        return not changes and outputs[0] == outputs[1] and _tags(version) == _tags(stack.version)


def _with_version(stack: Stack, version: Version) -> Stack:
    return Stack(**{**{name: getattr(stack, name) for name in Stack.__dataclass_fields__}, "version": version})


def _tags(version: Version) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in version.tags}


def page(items: Sequence[_Item], token: str | None) -> tuple[Sequence[_Item], str | None]:
    """Cut a list at a page and give the token of the next. Raises: Invalid for a token of nobody's."""
    if token is not None and not token.isdigit():
        raise Invalid(f"Invalid NextToken {token!r}")
    start = int(token or 0)
    after = start + _PAGE
    return items[start:after], str(after) if after < len(items) else None


def fingerprint(params: Mapping[str, Any]) -> str:
    """Write a request so that the same request is written the same."""
    return json.dumps(params, sort_keys=True, default=str)
