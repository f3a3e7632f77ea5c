"""Athena's client, and where its tests keep their data."""

from pyathena import connect

from sandbox.settings import ACCESS_KEY, REGION, SECRET_KEY

BUCKET = "lake"
RESULTS = f"s3://{BUCKET}/results/"


def connected(sandbox, **settings):
    return connect(
        s3_staging_dir=RESULTS,
        schema_name="shop",
        region_name=REGION,
        endpoint_url=sandbox.url,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        poll_interval=0.01,
        **settings,
    )


def rows(cursor, statement, *arguments, **options):
    return cursor.execute(statement, *arguments, **options).fetchall()
