"""From the models of a request to containers: samples, S3 addresses and folders become images with model data.

Source: docs/launch/models.md.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from fitness.errors import InputError, Problem
from launch import bucket, images, packaging, samples
from launch.clients import Clients, explained
from launch.errors import RefusedError
from launch.layouts import SCRIPT_VARIABLES, layout
from launch.packaging import NotReadableError, Packed
from launch.repositories import Repository, repository
from launch.request import BUCKET, FRAMEWORKS, Container, Model, Request, as_document, models_of
from launch.samples import Sample
from launch.triton_repository import Batching

MANY_MODELS = ("mme", "mme_gpu")
ARCHIVE = "model.tar.gz"
_TYPE = "instance_type"
# The step before must write what the next one reads. Source: SageMaker Python SDK, PipelineModel, read 2026-11-21.
_ACCEPT_CSV = {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv"}
_BY_SCRIPT = ("sklearn", "pytorch", "huggingface", "onnx")  # their images look for a script
_PREFIXES = '"sample:GROUP/", "s3://bucket/prefix/" or a folder with an archive or a folder for each model'


class _WrongError(Exception):
    """What is wrong with one model: the field, and a sentence."""

    def __init__(self, *found: tuple[str, str]) -> None:
        super().__init__(found)
        self.found = found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Store:
    """Where models come from and are put."""

    s3: Any
    account: str
    region: str
    writes: bool  # else addresses are worked out, and nothing is uploaded
    samples: Sequence[Sample]

    def put(self, archives: Mapping[str, Packed], sha256: str) -> str:
        """Upload archives, by name, under an address of their content; gives its prefix."""
        name = bucket.bucket_name(self.account, self.region)
        if self.writes:
            bucket.make_bucket(self.s3, name, region=self.region, account=self.account)
            for key, archive in archives.items():
                uri = bucket.archive_uri(name, sha256, key)
                bucket.upload(self.s3, archive, uri, account=self.account)
        return bucket.archive_uri(name, sha256, "")


def resolve(request: Request, clients: Clients, *, upload: bool = True) -> Request:
    """Give the request with its containers; folders are packed, and uploaded unless `upload` is false.

    The containers are the same either way, so a plan can be shown before anything is written.
    Raises: InputError with everything wrong with every model; CloudError.
    """
    asked = models_of(request).values()
    if not asked:
        return request
    with explained():
        s3, account = clients("s3"), clients("sts").get_caller_identity()["Account"]
        uses_samples = any(model.source.startswith(samples.PREFIX) for model in asked)
        store = _Store(
            s3=s3,
            account=account,
            region=request.region,
            writes=upload,
            samples=samples.read_samples(s3, account) if uses_samples else (),
        )
        if upload and _uses_bucket(request):
            name = bucket.bucket_name(account, request.region)
            bucket.make_bucket(s3, name, region=request.region, account=account)
        return _resolved(request, store)


def upload(planned: Request, clients: Clients) -> None:
    """Upload the models of a plan's request that are not there yet.

    Raises: RefusedError if they are no longer those that were planned; InputError, CloudError.
    """
    if resolve(planned, clients) != planned:
        raise RefusedError("the models have changed since this was planned; nothing was done. Plan again, and confirm.")


def _uses_bucket(request: Request) -> bool:
    """Whether requests, answers or captured data go into the program's bucket, whatever the models lie in."""
    return (request.option == "async" and request.async_output_s3 is None) or BUCKET in str(as_document(request))


def _resolved(request: Request, store: _Store) -> Request:
    """The request with the containers of all its models. Raises: InputError."""
    if request.option == "triton_ensemble" and len(request.models) > 1:
        return replace(request, containers=(_ensemble(request, store),))
    found: dict[str, Container] = {}
    problems = []
    kinds = {f"variants[{index}].model": one.instance_type for index, one in enumerate(request.variants)}
    last = f"models[{len(request.models) - 1}]"
    for place, model in models_of(request).items():
        kind = kinds.get(place)
        on = request if kind is None else replace(request, configuration={**request.configuration, _TYPE: kind})
        try:
            one = _container(on, model, store)
        except _WrongError as err:
            problems += [Problem(path=f"$.{place}.{at}", message=message) for at, message in err.found]
            continue
        before = _ACCEPT_CSV if request.option == "serial_pipeline" and place != last else {}
        found[place] = replace(one, environment={**before, **one.environment, **model.environment}, name=model.name)
    if problems:
        raise InputError(problems)
    return replace(
        request,
        containers=tuple(found[f"models[{index}]"] for index in range(len(request.models))) or request.containers,
        variants=tuple(
            replace(one, container=found[f"variants[{index}].model"]) for index, one in enumerate(request.variants)
        ),
    )


def _container(request: Request, model: Model, store: _Store) -> Container:
    if request.option == "triton_ensemble" and model.framework is None and model.image is None:
        model = replace(model, framework="triton")
    model = _with_sample_framework(model, store)
    if model.source.startswith("s3://"):
        source = model.source.replace("{account}", store.account).replace("{region}", store.region)
        model = replace(model, source=source)
    image = _image(request, model)
    many = request.option in MANY_MODELS
    if many and not _is_prefix(model.source):
        raise _WrongError(("source", f"must hold many models: {_PREFIXES}, got {model.source!r}"))
    if model.source.startswith("s3://"):
        _check_s3(model.source, store.s3, many=many)
        return Container(image=image, model_data_url=model.source, environment=_variables(model), is_prefix=many)
    if many and model.source.startswith(samples.PREFIX):
        uri = f"s3://{samples.BUCKET}/{model.source.removeprefix(samples.PREFIX)}"
        return Container(image=image, model_data_url=uri, environment=_variables(model), is_prefix=True)
    with tempfile.TemporaryDirectory(prefix="hostfit-") as scratch:
        if many:
            return _of_many(request, model, image, store, Path(scratch))
        return _of_one(request, model, image, store, Path(scratch))


def _of_one(request: Request, model: Model, image: str, store: _Store, scratch: Path) -> Container:
    with _folder(model, store) as (folder, archive):
        packed, environment = _packed(folder, archive, model, request, scratch / ARCHIVE)
        sample = _sample(model, store)
        if sample is not None and archive is not None and packed.path == archive:
            return Container(image=image, model_data_url=sample.uri, environment=environment)
        return Container(
            image=image, model_data_url=store.put({ARCHIVE: packed}, packed.sha256) + ARCHIVE, environment=environment
        )


def _of_many(request: Request, model: Model, image: str, store: _Store, scratch: Path) -> Container:
    """A folder with a folder or an archive for each model; all of them go under one prefix."""
    top = Path(model.source)
    members = sorted(
        path
        for path in top.iterdir()
        if not path.name.startswith(".") and (path.is_dir() or packaging.is_archive(path))
    )
    if not members:
        raise _WrongError(("source", f"has no folder and no archive of a model: {model.source}"))
    archives: dict[str, Packed] = {}
    environment: Mapping[str, str] = {}
    wrong: list[tuple[str, str]] = []
    for member in members:
        name = member.name.removesuffix(".tar.gz").removesuffix(".tgz") + ".tar.gz"
        one = replace(model, source=str(member))
        try:
            with _folder(one, store) as (folder, archive):
                packed, environment = _packed(folder, archive, one, request, scratch / name)
        except _WrongError as err:
            wrong += [(at, f"{member.name}: {message}") for at, message in err.found]
        else:
            archives[name] = packed
    if wrong:
        raise _WrongError(*wrong)
    lines = "\n".join(f"{name} {archive.sha256}" for name, archive in archives.items())
    prefix = store.put(archives, hashlib.sha256(lines.encode()).hexdigest())
    return Container(image=image, model_data_url=prefix, environment=environment, is_prefix=True)


def _ensemble(request: Request, store: _Store) -> Container:
    """Several models become one repository, chained in the order of the request."""
    files: dict[str, Path] = {}
    problems: list[Problem] = []
    environment: dict[str, str] = {}
    image = ""
    with ExitStack() as stack:
        for index, model in enumerate(request.models):
            try:
                version = model.framework_version if model.framework == "triton" else None
                image = image or _image(request, replace(model, framework="triton", framework_version=version))
                folder, _ = stack.enter_context(_folder(model, store))
                name = f"{index + 1:02d}-{model.name or Path(model.source.rpartition(':')[2]).name.partition('.')[0]}"
                files |= {_inside(name, inner): path for inner, path in packaging.files_in(folder).items()}
            except _WrongError as err:
                problems += [Problem(path=f"$.models[{index}].{at}", message=message) for at, message in err.found]
            except NotReadableError as err:
                problems.append(Problem(path=f"$.models[{index}].source", message=str(err)))
            environment |= model.environment
        if problems:
            raise InputError(problems)
        made = repository(files, Batching.of(request.configuration))
        if made.problems:
            raise InputError([Problem(path="$.models", message=message) for message in made.problems])
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hostfit-")))
        packed = packaging.pack(made.files, scratch / ARCHIVE)
        url = store.put({ARCHIVE: packed}, packed.sha256) + ARCHIVE
    return Container(image=image, model_data_url=url, environment={**made.environment, **environment})


def _inside(model: str, name: str) -> str:
    """A file of one model in the repository: versions and configurations stay, a lone file is its first version."""
    tail = name.split("/")
    while len(tail) > 2 and not tail[-2].isdigit():
        tail = tail[1:]
    return "/".join([model, *(tail[-2:] if len(tail) > 1 and tail[-2].isdigit() else tail[-1:])])


def _packed(
    folder: Path, archive: Path | None, model: Model, request: Request, target: Path
) -> tuple[Packed, Mapping[str, str]]:
    """Pack a folder in the layout of its image; an archive that has it already is taken as it is."""
    try:
        files = packaging.files_in(folder)
    except NotReadableError as err:
        raise _WrongError(("source", f"{err}: {model.source}")) from err
    if model.framework == "triton":
        made: Repository = repository(files, Batching.of(request.configuration))
        content, environment, problems = made.files, made.environment, made.problems
        is_as_given = dict(content) == files
    else:
        found = layout(model.framework, list(files), script=model.environment.get("SAGEMAKER_PROGRAM"))
        content = {**{place: files[name] for place, name in found.files.items()}, **found.added}
        environment, problems, is_as_given = dict(found.environment), found.problems, found.is_as_given
    if problems:
        raise _WrongError(*(("source", f"{message}: {model.source}") for message in problems))
    if archive is not None and is_as_given and not packaging.has_left_out(folder):
        return packaging.packed(archive), environment
    return packaging.pack(content, target), environment


@contextmanager
def _folder(model: Model, store: _Store) -> Iterator[tuple[Path, Path | None]]:
    """The files of a source in a folder, and the archive that they came in, if any."""
    with tempfile.TemporaryDirectory(prefix="hostfit-") as scratch:
        given = Path(model.source).expanduser()
        archive: Path | None = None
        sample = _sample(model, store)
        uri = sample.uri if sample is not None else model.source
        if uri.startswith("s3://"):
            archive = Path(scratch) / ARCHIVE
            _check_s3(uri, store.s3, many=False)
            store.s3.download_file(*bucket.split_uri(uri), str(archive))
        elif given.is_file() and packaging.is_archive(given):
            archive = given
        elif not given.is_dir():
            message = "is no folder and no tar.gz" if given.exists() else "does not exist"
            raise _WrongError(("source", f"{message}: {model.source}"))
        if archive is None:
            yield given, None
            return
        unpacked = Path(scratch) / "unpacked"
        try:
            most_bytes = shutil.disk_usage(scratch).free // 2  # what is packed of it needs a place too
            packaging.unpack(archive, unpacked, most_bytes=most_bytes)
        except NotReadableError as err:
            raise _WrongError(("source", f"{err}: {model.source}")) from err
        yield unpacked, archive


def _with_sample_framework(model: Model, store: _Store) -> Model:
    """A sample knows what serves it."""
    if not model.source.startswith(samples.PREFIX) or model.image is not None or model.framework is not None:
        return model
    name = model.source.removeprefix(samples.PREFIX)
    one = next((sample for sample in store.samples if sample.group == name), None) or _sample(model, store)
    if one is None:
        return model
    return replace(model, framework=one.framework, framework_version=one.framework_version)


def _sample(model: Model, store: _Store) -> Sample | None:
    """The sample of a model; None for other sources and for groups."""
    if not model.source.startswith(samples.PREFIX):
        return None
    name = model.source.removeprefix(samples.PREFIX)
    groups = samples.groups(store.samples)
    if name in groups:
        return None
    found = next((one for one in store.samples if one.name == name), None)
    if found is None:
        names = [*groups, *(one.name for one in store.samples if one.group is None)]
        there = f"expected one of {', '.join(names)}" if names else f"the account has no bucket {samples.BUCKET}"
        raise _WrongError(("source", f"is no sample: {name}; {there}"))
    return found


def _is_prefix(source: str) -> bool:
    """Whether a source may hold many models."""
    if source.startswith((samples.PREFIX, "s3://")):
        return source.endswith("/")
    return Path(source).expanduser().is_dir()


def _image(request: Request, model: Model) -> str:
    """The image of a model. Raises: _WrongError without image and framework, or for one that the SDK does not know."""
    if model.image is not None:
        return model.image
    if model.framework is None:
        raise _WrongError(("framework", f"is missing: one of {', '.join(FRAMEWORKS)}, or an image"))
    kind = request.configuration.get(_TYPE)
    try:
        return images.image_uri(
            model.framework,
            version=model.framework_version,
            region=request.region,
            instance_type=kind if isinstance(kind, str) else None,
        )
    except ValueError as err:
        raise _WrongError(("framework_version", f"has no image: {err}")) from err


def _variables(model: Model) -> Mapping[str, str]:
    """The variables of an archive that nobody has looked into."""
    return SCRIPT_VARIABLES if model.framework in _BY_SCRIPT else {}


def _check_s3(uri: str, s3: Any, *, many: bool) -> None:
    """See that an archive, or something under a prefix, is there. Raises: _WrongError, ClientError."""
    name, key = bucket.split_uri(uri)
    try:
        if many:
            there = s3.list_objects_v2(Bucket=name, Prefix=key, MaxKeys=1).get("KeyCount", 0)
        else:
            if not packaging.is_archive(uri):
                raise _WrongError(("source", f"must be the address of a tar.gz, got {uri}"))
            s3.head_object(Bucket=name, Key=key)
            there = 1
    except ClientError as err:
        if not bucket.is_missing(err):
            raise
        there = 0
    if not there:
        raise _WrongError(("source", f"does not exist: {uri}"))
