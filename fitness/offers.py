"""Refresh the price book from AWS's public offer files.

For each Region: the region index names its offer file, the file is streamed to a temporary one on
disk, read as a stream, and written as a dated price file that takes the place of the Region's old one
in a single step. On any error the old file stays as it was. No account is needed. With `download`,
this is the one place of the package that uses the network.
Source: docs/prices.md#refresh.
"""

import csv
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from fitness.bill import plain
from fitness.download import Patience, fetch
from fitness.errors import PriceBookError
from fitness.offer_file import OfferFile, read_offer_file
from fitness.price_rows import REFRESHED, PriceRow

BASE_URL = "https://pricing.us-east-1.amazonaws.com"
INDEX_PATH = "/offers/v1.0/aws/AmazonSageMaker/current/region_index.json"
MAX_INDEX_BYTES = 8 * 1024 * 1024  # the index is some 10 kB
MAX_OFFER_BYTES = 512 * 1024 * 1024  # a Region's file is some 4 MB

# Regions of the commercial partition. GovCloud, the isolated partitions, China and Local Zones have
# other prices, currencies or accounts.
_COMMERCIAL = re.compile(r"(?!cn-)[a-z]{2}-[a-z]+-[0-9]{1,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the refresh of a Region is."""

    region: str
    stage: str  # "download", then "read", then "done"
    received_bytes: int = 0  # over the network; while reading, the size of the unpacked file
    total_bytes: int | None = None  # None: the server does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What the refresh of a Region wrote."""

    region: str
    path: Path
    as_of: str  # the day of publication, "2026-09-21"
    prices: int
    skipped: Mapping[str, int]  # records that could not be used, by reason


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferSource:
    """Where the offer files are and how patiently to fetch them."""

    base_url: str = BASE_URL
    patience: Patience = field(default_factory=Patience)
    max_offer_bytes: int = MAX_OFFER_BYTES


def offered_regions(source: OfferSource | None = None) -> Mapping[str, str]:
    """The address of each commercial Region's current offer file, by Region.

    Raises: PriceBookError if the index can't be fetched or is not an index.
    """
    source = source or OfferSource()
    with tempfile.TemporaryFile() as file:
        fetch(source.base_url + INDEX_PATH, file, max_bytes=MAX_INDEX_BYTES, patience=source.patience)
        try:
            index = json.load(file)
            found = {
                region: _address(source.base_url, str(entry["currentVersionUrl"]))
                for region, entry in index["regions"].items()
                if _COMMERCIAL.fullmatch(region)
            }
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as err:
            raise PriceBookError(f"the region index at {source.base_url}{INDEX_PATH} is not one: {err!r}") from err
    return dict(sorted(found.items()))


def refresh(
    directory: Path,
    regions: Iterable[str],
    source: OfferSource | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> tuple[Refreshed, ...]:
    """Write a price file for each of the Regions into a directory, which is made if need be.

    Every Region is tried. One that fails keeps the file that it had.
    Raises: PriceBookError that names the Regions that failed and why, after all were tried.
    """
    source = source or OfferSource()
    addresses = offered_regions(source)
    done, failed = [], []
    for region in dict.fromkeys(regions):
        try:
            done.append(_refresh_region(directory, region, addresses, source, progress))
        except (PriceBookError, OSError) as err:
            failed.append(f"{region}: {err}")
    if failed:
        kept = "the prices in use are kept"
        raise PriceBookError("\n".join((f"not refreshed, {kept}:", *failed)))
    return tuple(done)


def _refresh_region(
    directory: Path,
    region: str,
    addresses: Mapping[str, str],
    source: OfferSource,
    progress: Callable[[Progress], None],
) -> Refreshed:
    if region not in addresses:
        raise PriceBookError(f"the price list has no Region {region!r}; expected one of {', '.join(addresses)}")

    def on_bytes(received: int, total: int | None) -> None:
        progress(Progress(region=region, stage="download", received_bytes=received, total_bytes=total))

    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=directory) as file:
        fetch(
            addresses[region],
            file,
            max_bytes=source.max_offer_bytes,
            patience=source.patience,
            on_bytes=on_bytes,
        )
        size = file.seek(0, os.SEEK_END)
        progress(Progress(region=region, stage="read", received_bytes=size, total_bytes=size))
        offer = read_offer_file(file, region)
    path = directory / f"{region}.csv"
    _write(path, _rows(offer, region, addresses[region]))
    progress(Progress(region=region, stage="done"))
    return Refreshed(
        region=region,
        path=path,
        as_of=offer.as_of,
        prices=len(offer.usd_by_item),
        skipped=offer.skipped,
    )


def _rows(offer: OfferFile, region: str, address: str) -> list[PriceRow]:
    source = f"AWS Price List, AmazonSageMaker {region} version {offer.version} ({address})"

    def row(item: str, usd: Decimal) -> PriceRow:
        return PriceRow(
            item=item,
            region=region,
            usd_per_unit=plain(usd),
            unit=offer.units[item],
            grade=REFRESHED,
            source=source,
            as_of=offer.as_of,
            note="",
        )

    return [row(item, usd) for item, usd in sorted(offer.usd_by_item.items())]


def _write(path: Path, rows: Iterable[PriceRow]) -> None:
    """The rows in place of the file at `path`, which is whole at every moment."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".new")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(PriceRow._fields)
            writer.writerows(rows)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _address(base_url: str, path: str) -> str:
    """The address of an offer file, which must be where the index is."""
    address = urljoin(base_url, path)
    if urlsplit(address)[:2] != urlsplit(base_url)[:2]:
        raise ValueError(f"the offer file {path!r} is on another host")
    return address
