"""Moto behind the gateway: which services it answers for, and its memory kept across restarts.

All knowledge of moto's inside is in this module, in `moto_objects` and in `moto_roles`.
"""

import copyreg
import importlib.metadata
import io
import logging
import os
import pickle
import threading
from collections import ChainMap, defaultdict
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl

import cloudpickle

from sandbox.cloud import Cloud
from sandbox.errors import NotEmulated
from sandbox.moto_objects import MotoObjects
from sandbox.protocols import Request, Response
from sandbox.settings import ACCOUNT
from sandbox.state import private_folder, set_aside, write_atomically

LOG = logging.getLogger(__name__)

# Signing name -> moto's name of the backend, where it has another.
_MOTO_NAMES: Final = {"application-autoscaling": "applicationautoscaling"}
_SERVICES: Final = (
    "s3", "sts", "iam", "sns", "sqs", "ssm", "glue", "logs", "events", "scheduler",
    "application-autoscaling",
)  # fmt: skip
BACKENDS: Final = {name: _MOTO_NAMES.get(name, name) for name in _SERVICES}
# Signing name -> botocore's name, of those whose operations are named in a header or in the form.
BOTOCORE_NAMES: Final = {name: name for name in _SERVICES if name not in {"s3", "scheduler"}}
# A change of the first is a change of the second: a notification lands in queues.
_SPILLS: Final = {"sns": ("sqs",)}
_READS: Final = ("Get", "List", "Describe", "BatchGet", "Head", "Search", "Receive", "Simulate", "Validate")


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # it has no types
    """Pickles moto's memory: its lambdas by value, and new locks in the place of its locks."""

    dispatch_table: ClassVar = ChainMap(
        {
            type(threading.Lock()): lambda _: (threading.Lock, ()),
            type(threading.RLock()): lambda _: (threading.RLock, ()),
        },
        cloudpickle.Pickler.dispatch_table,
    )

    def reducer_override(self, value: Any) -> Any:
        """Make a dictionary with defaults and a constructor of its own anew without calling that."""
        if isinstance(value, defaultdict) and type(value) is not defaultdict:
            state = (value.__dict__, {"default_factory": value.default_factory})
            return copyreg.__newobj__, (type(value),), state, None, iter(value.items())  # type: ignore[attr-defined]
        return super().reducer_override(value)


class MotoBackend:
    """The services of moto, one request at a time for each."""

    def __init__(self, cloud: Cloud, *, port: int) -> None:
        # Moto reads these while it is imported; its own calls between services go through our gateway.
        os.environ["MOTO_ACCOUNT_ID"] = ACCOUNT
        os.environ["MOTO_PORT"] = str(port)
        os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"
        os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"  # or AmazonSageMakerFullAccess can't be attached
        self._cloud = cloud
        self._folder = private_folder(cloud.folder / f"moto-{importlib.metadata.version('moto')}")
        self._locks = {name: threading.RLock() for name in BACKENDS.values()}
        self._start_lock = threading.Lock()
        self._application: Any = None
        self._objects: MotoObjects | None = None
        cloud.tag_sources.append(self._tagged)

    def start(self) -> None:
        """Import moto and read its memory back, once. Requests wait for it."""
        with self._start_lock:
            if self._application is not None:
                return
            from moto.moto_server.werkzeug_app import (  # noqa: PLC0415 (takes most of a second)
                DomainDispatcherApplication,
                create_backend_app,
            )

            _know_copies()
            self._warn_of_other_versions()
            for file in sorted(self._folder.glob("*.pickle")):
                self._restore(file)
            self._objects = MotoObjects(self._cloud.objects)
            self._objects.restore()
            self._application = DomainDispatcherApplication(create_backend_app)

    def simulate(self, params: dict[str, Any]) -> dict[str, Any]:
        """Answer SimulatePrincipalPolicy of IAM, which moto lacks. Raises: AwsError."""
        self.start()
        from sandbox.moto_roles import simulate  # noqa: PLC0415 (imports moto)

        with self._locks["iam"]:
            return simulate(params)

    def handle(self, request: Request, environ: dict[str, Any], service: str) -> Response:
        """Let moto answer one request, then keep what it changed. Raises: AwsError."""
        self.start()
        backend = BACKENDS[service]
        with self._locks[backend]:
            response = self._call(request, environ, service)
            if response.status < 300:
                if backend == "s3":
                    assert self._objects is not None  # noqa: S101 (start() made it)
                    self._objects.write_through(request)
                elif not _action(request).startswith(_READS):
                    self._keep(backend)
        return response

    def _call(self, request: Request, environ: dict[str, Any], service: str) -> Response:
        started: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> None:
            started.update(
                status=int(status.split(maxsplit=1)[0]), headers={name.lower(): value for name, value in headers}
            )

        environ["RAW_URI"] = environ["REQUEST_URI"]  # or moto decodes the key of an object twice
        environ["wsgi.input"] = io.BytesIO(request.body)
        environ["CONTENT_LENGTH"] = str(len(request.body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        try:
            chunks = self._application(environ, start_response)
            body = b"".join(chunks)
        except NotImplementedError as err:
            raise NotEmulated(f"{service}:{_action(request) or request.method}") from err
        return Response(status=started["status"], body=body, headers=started["headers"])

    def _keep(self, backend: str) -> None:
        from moto.backends import get_backend  # noqa: PLC0415

        for name in (backend, *_SPILLS.get(backend, ())):
            with self._locks[name]:
                content = io.BytesIO()
                _Pickler(content).dump(dict(get_backend(name)[ACCOUNT].items()))
                write_atomically(self._folder / f"{name}.pickle", content.getvalue())

    def _restore(self, file: Path) -> None:
        from moto.backends import get_backend  # noqa: PLC0415

        try:
            regions = pickle.loads(file.read_bytes())  # noqa: S301
            get_backend(file.stem)[ACCOUNT].update(regions)
        except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, TypeError, ValueError) as err:
            set_aside(file, str(err))

    def _tagged(self, region: str) -> dict[str, dict[str, str]]:
        """Give the tags of all resources of moto in a region by their ARNs."""
        from moto.core.resource_tagging import iter_taggable_backends  # noqa: PLC0415

        self.start()
        backends = iter_taggable_backends(ACCOUNT, region)
        return {found.arn: found.tags for backend in backends for found in backend.iter_tagged_resources()}

    def _warn_of_other_versions(self) -> None:
        for other in self._cloud.folder.glob("moto-*"):
            if other != self._folder and any(other.glob("*.pickle")):
                LOG.warning("%s was written by another version of moto and is not read: starting empty", other.name)


def _know_copies() -> None:
    """Let the copies of an inference component be scaled: moto knows instances of variants only."""
    from moto.applicationautoscaling import models, responses  # noqa: PLC0415

    names = {one.name: one.value for one in models.ScalableDimensionValueSet}
    names["SAGEMAKER_INFERENCE_COMPONENT_DESIRED_COPY_COUNT"] = "sagemaker:inference-component:DesiredCopyCount"
    known = Enum("ScalableDimensionValueSet", names)  # type: ignore[misc]  # its members are found when it runs
    models.ScalableDimensionValueSet = responses.ScalableDimensionValueSet = known


def _action(request: Request) -> str:
    target = request.headers.get("x-amz-target")
    if target:
        return target.rpartition(".")[2]
    if "/operation/" in request.path:
        return request.path.rpartition("/operation/")[2]
    if "form-urlencoded" in request.headers.get("content-type", ""):
        return dict(parse_qsl(request.body.decode("utf-8", "replace"))).get("Action", "")
    return ""
