"""Athena: queries run by DuckDB on the objects of the sandbox's S3, by the tables of its Glue catalog."""

import functools

from sandbox.cloud import Cloud
from sandbox.services.athena.catalog import Catalog
from sandbox.services.athena.engine import Engine
from sandbox.services.athena.executions import Executions
from sandbox.services.athena.metadata import Metadata
from sandbox.services.athena.runner import Runner
from sandbox.services.athena.schema import SCHEMA
from sandbox.services.service import Service


class Athena(Executions, Metadata, Service):
    """The service."""

    name = "athena"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.database = cloud.database("athena", SCHEMA)
        self.engine = Engine(cloud.folder)
        self.fail_interrupted()

    @functools.cache  # noqa: B019 (one service lives as long as its process)
    def runner(self, region: str) -> Runner:
        """Give what runs the statements of a region."""
        return Runner(self.cloud, region)

    def catalog(self, region: str) -> Catalog:
        """Give the Glue catalog of a region."""
        return self.runner(region).catalog
