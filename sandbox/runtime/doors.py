"""The runtime's inner doors, for the control process alone: fleets, endpoints, and a transform job's requests."""

import json
from typing import Any

from sandbox.errors import AwsError
from sandbox.runtime.fleet import Call, NotStarted
from sandbox.runtime.registry import Registry

_JSON = b"application/json"

Answered = tuple[int, bytes, bytes]


async def answer(registry: Registry, method: str, path: str, headers: dict[bytes, bytes], body: bytes) -> Answered:
    """Answer the control process: status, body, content type.

    GET /-/health · PUT or DELETE /-/fleets/ID · POST /-/fleets/ID/invocations ·
    PUT or DELETE /-/endpoints/REGION/NAME · POST /-/expected
    """
    match method, path.split("/")[2:]:
        case "GET", ["health"]:
            return _document(200, {"fleets": sorted(registry.fleets), "endpoints": len(registry.endpoints)})
        case "PUT", ["fleets", _]:
            try:
                await registry.start_fleet(json.loads(body))
            except NotStarted as err:
                return _document(409, {"reason": str(err)})
            return _document(200, {})
        case "DELETE", ["fleets", name]:
            await registry.stop_fleet(name)
            return _document(200, {})
        case "POST", ["fleets", name, "invocations"]:
            return await _invoke(registry, name, headers, body)
        case "PUT", ["endpoints", _, _]:
            registry.route(json.loads(body))
            return _document(200, {})
        case "DELETE", ["endpoints", region, name]:
            registry.remove(region, name)
            return _document(200, {})
        case "POST", ["expected"]:
            registry.expect((region, name) for region, name in json.loads(body)["endpoints"])
            return _document(200, {})
        case _:
            return _document(404, {"reason": f"no such door: {method} {path}"})


async def _invoke(registry: Registry, name: str, headers: dict[bytes, bytes], body: bytes) -> Answered:
    fleet = registry.fleets.get(name)
    if fleet is None:
        return _document(410, {"reason": f"no such fleet: {name}"})
    call = Call(
        body=body,
        headers=[(b"content-type", headers.get(b"content-type", b""))],
        accept=headers.get(b"accept", b""),
        target_model=headers.get(b"x-amzn-sagemaker-target-model", b"").decode(),
    )
    try:
        answered, _ = await fleet.invoke(call)
    except AwsError as err:
        return _document(err.status, {"reason": err.message, **err.fields})
    return 200, answered.body, answered.header(b"content-type") or b"application/octet-stream"


def _document(status: int, document: dict[str, Any]) -> Answered:
    return status, json.dumps(document).encode(), _JSON
