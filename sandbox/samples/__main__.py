"""Trains the samples and puts them into a bucket: `python -m sandbox.samples URL BUCKET`, run by the control."""

import json
import sys
from dataclasses import asdict

import boto3

from sandbox.samples.training import train
from sandbox.settings import ACCESS_KEY, REGION, SECRET_KEY


def main(url: str, bucket: str) -> None:
    """Train and upload; the index comes last, so that whoever sees it finds everything."""
    s3 = boto3.client(
        "s3", endpoint_url=url, region_name=REGION, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY
    )
    s3.create_bucket(Bucket=bucket)
    index = []
    for sample in train():
        s3.put_object(Bucket=bucket, Key=sample.key, Body=sample.archive, ContentType="application/gzip")
        facts = {name: value for name, value in asdict(sample).items() if name != "archive"}
        index.append({**facts, "uri": f"s3://{bucket}/{sample.key}"})
    s3.put_object(Bucket=bucket, Key="index.json", Body=json.dumps(index).encode(), ContentType="application/json")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
