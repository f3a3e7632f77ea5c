"""Read the prices that matter out of one AWS offer file, without ever holding the file in memory.

An offer file is one JSON object: `products[sku].attributes` says what is sold,
`terms.OnDemand[sku][offer].priceDimensions[rate].pricePerUnit.USD` what it costs. Its products and its
terms are each read as a stream, in whichever order the file has them.
Source: AWS Price List Bulk API, "Reading price list files"; docs/prices.md#refresh.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import IO

import ijson

from fitness.errors import PriceBookError

MAX_USD = Decimal(100_000)  # no unit costs more; a price above it is a slip of the file

# The usage type begins with a code of the Region, as in "EU-Host:ml.m5.xlarge"; some have none.
_REGION_CODE = r"(?:[A-Z]{2,4}[0-9]{0,2}-)?"
_INSTANCE = re.compile(_REGION_CODE + r"(Host|AsyncInf|Tsform|Processing|Train|Notebk):(ml\.[a-z0-9-]+\.[a-z0-9-]+)")
_SERVERLESS = re.compile(_REGION_CODE + r"ServerlessInf:Mem-([1-9])GB")
_PROVISIONED = re.compile(_REGION_CODE + r"(?:ServerlessInf:)?ProvisionedConcurrency:(Usage|Mem)-([1-9])GB")
_STORAGE = re.compile(_REGION_CODE + r"(Host|Processing|Train|Notebk):VolumeUsage\.gp2")
_DATA = re.compile(r"(?:.*[-:])?Data-Bytes-(In|Out)")
_COMPONENT = MappingProxyType(
    {
        "Host": "hosting",
        "AsyncInf": "async",
        "Tsform": "batch_transform",
        "Processing": "processing",
        "Train": "training",
        "Notebk": "notebook",
    }
)
# What the file calls each unit of ours, in lower case.
_UNIT_NAMES = MappingProxyType(
    {
        "hours": frozenset({"hrs", "hr", "hours", "hour"}),
        "seconds": frozenset({"seconds", "second", "secs", "sec"}),
        "GB-months": frozenset({"gb-mo", "gb-month", "gb-months"}),
        "GB": frozenset({"gb"}),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferFile:
    """What one Region's offer file says of the items that the price book knows."""

    version: str  # "20260921172504"
    as_of: str  # the day of publication, "2026-09-21"
    usd_by_item: Mapping[str, Decimal]
    units: Mapping[str, str]
    skipped: Mapping[str, int]  # records of known items that could not be used, by reason


@dataclass(frozen=True, slots=True)
class _Wanted:
    item: str
    unit: str


def read_offer_file(file: IO[bytes], region: str) -> OfferFile:
    """The prices of one Region's offer file, from a binary file that can be read again from its start.

    A record without a term, at no price, in another unit or currency than expected is left out and
    counted. Where two records price one item, the dearer stands and the other is counted.
    Raises: PriceBookError if the text is not JSON to its end, names no day of publication, or has no
    price of a hosting instance.
    """
    skipped: Counter[str] = Counter()
    try:
        version = str(_first(file, "version") or "unknown")[:40]
        as_of = _published(_first(file, "publicationDate"))
        wanted = _wanted(_entries(file, "products"), region, skipped)
        usd_by_item = _priced(_entries(file, "terms.OnDemand"), wanted, skipped)
    except (ijson.JSONError, UnicodeDecodeError) as err:
        raise PriceBookError(f"the offer file of {region} is not complete JSON: {err}") from err
    if not any(item.startswith("hosting/") for item in usd_by_item):
        raise PriceBookError(
            f"the offer file of {region} has no price of a hosting instance "
            f"({len(wanted)} products known, skipped: {dict(skipped) or 'none'})"
        )
    units = {each.item: each.unit for each in wanted.values() if each.item in usd_by_item}
    return OfferFile(version=version, as_of=as_of, usd_by_item=usd_by_item, units=units, skipped=dict(skipped))


def _first(file: IO[bytes], prefix: str) -> object:
    file.seek(0)
    return next(iter(ijson.items(file, prefix)), None)


def _entries(file: IO[bytes], prefix: str) -> Iterator[tuple[str, object]]:
    """The members of one object of the file, one at a time; the file is read to its end."""
    file.seek(0)
    yield from ijson.kvitems(file, prefix)


def _published(value: object) -> str:
    """The day of "2026-09-21T17:25:04Z"."""
    day = str(value)[:10]
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError as err:
        raise PriceBookError(f"the offer file names no day of publication, got {day!r}") from err


def _wanted(products: Iterable[tuple[str, object]], region: str, skipped: Counter[str]) -> dict[str, _Wanted]:
    """What each product of interest is, by its SKU."""
    wanted = {}
    for sku, product in products:
        attributes = product.get("attributes") if isinstance(product, dict) else None
        if not isinstance(product, dict) or not isinstance(attributes, dict):
            skipped["malformed product"] += 1
            continue
        match = _match(str(product.get("productFamily")), attributes)
        if match is None:
            continue
        if attributes.get("regionCode", region) != region:
            skipped["another Region"] += 1
            continue
        wanted[sku] = match
    return wanted


def _match(family: str, attributes: Mapping[str, object]) -> _Wanted | None:
    """The item of a product; None if the price book has no such item."""
    usage = str(attributes.get("usagetype"))
    if family == "ML Instance" and (found := _INSTANCE.fullmatch(usage)):
        return _Wanted(f"{_COMPONENT[found[1]]}/{found[2]}", "hours")
    if family == "ML Serverless" and (found := _SERVERLESS.fullmatch(usage)):
        return _Wanted(f"serverless/duration/{int(found[1]) * 1024}", "seconds")
    if family == "ML Serverless" and (found := _PROVISIONED.fullmatch(usage)):
        kind = "usage" if found[1] == "Usage" else "duration"
        return _Wanted(f"provisioned_concurrency/{kind}/{int(found[2]) * 1024}", "seconds")
    if family == "Storage" and (found := _STORAGE.fullmatch(usage)):
        return _Wanted(f"storage/{_COMPONENT[found[1]]}", "GB-months")
    if found := _DATA.fullmatch(usage):
        direction = found[1].lower()
        if attributes.get("group") == f"Hosting:{direction.upper()}":
            return _Wanted(f"data_{direction}", "GB")
    return None


def _priced(
    terms: Iterable[tuple[str, object]], wanted: Mapping[str, _Wanted], skipped: Counter[str]
) -> dict[str, Decimal]:
    prices: dict[str, Decimal] = {}
    seen = set()
    for sku, offers in terms:
        target = wanted.get(sku)
        if target is None:
            continue
        seen.add(sku)
        usd = _usd(offers, target.unit)
        if isinstance(usd, str):
            skipped[usd] += 1
            continue
        if target.item in prices and prices[target.item] != usd:
            skipped["two prices of one item"] += 1
            usd = max(usd, prices[target.item])
        prices[target.item] = usd
    if without := len(wanted.keys() - seen):
        skipped["no term"] += without
    return prices


def _usd(offers: object, unit: str) -> Decimal | str:
    """The on-demand price of the first units of a product, or why there is none."""
    reason, found = "no term", []
    for dimension in _dimensions(offers):
        per_unit = dimension.get("pricePerUnit")
        text = per_unit.get("USD") if isinstance(per_unit, dict) else None
        if text is None:
            reason = "no price in USD"
        elif str(dimension.get("unit")).lower() not in _UNIT_NAMES[unit]:
            reason = "another unit"
        else:
            usd = _decimal(text)
            start = _decimal(dimension.get("beginRange") or 0)
            if usd is None or start is None or not 0 <= usd < MAX_USD:
                reason = "malformed price"
            elif usd == 0:
                reason = "price of zero"
            else:
                found.append((start, usd))
    return min(found)[1] if found else reason


def _dimensions(offers: object) -> Iterator[Mapping[str, object]]:
    for offer in offers.values() if isinstance(offers, dict) else ():
        dimensions = offer.get("priceDimensions") if isinstance(offer, dict) else None
        for dimension in dimensions.values() if isinstance(dimensions, dict) else ():
            if isinstance(dimension, dict):
                yield dimension


def _decimal(text: object) -> Decimal | None:
    try:
        value = Decimal(str(text))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
