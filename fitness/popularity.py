"""How requests spread over the models of one deployment."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

from fitness import document
from fitness.errors import InputError, Problem

HOT_MODELS_RATIO = 0.2  # `hot:SHARE` speaks of the hottest 20 % of models
MAX_EXPONENT = 10
_PARAMETER = re.compile(r"[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]{1,3})?")


class PopularityKind(StrEnum):
    """The three shapes of popularity."""

    UNIFORM = "uniform"
    ZIPF = "zipf"
    HOT = "hot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Popularity:
    """A shape with its parameter: the exponent of zipf, the share of the hottest 20 % of models."""

    kind: PopularityKind
    parameter: float | None


def popularity(text: str) -> Popularity:
    """Give the popularity that `uniform`, `zipf:S` or `hot:SHARE` stands for.

    Raises: InputError at `$.models.popularity`.

    >>> popularity("zipf:0.9").parameter
    0.9
    """
    kind, _, written = text.partition(":")
    if text == PopularityKind.UNIFORM:
        return Popularity(kind=PopularityKind.UNIFORM, parameter=None)
    if kind not in (PopularityKind.ZIPF, PopularityKind.HOT) or not _PARAMETER.fullmatch(written):
        _refuse(text, "must be hot:SHARE, uniform or zipf:S (as zipf:0.9)")
    parameter = float(written)
    if kind == PopularityKind.ZIPF and parameter > MAX_EXPONENT:
        _refuse(text, f"must have an exponent from 0 to {MAX_EXPONENT}")
    if kind == PopularityKind.HOT and not HOT_MODELS_RATIO <= parameter <= 1:
        _refuse(text, f"must have a share from {HOT_MODELS_RATIO} (all models alike) to 1")
    return Popularity(kind=PopularityKind(kind), parameter=parameter)


def _refuse(text: str, message: str) -> NoReturn:
    raise InputError([Problem(path="$.models.popularity", message=f"{message}, got {document.shown(text)}")])
