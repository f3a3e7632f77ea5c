"""The analytic evaluation: queueing formulas per level of load, for every instance type, count and memory size.

It fills `fitness.outcome.Outcome` in milliseconds, for the first paint and for pruning. A simulation of every
request fills the same value behind the same call, `evaluate`.
"""

from collections.abc import Mapping, Sequence

from fitness.analytic import batch, on_demand, queued, served
from fitness.inputs import Inputs
from fitness.outcome import Outcome
from fitness.prices import PriceBook

VARIANTS: Mapping[str, tuple[str, ...]] = {
    "real_time": ("always_on", "inference_components"),
    "async": ("from_zero", "always_on"),
    "serverless": ("on_demand", "provisioned"),
    "azure_functions": ("on_demand",),
}


def variants(option: str) -> tuple[str, ...]:
    """The ways to run an option, the plain one first."""
    return VARIANTS.get(option, ("always_on",))


def evaluate(
    option: str,
    variant: str,
    inputs: Inputs,
    book: PriceBook,
    *,
    config: Mapping[str, object],
    types: Sequence[str] | None = None,
) -> Outcome | None:
    """Give the cheapest configuration that meets the objectives, and what it does, for every draw.

    `config` fixes settings by their public name; `types` restricts the instance types that are tried.
    None: no configuration exists, e.g. no priced type has the accelerator.
    """
    if option == "batch":
        return batch.evaluate(inputs, book, config=config, types=types)
    if option == "async":
        return queued.evaluate(variant, inputs, book, config=config, types=types)
    if option in ("serverless", "azure_functions"):
        return on_demand.evaluate(option, variant, inputs, book, config=config)
    return served.evaluate(option, variant, inputs, book, config=config, types=types)
