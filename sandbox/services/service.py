"""What every service of the sandbox is: one method per operation, driven by botocore's model."""

from dataclasses import dataclass
from typing import Any, ClassVar

from botocore import xform_name
from botocore.model import ServiceModel

from sandbox.cloud import Cloud
from sandbox.errors import AwsError, NotEmulated
from sandbox.protocols import Request, Response, Wire
from sandbox.protocols.validation import validate

Params = dict[str, Any]
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Who asks, and where."""

    account: str
    region: str
    request_id: str
    access_key: str


class Service:
    """A service; its subclass has a method for each operation that it emulates.

    The method has botocore's name for the operation, and this form:

        def describe_thing(self, context: Context, params: Params) -> Answer | None

    The parameters are read and validated by the input shape; of the answer, what the output shape knows is written.
    It refuses by raising AwsError; an operation without a method is answered with 501.
    """

    name: ClassVar[str]  # botocore's name of the service

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.model: ServiceModel = cloud.model(self.name)

    def resume(self) -> None:
        """Take up what was under way when the process ended. Called once, after the gateway listens."""

    def runtime_is_back(self) -> None:
        """Called when the runtime had ended and is there again: none of what it ran is running."""

    def handle(self, wire: Wire, request: Request, context: Context) -> Response:
        """Answer one request. Raises: AwsError."""
        name = wire.operation(request)
        if name not in self.model.operation_names:
            raise AwsError("UnknownOperationException", f"{self.name} has no operation {name[:100]!r}")
        operation = self.model.operation_model(name)
        method = getattr(self, xform_name(name), None)
        if method is None:
            raise NotEmulated(f"{self.name}:{name}")
        parameters = wire.read(request, operation.input_shape)
        validate(operation.input_shape, parameters)
        return wire.answer(operation, method(context, parameters) or {}, context.request_id)
