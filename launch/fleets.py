"""The production variants of an endpoint: the main one, and those that a request has beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from launch.request import Container, Request, Variant
from launch.settings import Settings, has_local_disk, settings_of
from launch.template_parts import VARIANT


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """One production variant: instances with the same containers, which answer a share of the requests."""

    name: str
    suffix: str  # of the names of its resources in the template; "" of the main one
    weight: float
    containers: Mapping[str, Container]  # by the parameter that holds where each model lies
    settings: Settings


def fleets(request: Request) -> tuple[Fleet, ...]:
    """The variants of a request whose models are resolved, the main one first; a batch job has one too."""
    settings, count = settings_of(request), len(request.containers)
    main = Fleet(
        name=VARIANT,
        suffix="",
        weight=1 if request.weight is None else request.weight,
        containers={
            "ModelData" if count == 1 else f"ModelData{index + 1}": one for index, one in enumerate(request.containers)
        },
        settings=settings,
    )
    return (main, *(_beside(one, settings) for one in request.variants))


def parameters(request: Request) -> dict[str, Container]:
    """Every container by the parameter that holds where its model lies."""
    return {name: one for fleet in fleets(request) for name, one in fleet.containers.items()}


def shares(request: Request) -> dict[str, float]:
    """The share of the requests that each variant answers, 0..1, by its name.

    >>> from launch.request import Model
    >>> model = Model(source="sample:iris")
    >>> new = Variant(name="new", model=model)
    >>> shares(
    ...     Request(
    ...         name="a",
    ...         option="real_time",
    ...         region="eu-west-1",
    ...         configuration={},
    ...         models=(model,),
    ...         weight=9.0,
    ...         variants=(new,),
    ...     )
    ... )
    {'AllTraffic': 0.9, 'new': 0.1}
    """
    weights = {one.name: one.weight for one in fleets(request)}
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


def suffix_of(name: str) -> str:
    """What the names of a variant's resources end with: letters and digits, as CloudFormation wants them.

    >>> suffix_of("new-model")
    'OfNewModel'
    """
    return "Of" + "".join(part[:1].upper() + part[1:] for part in name.split("-"))


def _beside(one: Variant, main: Settings) -> Fleet:
    kind = one.instance_type or main.instance_type
    minimum = one.min_instances or main.minimum
    suffix = suffix_of(one.name)
    return Fleet(
        name=one.name,
        suffix=suffix,
        weight=one.weight,
        containers={} if one.container is None else {f"ModelData{suffix}": one.container},
        settings=replace(
            main,
            instance_type=kind,
            minimum=minimum,
            maximum=max(minimum, one.max_instances or main.maximum),
            volume_gb=None if kind is not None and has_local_disk(kind) else main.volume_gb,
            schedule=(),  # its times and bounds are the main variant's
        ),
    )
