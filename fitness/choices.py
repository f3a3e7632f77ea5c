"""The closed sets of words that a workload file may use."""

from enum import StrEnum


class Frameworks(StrEnum):
    """Whether the models of one deployment share a framework and serving stack."""

    SAME = "same"
    DIFFERENT = "different"


class Composition(StrEnum):
    """How one request uses the models."""

    SINGLE = "single"
    INDEPENDENT = "independent"
    SEQUENTIAL = "sequential"
    ENSEMBLE = "ensemble"


class Accelerator(StrEnum):
    """The accelerator that the models need."""

    NONE = "none"
    GPU = "gpu"
    INFERENTIA = "inferentia"


class Distribution(StrEnum):
    """Shape of the processing time; gamma with a spread of 1 is the exponential."""

    LOGNORMAL = "lognormal"
    GAMMA = "gamma"
    CONSTANT = "constant"


class Pattern(StrEnum):
    """How requests arrive over the month."""

    STEADY = "steady"
    DIURNAL = "diurnal"
    SPIKY = "spiky"
    INTERMITTENT = "intermittent"
    SCHEDULED = "scheduled"


class Sensitivity(StrEnum):
    """How much cost matters beside the other objectives."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class LimitProfile(StrEnum):
    """The dated profiles of the limit register."""

    CURRENT = "current"
    ARTICLE = "article"
