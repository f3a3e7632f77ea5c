"""What a person asks to launch: one frozen value, read from a launch file or made from a verdict.

The fields are described in docs/launch/README.md#launch-file. A request says what is wanted, not whether it may be:
`launch.plan.plan` checks it against what the option can do.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace

from fitness import document
from fitness.analytic.settings import NUMBERS
from fitness.errors import InputError, Problem
from fitness.resolve import DEFAULT_REGION
from fitness.verdict import OptionResult
from fitness.workload import Workload
from launch import forms
from launch.reading import Fields

OPTIONS_TO_LAUNCH = (
    "real_time",
    "async",
    "batch",
    "serverless",
    "mme",
    "mme_gpu",
    "mce_direct",
    "serial_pipeline",
    "triton_ensemble",
)
FRAMEWORKS = ("sklearn", "xgboost", "onnx", "pytorch", "tensorflow", "huggingface", "triton")
SPLITS = ("line", "none")
STRATEGIES = ("all_at_once", "canary", "linear", "rolling")
MOST_WEIGHT = 1_000_000  # of a variant: any number for the API, but a share of less reaches nobody
# The program's bucket; an S3 URI may name the account and the Region so.
BUCKET = "s3://hostfit-{account}-{region}"
_MOST_INSTANCES = int(NUMBERS["max_instances"][1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One container as asked for."""

    source: str  # "sample:iris", "s3://bucket/model.tar.gz", "s3://bucket/prefix/" (many models), folder or archive
    name: str | None = None  # the container's host name: by it callers choose among containers
    framework: str | None = None  # with a version: the image that the SageMaker SDK knows for it
    framework_version: str | None = None
    image: str | None = None  # instead of a framework
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container with all that SageMaker needs: what a model resolves to."""

    image: str
    model_data_url: str
    environment: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    is_prefix: bool = False  # the URL is a prefix with many models


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A model that answers a share of the requests beside the main one; what is None is as in the configuration."""

    name: str  # callers may choose a variant by it
    weight: float = 1.0  # its share is its weight among those of all variants
    model: Model
    container: Container | None = None  # None until the model is resolved
    instance_type: str | None = None
    min_instances: int | None = None
    max_instances: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Requests and answers kept in S3."""

    percent: int
    s3_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Where the containers run: in subnets of a VPC, or without any network."""

    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    isolation: bool = False  # the containers reach no network at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """How a change reaches the callers."""

    strategy: str  # one of STRATEGIES
    percent: int = 10  # of the capacity, that changes first (canary) or in each step (linear, rolling)
    wait_s: int = 300  # between two steps, while the alarms are watched
    rollback_on_alarms: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """What is watched, and who is told."""

    latency_p99_ms: float | None = None
    errors_per_minute: int | None = None  # answers with a 5XX status
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transform:
    """The data of a batch job."""

    input_s3: str
    output_s3: str
    content_type: str = "text/csv"
    split: str = "line"  # a record is a line, or ("none") a whole object
    schedule: str | None = None  # of EventBridge Scheduler; None: one job now


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be launched, under which name and where."""

    name: str  # of the stack and of the endpoint
    option: str  # one of OPTIONS_TO_LAUNCH
    region: str
    configuration: Mapping[str, object]  # the settings of an answer, docs/settings.md
    models: tuple[Model, ...]
    containers: tuple[Container, ...] = ()  # empty until the models are resolved
    weight: float | None = None  # of the main variant among `variants`; None: 1
    variants: tuple[Variant, ...] = ()
    capture: Capture | None = None
    kms_key_arn: str | None = None
    network: Network | None = None
    update: Update | None = None
    alarms: Alarms | None = None
    transform: Transform | None = None
    async_output_s3: str | None = None
    provisioned_concurrency: int | None = None
    time_to_live_h: float | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def read_request(text: str | bytes) -> Request:
    """Give the request of a launch file, YAML or JSON.

    Raises: InputError with every wrong field at once.

    >>> read_request('''
    ... name: iris
    ... option: serverless
    ... region: eu-west-1
    ... configuration: {memory_mb: 2048, max_concurrency: 5}
    ... models: [{source: "sample:iris"}]
    ... ''').models[0].source
    'sample:iris'
    """
    return from_document(document.load(text))


def from_document(content: object) -> Request:
    """Give the request of plain values, as `as_document` gives them.

    Raises: InputError with every wrong field at once.
    """
    problems: list[Problem] = []
    given = Fields(content, "$", problems, known=names_of(Request))
    request = Request(
        name=given.text("name", *forms.NAME),
        option=given.choice("option", OPTIONS_TO_LAUNCH),
        region=given.text("region", *forms.REGION),
        configuration=_configuration(given),
        models=tuple(_model(one) for one in given.each("models", names_of(Model))),
        containers=tuple(_container(one) for one in given.each("containers", names_of(Container))),
        weight=given.number("weight", 0, MOST_WEIGHT),
        variants=tuple(_variant(one) for one in given.each("variants", names_of(Variant))),
        capture=_capture(given.inside("capture", names_of(Capture))),
        kms_key_arn=given.text_or_none("kms_key_arn", *forms.KMS_KEY),
        network=_network(given.inside("network", names_of(Network))),
        update=_update(given.inside("update", names_of(Update))),
        alarms=_alarms(given.inside("alarms", names_of(Alarms))),
        transform=_transform(given.inside("transform", names_of(Transform))),
        async_output_s3=given.text_or_none("async_output_s3", *forms.S3_URI),
        provisioned_concurrency=given.whole("provisioned_concurrency", 1, 200),
        time_to_live_h=given.number("time_to_live_h", 0.1, 24 * 365),
        tags=given.words("tags", forms.TAG_KEY, forms.TAG_VALUE),
    )
    if isinstance(content, Mapping) and not given.has("models") and not given.has("containers"):
        problems.append(Problem(path="$.models", message='is missing: a list such as [{source: "sample:iris"}]'))
    if problems:
        raise InputError(problems)
    return request


def as_document(request: Request) -> dict[str, object]:
    """Give the request as plain values, as a launch file has them; what is absent is left out.

    Reading it gives the same request.
    """
    return {name: plain for name, value in _entries(request) if (plain := _plain(value)) is not None}


def from_verdict(
    workload: Workload,
    result: OptionResult,
    *,
    name: str,
    models: Sequence[Model],
    capture: Capture | None = None,
    network: Network | None = None,
    transform: Transform | None = None,
) -> Request:
    """Give the request that launches an option of a verdict.

    What the workload demands (kept requests, no network) is asked for unless the caller says how.
    Raises: InputError for an option that is not launched here or has no configuration.
    """
    option = result.option.id
    problems = []
    if option not in OPTIONS_TO_LAUNCH:
        problems.append(Problem(path="$.option", message=f"can't be launched: {result.option.title}"))
    elif not result.configuration:
        problems.append(Problem(path="$.option", message=f"{result.option.title} has no configuration: {_why(result)}"))
    if problems:
        raise InputError(problems)
    demands = workload.constraints
    if capture is None and demands.data_capture:
        capture = Capture(percent=100, s3_uri=f"{BUCKET}/capture/{name}")
    if network is None and demands.network_isolation:
        network = Network(isolation=True)
    provisioned = result.configuration.get("provisioned_concurrency")
    return Request(
        name=name,
        option=option,
        region=workload.region or DEFAULT_REGION,
        configuration={key: value for key, value in result.configuration.items() if key != "provisioned_concurrency"},
        models=tuple(models),
        capture=capture,
        network=network,
        transform=transform,
        provisioned_concurrency=provisioned if isinstance(provisioned, int) and provisioned > 0 else None,
    )


def models_of(request: Request) -> dict[str, Model]:
    """Every model, also those of variants, by its place in the launch file."""
    found = {f"models[{index}]": model for index, model in enumerate(request.models)}
    return found | {f"variants[{index}].model": one.model for index, one in enumerate(request.variants)}


def with_models(request: Request, change: Callable[[Model], Model]) -> Request:
    """The request with every model changed, also those of variants."""
    return replace(
        request,
        models=tuple(change(one) for one in request.models),
        variants=tuple(replace(one, model=change(one.model)) for one in request.variants),
    )


def names_of(kind: type) -> tuple[str, ...]:
    """The names of the fields of a dataclass."""
    return tuple(one.name for one in fields(kind))


def _why(result: OptionResult) -> str:
    return "; ".join(gate.reason for gate in result.gates if gate.passes is False) or "nothing to configure"


def _entries(value: object) -> list[tuple[str, object]]:
    return [(name, getattr(value, name)) for name in names_of(type(value))]


def _plain(value: object) -> object:
    """A value as JSON has it; None for what is absent or empty."""
    if is_dataclass(value):
        return {name: plain for name, entry in _entries(value) if (plain := _plain(entry)) is not None}
    if isinstance(value, Mapping):
        return {key: entry for key, entry in value.items() if entry is not None} or None
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value] or None
    return value


def _configuration(given: Fields) -> Mapping[str, object]:
    """The settings; what they may be is checked with the option."""
    value = given.given.get("configuration", {})
    if isinstance(value, Mapping):
        return {str(key): entry for key, entry in value.items() if entry is not None}
    message = f"must be a mapping of settings, got {document.shown(value)}"
    given.problems.append(Problem(path=given.at("configuration"), message=message))
    return {}


def _model(given: Fields) -> Model:
    return Model(
        source=given.text("source", *forms.SOURCE),
        name=given.text_or_none("name", *forms.CONTAINER_NAME),
        framework=given.choice("framework", FRAMEWORKS) if given.has("framework") else None,
        framework_version=given.text_or_none("framework_version", *forms.VERSION),
        image=given.text_or_none("image", *forms.IMAGE),
        environment=given.words("environment", forms.ENVIRONMENT_KEY, forms.ENVIRONMENT_VALUE),
    )


def _container(given: Fields) -> Container:
    return Container(
        image=given.text("image", *forms.IMAGE),
        model_data_url=given.text("model_data_url", *forms.S3_URI),
        environment=given.words("environment", forms.ENVIRONMENT_KEY, forms.ENVIRONMENT_VALUE),
        name=given.text_or_none("name", *forms.CONTAINER_NAME),
        is_prefix=given.flag("is_prefix", usual=False),
    )


def _variant(given: Fields) -> Variant:
    model, container = given.inside("model", names_of(Model)), given.inside("container", names_of(Container))
    if model is None:
        message = 'is missing: a mapping such as {source: "sample:iris"}'
        given.problems.append(Problem(path=given.at("model"), message=message))
    weight = given.number("weight", 0, MOST_WEIGHT)
    return Variant(
        name=given.text("name", *forms.VARIANT_NAME),
        weight=1.0 if weight is None else weight,
        model=Model(source="") if model is None else _model(model),
        container=None if container is None else _container(container),
        instance_type=given.text_or_none("instance_type", *forms.INSTANCE_TYPE),
        min_instances=given.whole("min_instances", 1, _MOST_INSTANCES),
        max_instances=given.whole("max_instances", 1, _MOST_INSTANCES),
    )


def _capture(given: Fields | None) -> Capture | None:
    if given is None:
        return None
    return Capture(percent=given.whole("percent", 1, 100) or 100, s3_uri=given.text("s3_uri", *forms.S3_URI))


def _network(given: Fields | None) -> Network | None:
    if given is None:
        return None
    return Network(
        subnets=given.texts("subnets", *forms.SUBNET),
        security_groups=given.texts("security_groups", *forms.SECURITY_GROUP),
        isolation=given.flag("isolation", usual=False),
    )


def _update(given: Fields | None) -> Update | None:
    if given is None:
        return None
    usual = Update(strategy="all_at_once")
    percent, wait_s = given.whole("percent", 5, 100), given.whole("wait_s", 0, 3600)
    return Update(
        strategy=given.choice("strategy", STRATEGIES),
        percent=usual.percent if percent is None else percent,
        wait_s=usual.wait_s if wait_s is None else wait_s,
        rollback_on_alarms=given.flag("rollback_on_alarms", usual=usual.rollback_on_alarms),
    )


def _alarms(given: Fields | None) -> Alarms | None:
    if given is None:
        return None
    return Alarms(
        latency_p99_ms=given.number("latency_p99_ms", 1, 1e7),
        errors_per_minute=given.whole("errors_per_minute", 1, 1_000_000),
        email=given.text_or_none("email", *forms.EMAIL),
    )


def _transform(given: Fields | None) -> Transform | None:
    if given is None:
        return None
    usual = given.text("content_type", *forms.CONTENT_TYPE) if given.has("content_type") else "text/csv"
    return Transform(
        input_s3=given.text("input_s3", *forms.S3_URI),
        output_s3=given.text("output_s3", *forms.S3_URI),
        content_type=usual,
        split=given.choice("split", SPLITS, usual="line"),
        schedule=given.text_or_none("schedule", *forms.SCHEDULE),
    )
