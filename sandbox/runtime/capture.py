"""Data capture: requests and answers as JSON lines in S3, in the files that Model Monitor reads."""

import base64
import json
import logging
import random
import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.runtime.gateway_client import GatewayClient, NoObject
from sandbox.runtime.routes import CapturePlan

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """Which file a record goes to: one for each variant and hour."""

    destination: str
    endpoint: str
    variant: str
    hour: datetime


class Capture:
    """Collects records and writes them every few seconds."""

    def __init__(self, gateway: GatewayClient) -> None:
        self._gateway = gateway
        self._waiting: dict[_File, list[bytes]] = defaultdict(list)

    def record(
        self,
        plan: CapturePlan,
        *,
        endpoint: str,
        variant: str,
        asked: tuple[bytes, str],
        answered: tuple[bytes, str],
        inference_id: str,
        custom_attributes: str,
    ) -> None:
        """Record one invocation, if it is among those to be sampled; bodies come with their content types."""
        if random.random() >= plan.sampling_ratio:  # noqa: S311 (no secret)
            return
        now = datetime.now(UTC)
        data = {}
        if plan.input:
            data["endpointInput"] = _captured(plan, "INPUT", *asked)
        if plan.output:
            data["endpointOutput"] = _captured(plan, "OUTPUT", *answered)
        meta: dict[str, Any] = {"eventId": str(uuid.uuid4()), "inferenceTime": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
        if inference_id:
            meta["inferenceId"] = inference_id
        if custom_attributes:
            meta["customAttributes"] = [custom_attributes]
        line = json.dumps({"captureData": data, "eventMetadata": meta, "eventVersion": "0"}, separators=(",", ":"))
        hour = now.replace(minute=0, second=0, microsecond=0)
        file = _File(destination=plan.destination, endpoint=endpoint, variant=variant, hour=hour)
        self._waiting[file].append(line.encode())

    async def flush(self) -> None:
        """Write what was collected; what can't be written now is kept, unless its bucket is gone."""
        waiting, self._waiting = self._waiting, defaultdict(list)
        for file, lines in waiting.items():
            now = datetime.now(UTC)
            name = f"{now:%M-%S}-{now.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
            folder = f"{file.destination.rstrip('/')}/{file.endpoint}/{file.variant}/{file.hour:%Y/%m/%d/%H}"
            try:
                await self._gateway.put_object(f"{folder}/{name}", b"\n".join(lines) + b"\n", "application/jsonl")
            except NoObject:
                LOG.warning("captured data is lost: %s can't be written", folder)
            except OSError:
                self._waiting[file] = lines + self._waiting[file]


def _captured(plan: CapturePlan, mode: str, body: bytes, content_type: str) -> dict[str, Any]:
    kind = content_type.partition(";")[0].strip().lower()
    encoding = "CSV" if kind in plan.csv_types else "JSON" if kind in plan.json_types else "BASE64"
    try:
        data = body.decode() if encoding != "BASE64" else base64.b64encode(body).decode()
    except UnicodeDecodeError:
        encoding, data = "BASE64", base64.b64encode(body).decode()
    return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}
