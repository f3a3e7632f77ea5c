"""Trains the samples and puts them into a bucket: `python -m sandbox.samples URL BUCKET`, run by the control."""

import json
import os
import sys

import boto3

from sandbox.samples.sample import Sample
from sandbox.samples.trained import cache_folder, samples
from sandbox.settings import ACCESS_KEY, REGION, SECRET_KEY


def train() -> list[Sample]:
    """Train with one thread, so that whoever uses the machine meanwhile does not wait."""
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    from sandbox.samples import training  # noqa: PLC0415 (imports two frameworks, often for nothing)

    return training.train()


def main(url: str, bucket: str) -> None:
    """Train and upload; the index comes last, so that whoever sees it finds everything."""
    s3 = boto3.client(
        "s3", endpoint_url=url, region_name=REGION, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY
    )
    s3.create_bucket(Bucket=bucket)
    index = []
    for sample in samples(cache_folder(), train):
        s3.put_object(Bucket=bucket, Key=sample.key, Body=sample.archive, ContentType="application/gzip")
        index.append({**sample.facts, "uri": f"s3://{bucket}/{sample.key}"})
    s3.put_object(Bucket=bucket, Key="index.json", Body=json.dumps(index).encode(), ContentType="application/json")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
