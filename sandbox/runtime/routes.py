"""Which fleet answers for an endpoint: sides of an update by their share, variants by their weight."""

import random
from dataclasses import dataclass, field

from sandbox.errors import AwsError
from sandbox.runtime.fleet import Fleet


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturePlan:
    """What of the requests is written to S3."""

    destination: str
    sampling_ratio: float
    input: bool
    output: bool
    csv_types: frozenset[str]
    json_types: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncPlan:
    """Where asynchronous results and notices go."""

    output: str
    failure: str
    success_topic: str
    error_topic: str
    include_in: tuple[str, ...]
    concurrency: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A production variant with its share of the traffic."""

    name: str
    weight: float
    fleet: Fleet


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The variants of one endpoint configuration; during an update there are two sides."""

    share: float
    variants: tuple[Variant, ...]
    capture: CapturePlan | None
    asynchronous: AsyncPlan | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An endpoint that can be invoked."""

    name: str
    region: str
    sides: tuple[Side, ...]
    components: dict[str, Fleet] = field(default_factory=dict)

    def choose(self, *, target_variant: str, component: str) -> tuple[Side, str, Fleet]:
        """Choose who answers: the side, the variant's name and its fleet. Raises: AwsError ValidationError."""
        side = self.sides[0]
        if len(self.sides) > 1:
            (side,) = random.choices(self.sides, [side.share for side in self.sides])  # noqa: S311 (no secret)
        if self.components:
            if component not in self.components:
                message = f"Inference component {component!r} is not on endpoint {self.name}."
                raise AwsError("ValidationError", message)
            return side, side.variants[0].name, self.components[component]
        if target_variant:
            return self._targeted(target_variant)
        variants = side.variants
        if len(variants) == 1:
            return side, variants[0].name, variants[0].fleet
        weights = [variant.weight for variant in variants]
        if not sum(weights):
            raise AwsError("ValidationError", f"No production variant of endpoint {self.name} has a weight above 0.")
        (variant,) = random.choices(variants, weights)  # noqa: S311
        return side, variant.name, variant.fleet

    def _targeted(self, name: str) -> tuple[Side, str, Fleet]:
        for side in self.sides:
            for variant in side.variants:
                if variant.name == name:
                    return side, name, variant.fleet
        raise AwsError("ValidationError", f"Variant {name} not found for Endpoint {self.name}.")
