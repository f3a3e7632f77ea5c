"""AWS offer files for the tests: the shape of the public ones, with records of our choice."""

import json
from collections.abc import Iterable, Iterator

PUBLISHED = "2026-11-02T09:10:11Z"
VERSION = "20261102091011"


def product(sku, family, usagetype, *, region="eu-west-1", **attributes):
    return sku, {
        "sku": sku,
        "productFamily": family,
        "attributes": {
            "servicecode": "AmazonSageMaker",
            "regionCode": region,
            "usagetype": usagetype,
            "operation": "",
            **attributes,
        },
    }


def term(sku, usd, unit="Hrs", *, ranges=("0",), currency="USD"):
    offer = f"{sku}.JRTCKXETXF"
    prices = usd if isinstance(usd, tuple) else (usd,)
    dimensions = {
        f"{offer}.{index}": {
            "rateCode": f"{offer}.{index}",
            "unit": unit,
            "beginRange": start,
            "endRange": "Inf",
            "description": f"${price} per {unit}",
            "appliesTo": [],
            "pricePerUnit": {currency: price},
        }
        for index, (start, price) in enumerate(zip(ranges, prices, strict=True))
    }
    return sku, {
        offer: {
            "offerTermCode": "JRTCKXETXF",
            "sku": sku,
            "effectiveDate": "2026-11-01T00:00:00Z",
            "priceDimensions": dimensions,
            "termAttributes": {},
        }
    }


def offer_file(products, terms, *, published=PUBLISHED, terms_first=False) -> bytes:
    head = {
        "formatVersion": "v1.0",
        "disclaimer": "This pricing list is for informational purposes only.",
        "offerCode": "AmazonSageMaker",
        "version": VERSION,
        "publicationDate": published,
    }
    body = {"products": dict(products), "terms": {"OnDemand": dict(terms)}}
    if terms_first:
        body = dict(reversed(body.items()))
    return json.dumps({**head, **body, "attributesList": {}}).encode()


def region_index(regions: Iterable[str], path="/offers/v1.0/aws/AmazonSageMaker/20261102/{}/index.json") -> bytes:
    entries = {region: {"regionCode": region, "currentVersionUrl": path.format(region)} for region in regions}
    return json.dumps({"formatVersion": "v1.0", "publicationDate": PUBLISHED, "regions": entries}).encode()


def ordinary(region="eu-west-1", prefix="EU-") -> bytes:
    """A small file with one record of each kind that the price book reads."""
    records = [
        ("ML Instance", f"{prefix}Host:ml.m5.xlarge", "0.2600000000", "Hrs"),
        ("ML Instance", f"{prefix}AsyncInf:ml.m5.xlarge", "0.2600000000", "Hrs"),
        ("ML Instance", f"{prefix}Tsform:ml.m5.xlarge", "0.2600000000", "Hrs"),
        ("ML Instance", f"{prefix}Train:ml.m5.xlarge", "0.2600000000", "Hrs"),
        ("ML Instance", f"{prefix}Processing:ml.m5.xlarge", "0.2600000000", "Hrs"),
        ("ML Instance", f"{prefix}Notebk:ml.m5.xlarge", "0.2600000000", "Hrs"),
        ("ML Instance", f"{prefix}Host:ml.p6-b200.48xlarge", "150.5", "Hrs"),
        ("ML Serverless", f"{prefix}ServerlessInf:Mem-2GB", "0.0000440000", "Seconds"),
        ("ML Serverless", f"{prefix}ProvisionedConcurrency:Usage-4GB", "0.0000220000", "Seconds"),
        ("ML Serverless", f"{prefix}ProvisionedConcurrency:Mem-4GB", "0.0000500000", "Seconds"),
        ("Storage", f"{prefix}Host:VolumeUsage.gp2", "0.1600000000", "GB-Mo"),
        ("Storage", f"{prefix}Notebk:VolumeUsage.gp2", "0.1700000000", "GB-Mo"),
    ]
    products = [product(f"SKU{n}", family, usage, region=region) for n, (family, usage, _, _) in enumerate(records)]
    terms = [term(f"SKU{n}", usd, unit) for n, (_, _, usd, unit) in enumerate(records)]
    for sku, way in (("DATAIN", "In"), ("DATAOUT", "Out")):
        usage = f"{prefix}Data-Bytes-{way}"
        products.append(product(sku, "Data Transfer", usage, region=region, group=f"Hosting:{way.upper()}"))
        terms.append(term(sku, "0.0180000000", "GB"))
    return offer_file(products, terms)


def large(size_bytes: int, region="eu-west-1") -> Iterator[bytes]:
    """Pieces of a valid file of at least `size_bytes`, most of it products that nobody asks for."""
    yield b'{"version": "%s", "publicationDate": "%s", "products": {' % (VERSION.encode(), PUBLISHED.encode())
    count = size = 0
    while size < size_bytes:
        sku, record = product(f"S{count}", "ML Instance", f"EU-Studio:KernelGateway-ml.m5.{count}xlarge", region=region)
        if count % 500 == 0:
            record["attributes"]["usagetype"] = f"EU-Host:ml.t{count}.large"
        record["attributes"]["note"] = "x" * 600
        piece = (b"," if count else b"") + json.dumps({sku: record}).encode()[1:-1]
        size += len(piece)
        yield piece
        count += 1
    yield b'}, "terms": {"OnDemand": {'
    for n in range(count):
        sku, record = term(f"S{n}", "0.1230000000")
        yield (b"," if n else b"") + json.dumps({sku: record}).encode()[1:-1]
    yield b"}}}"
