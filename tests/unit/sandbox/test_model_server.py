"""The model server of the sandbox and the room that it has for models."""

import asyncio
import json

from sandbox.worker.application import ModelServer
from sandbox.worker.payload import Refused

SCRIPT = """
import time

def model_fn(folder):
    time.sleep(0.05)
"""


def test_models_that_are_being_loaded_take_their_room_already(tmp_path):
    for name in ("north", "south"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "inference.py").write_text(SCRIPT)
    server = ModelServer(framework="", program="", folder=None, room_bytes=len(SCRIPT) + 10)

    async def load_both():
        loads = [
            server._load(json.dumps({"model_name": name, "url": str(tmp_path / name)}).encode())
            for name in ("north", "south")
        ]
        return await asyncio.gather(*loads, return_exceptions=True)

    loaded, refused = asyncio.run(load_both())
    assert loaded.content_type == "application/json"
    assert isinstance(refused, Refused)
    assert refused.status == 507
