"""The wire protocols of AWS, driven by botocore's service models, seen from the server's side.

A request names its operation, is read into a dict by the operation's input shape, and its answer or error is
written the way the same client expects it.
"""

from botocore.model import ServiceModel

from sandbox.protocols.cbor import RpcCbor
from sandbox.protocols.http import Request, Response, Wire
from sandbox.protocols.json_rpc import JsonRpc
from sandbox.protocols.query import Query

__all__ = ["Request", "Response", "Wire", "wire_of"]


def wire_of(request: Request, model: ServiceModel | None) -> Wire:
    """Recognise the protocol of a request: a client may speak any that the service offers."""
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return RpcCbor()
    if "x-amz-target" in request.headers or "json" in request.headers.get("content-type", ""):
        return JsonRpc()
    if model is not None and model.metadata.get("protocol") == "json":
        return JsonRpc()
    return Query(namespace=str(model.metadata.get("xmlNamespace", "")) if model else "")
