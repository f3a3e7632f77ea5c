"""What a service gets from the sandbox around it."""

import functools
import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.model import ServiceModel

from sandbox.faults import Faults
from sandbox.metrics import SCHEMA as METRICS_SCHEMA
from sandbox.metrics import MetricStore
from sandbox.object_mirror import ObjectMirror
from sandbox.settings import ACCESS_KEY, ACCOUNT, SECRET_KEY
from sandbox.state import Database

LOG = logging.getLogger(__name__)

Tagged = Mapping[str, Mapping[str, str]]  # the tags of resources by their ARNs


class Cloud:
    """State, clients and threads for the services of one sandbox."""

    account = ACCOUNT

    def __init__(self, folder: Path, *, url: str, runtime_url: str, token: str) -> None:
        self.folder = folder
        self.url = url
        self.runtime_url = runtime_url
        self.token = token  # of the doors between control and runtime, which no client may use
        self.faults = Faults(folder)
        self.objects = ObjectMirror(folder)
        self.metrics = MetricStore(self.database("metrics", METRICS_SCHEMA))
        # What each service tells of its resources that have tags, by region.
        self.tag_sources: list[Callable[[str], Tagged]] = []
        self._session = botocore.session.Session()
        self._clients_lock = threading.Lock()

    def database(self, name: str, schema: str) -> Database:
        """Open the SQLite file of a service."""
        return Database(self.folder / f"{name}.sqlite", schema)

    @functools.cache  # noqa: B019 (one cloud lives as long as its process)
    def model(self, service: str) -> ServiceModel:
        """Give botocore's model of a service."""
        return self._session.get_service_model(service)

    def client(self, service: str, region: str) -> Any:
        """Give a boto3 client of this very sandbox: how one service calls another."""
        with self._clients_lock:
            return self._client(service, region)

    @functools.cache  # noqa: B019
    def _client(self, service: str, region: str) -> Any:
        url = self.runtime_url if service == "sagemaker-runtime" else self.url
        return boto3.session.Session().client(
            service,
            region_name=region,
            endpoint_url=url,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=32),
        )

    def background(self, function: Callable[..., object], *arguments: object) -> threading.Thread:
        """Run something in a thread of its own; what it raises is logged."""

        def run() -> None:
            try:
                function(*arguments)
            except Exception:  # the thread has no caller who could catch it
                LOG.exception("background work %s failed", function.__qualname__)

        thread = threading.Thread(target=run, name=function.__qualname__, daemon=True)
        thread.start()
        return thread
