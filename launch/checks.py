"""What a request may not ask: the rules of each option, all broken ones at once.

The limits are rows of the register (docs/limits.md); the rest is of the API reference, read 2026-11-21.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from fitness import limits
from fitness.analytic.settings import checked
from fitness.document import shown
from fitness.errors import InputError, Problem
from fitness.instances import catalogue
from fitness.items import SERVERLESS_MEMORY_MB
from fitness.machines import BURSTABLE
from fitness.simulation.policy_config import BACKLOG
from fitness.workload import Workload
from launch.fleets import fleets
from launch.request import Container, Request, Variant, as_document, from_document
from launch.roles import IMAGE
from launch.settings import KNOWN, NEEDED, Settings, has_local_disk, settings_of
from launch.template_alarms import watched
from launch.template_hosting import MOST_BLUE_GREEN_S, MOST_ROLLING_S, encrypts_volume, takes_s

PROFILE = "current"
PAYLOAD_MB = 6  # of a batch record, when nothing is set
TO_ZERO = ("async", "real_time")
PREFIXED = ("mme", "mme_gpu")
ON_GPU = ("mme_gpu",)
ON_CPU = ("mme", "mce_direct")
MOST_ALARMS = 10  # that take an update back: API reference, AutoRollbackConfig
MOST_TAGS = 40  # CloudFormation takes 50 of a stack; the launch has its own
# Share of the capacity that a step may have, in percent: API reference, TrafficRoutingConfig and RollingUpdatePolicy.
STEPS: Mapping[str, tuple[int, int]] = {"canary": (5, 50), "linear": (10, 50), "rolling": (5, 50)}


def check(request: Request, workload: Workload | None = None) -> Settings:
    """The settings of a request that may be launched.

    Raises: InputError with everything that the option, or the workload, does not allow.
    """
    from_document(as_document(request))  # the shape of every field
    problems = list(_configuration_problems(request))
    if problems:  # the other rules need settings that can be read
        raise InputError(problems)
    settings = settings_of(request)
    problems += _instance_problems(request, settings)
    problems += _scaling_problems(request, settings)
    problems += _container_problems(request)
    problems += _variant_problems(request, settings)
    problems += _feature_problems(request, settings)
    problems += _update_problems(request, settings)
    problems += _data_problems(request, settings)
    if workload is not None:
        problems += _demand_problems(request, workload)
    if problems:
        raise InputError(list(dict.fromkeys(problems)))  # variants share settings, and what is wrong with them
    return settings


def check_change(before: Request, after: Request) -> None:
    """See that a launch can be changed so in one step.

    Raises: InputError for what SageMaker refuses of an endpoint that runs.
    Source: SageMaker developer guide, "Exclusions" of deployment guardrails, and "Update endpoints that use auto
    scaling", read 2026-11-21.
    """
    runs, asked = ({one.name: one.settings for one in fleets(request)} for request in (before, after))
    problems = []
    if after.update is not None and set(runs) != set(asked):
        message = (
            "must be absent for a change that adds, drops or renames a variant: SageMaker's deployments keep them; "
            f"there are {', '.join(runs)}, and asked for are {', '.join(asked)}"
        )
        problems.append(_at("update", message))
    own = {one.name: f"variants[{index}].instance_type" for index, one in enumerate(after.variants)}
    first = "as long as its instances scale; end that in a change before: max_instances = min_instances, no schedule"
    for name, settings in runs.items():
        if settings.instance_type is None or settings.has_components or not settings.scales:
            continue
        if name not in asked:
            problems.append(_at("variants", f"must have {name} {first}"))
        elif asked[name].instance_type != settings.instance_type:
            message = f"must stay {settings.instance_type} {first}, got {asked[name].instance_type}"
            problems.append(_at(own.get(name, "configuration.instance_type"), message))
    if problems:
        raise InputError(problems)


def is_limited(option: str, name: str) -> limits.Limit | None:
    """The row of the register that says no."""
    found = limits.limit(option, name, PROFILE)
    return found if found is not None and found.value == "no" else None


def _at(name: str, message: str) -> Problem:
    return Problem(path=f"$.{name}", message=message)


def _configuration_problems(request: Request) -> Iterator[Problem]:
    given, known = request.configuration, KNOWN[request.option]
    for name in given:
        if name not in known:
            expected = ", ".join(sorted(known))
            yield _at(f"configuration.{name}", f"is not a setting of {request.option}; expected one of {expected}")
    for name in NEEDED[request.option]:
        if name not in given:
            yield _at(f"configuration.{name}", f"is missing: {request.option} needs it")
    try:
        checked({name: value for name, value in given.items() if name in known})
    except InputError as err:
        yield from (replace(one, path=one.path.replace("$.config.", "$.configuration.")) for one in err.problems)
    if request.option == "serverless" and "memory_mb" in given and given["memory_mb"] not in SERVERLESS_MEMORY_MB:
        sizes = ", ".join(map(str, SERVERLESS_MEMORY_MB))
        yield _at("configuration.memory_mb", f"must be one of {sizes}, got {shown(given['memory_mb'])}")


def _instance_problems(request: Request, settings: Settings) -> Iterator[Problem]:
    if settings.instance_type is None:
        return
    known, where = catalogue()[settings.instance_type], "configuration.instance_type"
    use = "transform" if request.option == "batch" else "hosting"
    if use not in known.accepts:
        yield _at(where, f"must be a type that SageMaker takes for {use}, got {known.name}")
    if request.option in ON_GPU and not known.accelerator_count:
        yield _at(where, f"must be a type with a GPU for {request.option}, got {known.name}")
    if request.option in ON_CPU and known.accelerator_count:
        yield _at(where, f"must be a type without a GPU for {request.option}, got {known.name}")
    if settings.volume_gb and has_local_disk(known.name):
        message = f"must be 0 or absent: {known.name} has a disk of its own, got {settings.volume_gb}"
        yield _at("configuration.volume_gb", message)
    row = limits.limit(request.option, "volume_gb", PROFILE)
    if row is not None and row.number is not None and (settings.volume_gb or 0) > row.number:
        yield _at("configuration.volume_gb", f"must be at most {row.text}, got {settings.volume_gb}")


def _scaling_problems(request: Request, settings: Settings) -> Iterator[Problem]:
    if settings.instance_type is None or request.option == "batch":
        return
    if settings.minimum == 0 and request.option not in TO_ZERO:
        yield _at("configuration.min_instances", f"must be >= 1: {request.option} does not scale to zero, got 0")
    if settings.scales and settings.instance_type.split(".")[1] in BURSTABLE:
        message = f"must not be burstable where instances scale, got {settings.instance_type}"
        yield _at("configuration.instance_type", message)
    is_async = request.option == "async"
    step = None if settings.stated is None else settings.stated.step
    goal = settings.backlog_target if is_async else settings.target_per_minute
    if settings.maximum > settings.minimum and step is None and goal is None and not settings.schedule:
        name = "target_backlog_per_instance" if is_async else "target_invocations_per_minute"
        span = f"{settings.minimum} to {settings.maximum} instances"
        yield _at(f"configuration.{name}", f"is missing: scaling from {span} needs a target or a policy")
    if step is not None and settings.stated is not None:
        usual = "InvocationsPerCopy" if settings.has_components else "InvocationsPerInstance"
        expected = BACKLOG if is_async else usual
        if settings.stated.metric != expected:
            message = f"must be {expected}, which this endpoint publishes, got {settings.stated.metric}"
            yield _at("configuration.policy.step.metric", message)
    for index, action in enumerate(settings.schedule):
        if action["min_instances"] == 0 and not (is_async or settings.has_components):
            path = f"configuration.policy.schedule[{index}].min_instances"
            yield _at(path, f"must be >= 1: {request.option} does not scale to zero, got 0")


def _container_problems(request: Request) -> Iterator[Problem]:
    count = len(request.containers)
    if count == 0:
        yield _at("containers", "is empty: the models have not been resolved yet")
        return
    if request.models and len(request.models) != count:
        yield _at("containers", f"must be as many as the models, {len(request.models)}, got {count}")
    low, high = (_number(request.option, f"containers_{end}", usual=1) for end in ("min", "max"))
    if not low <= count <= high:
        allowed = f"{low}" if low == high else f"{low} to {high}"
        yield _at("models", f"must be {allowed} for {request.option}, got {count}")
    names = [one.name for one in request.containers if one.name is not None]
    if len(set(names)) < len(names):
        yield _at("models", f"must have different names, got {', '.join(names)}")
    prefixes = 0
    for index, one in enumerate(request.containers):
        yield from _resolved_problems(f"containers[{index}]", one)
        if request.option == "mce_direct" and one.name is None:
            yield _at(f"models[{index}].name", "is missing: callers choose a container by its name")
        prefixes += one.is_prefix
        if request.option in PREFIXED and not one.is_prefix:
            yield _at(f"models[{index}].source", f"must be a prefix with many models for {request.option}")
    allowed_prefixes = _number(request.option, "multi_model_stages", usual=0)
    if request.option not in PREFIXED and prefixes > allowed_prefixes:
        yield _at("models", f"must have at most {allowed_prefixes} prefix with many models, got {prefixes}")


def _resolved_problems(where: str, one: Container) -> Iterator[Problem]:
    if IMAGE.fullmatch(one.image) is None:
        yield _at(f"{where}.image", f"must be an image in ECR with a tag or digest, got {shown(one.image)}")
    if "{" in one.model_data_url:
        yield _at(f"{where}.model_data_url", f"must name its bucket, got {shown(one.model_data_url)}")
    if one.is_prefix != one.model_data_url.endswith("/"):
        kind = "a prefix that ends with /" if one.is_prefix else "an object, not a prefix"
        yield _at(f"{where}.model_data_url", f"must be {kind}, got {shown(one.model_data_url)}")


def _variant_problems(request: Request, settings: Settings) -> Iterator[Problem]:
    """What is wrong with the variants beside the main one."""
    if not request.variants:
        if request.weight is not None:
            yield _at("weight", "is of the main variant among several; there are no variants")
        return
    if request.option != "real_time":
        yield _at("variants", f"are of real_time, not of {request.option}")
        return
    if settings.has_components:
        yield _at("variants", "are not possible where inference components have the models, or with min_instances 0")
        return
    most = _number(request.option, "variants_max", usual=1)
    variants = fleets(request)
    if len(variants) > most:
        yield _at("variants", f"must be at most {most} with the main one, got {len(variants)}")
    names = [one.name.replace("-", "").lower() for one in variants]
    if len(set(names)) < len(names):
        given = ", ".join(one.name for one in variants)
        yield _at("variants", f"must have names that differ in their letters and digits, got {given}")
    if not sum(one.weight for one in variants):
        yield _at("weight", "must be above 0 for one of the variants, the main one or another: nothing would be asked")
    if request.kms_key_arn is not None and len({encrypts_volume(one.settings) for one in variants}) > 1:
        message = "must be absent where only some of the variants' types have a disk of their own: SageMaker refuses it"
        yield _at("kms_key_arn", message)
    for index, one in enumerate(request.variants):
        yield from _beside_problems(request, f"variants[{index}]", one, variants[index + 1].settings)


def _beside_problems(request: Request, where: str, one: Variant, settings: Settings) -> Iterator[Problem]:
    """What is wrong with one variant beside the main one."""
    if one.container is None:
        yield _at(f"{where}.container", "is missing: the model has not been resolved yet")
    else:
        yield from _resolved_problems(f"{where}.container", one.container)
        if one.container.is_prefix:
            yield _at(f"{where}.model.source", f"must be one model for {request.option}, not a prefix")
    if one.max_instances is not None and one.max_instances < settings.minimum:
        yield _at(f"{where}.max_instances", f"must be >= min_instances = {settings.minimum}, got {one.max_instances}")
    if settings.instance_type not in catalogue():
        yield _at(f"{where}.instance_type", f"must be a known instance type, got {shown(one.instance_type)}")
        return
    for problem in (*_instance_problems(request, settings), *_scaling_problems(request, settings)):
        is_own = problem.path == "$.configuration.instance_type"
        yield replace(problem, path=f"$.{where}.instance_type") if is_own else problem


def _number(option: str, name: str, *, usual: int) -> int:
    row = limits.limit(option, name, PROFILE)
    return usual if row is None or row.number is None else int(row.number)


def _feature_problems(request: Request, settings: Settings) -> Iterator[Problem]:
    network = request.network
    asked = {
        "data_capture": ("capture", request.capture is not None),
        "vpc": ("network.subnets", network is not None and bool(network.subnets)),
        "network_isolation": ("network.isolation", network is not None and network.isolation),
    }
    for name, (path, is_asked) in asked.items():
        row = is_limited(request.option, name)
        if is_asked and row is not None and row.status != "disputed":
            reason = f": {row.note}" if row.note else ""
            yield _at(path, f"is not possible with {request.option} ({row.status}, {row.as_of}{reason})")
    if network is not None and bool(network.subnets) != bool(network.security_groups):
        yield _at("network", "must have both subnets and security_groups, or neither")
    if settings.provisioned is not None and request.option != "serverless":
        yield _at("provisioned_concurrency", f"is of serverless endpoints, not of {request.option}")
    if settings.provisioned is not None and settings.provisioned > (settings.max_concurrency or 200):
        most = settings.max_concurrency
        yield _at("provisioned_concurrency", f"must be at most max_concurrency = {most}, got {settings.provisioned}")
    if request.async_output_s3 is not None and request.option != "async":
        yield _at("async_output_s3", f"is of asynchronous endpoints, not of {request.option}")
    if request.alarms is not None and request.option == "batch":
        yield _at("alarms", "watch an endpoint; batch has none")
    if len(request.tags) > MOST_TAGS:
        yield _at("tags", f"must be at most {MOST_TAGS}, got {len(request.tags)}")


def _update_problems(request: Request, settings: Settings) -> Iterator[Problem]:
    update = request.update
    if update is None:
        return
    if request.option == "batch":
        yield _at("update", "is of endpoints; batch has none")
        return
    possible = ["all_at_once", "canary", "linear", "rolling"]
    if settings.has_components:
        possible = ["rolling"]  # UpdateInferenceComponent knows no other
    elif settings.instance_type is None:
        possible.remove("rolling")  # developer guide, deployment-guardrails-exclusions
    elif any((one.settings.instance_type or "").startswith("ml.inf1.") for one in fleets(request)):
        possible = ["all_at_once"]
    elif request.variants:
        possible.remove("rolling")  # the same page
    if update.strategy not in possible:
        what = "inference components" if settings.has_components else settings.instance_type or request.option
        what = "several variants" if request.variants else what
        yield _at("update.strategy", f"must be {' or '.join(possible)} for {what}, got {update.strategy}")
    low, high = STEPS.get(update.strategy, (0, 100))
    if not low <= update.percent <= high:
        message = f"must be from {low} to {high} for {update.strategy}, got {update.percent}"
        yield _at("update.percent", message)
    watching = watched(request)
    if watching is not None and update.rollback_on_alarms:
        each = (watching.latency_p99_ms is not None) + (watching.errors_per_minute is not None)
        if (count := each * len(fleets(request))) > MOST_ALARMS:
            message = f"must be false: at most {MOST_ALARMS} alarms take an update back, and the variants have {count}"
            yield _at("update.rollback_on_alarms", message)
    longest = MOST_ROLLING_S if update.strategy == "rolling" else MOST_BLUE_GREEN_S
    if takes_s(update) > longest:
        yield _at(
            "update.wait_s", f"must be shorter: the update may take at most {longest} s in all, got {update.wait_s}"
        )


def _data_problems(request: Request, settings: Settings) -> Iterator[Problem]:
    if request.option != "batch":
        if request.transform is not None:
            yield _at("transform", f"is of batch, not of {request.option}")
        return
    if request.transform is None:
        yield _at("transform", "is missing: batch needs the data that it reads and writes")
        return
    for name in ("input_s3", "output_s3"):
        uri = str(getattr(request.transform, name))
        if not uri.removeprefix("s3://").partition("/")[2].strip("/"):
            yield _at(f"transform.{name}", f"must name a prefix in its bucket, got {shown(uri)}")
    at_once, row = settings.transforms_at_once or 1, limits.limit("batch", "concurrency_payload_mb", PROFILE)
    if row is not None and row.number is not None and at_once * PAYLOAD_MB > row.number:
        message = f"must be at most {int(row.number) // PAYLOAD_MB}: each takes {PAYLOAD_MB} MB of {row.text}"
        yield _at("configuration.max_concurrent_transforms", f"{message}, got {at_once}")


def _demand_problems(request: Request, workload: Workload) -> Iterator[Problem]:
    """What the workload demands and the request leaves out."""
    network, demands = request.network, workload.constraints
    if demands.vpc and (network is None or not network.subnets):
        yield _at("network.subnets", "are missing: the workload must run in a VPC (constraints.vpc)")
    if demands.network_isolation and (network is None or not network.isolation):
        yield _at("network.isolation", "must be true: the workload demands it (constraints.network_isolation)")
    if demands.data_capture and request.capture is None:
        yield _at("capture", "is missing: the workload must keep its requests (constraints.data_capture)")
    if workload.region is not None and workload.region != request.region:
        yield _at("region", f"must be the workload's, {workload.region}, got {request.region}")
