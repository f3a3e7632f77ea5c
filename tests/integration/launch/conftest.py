"""One sandbox for all the tests of a process; a test that stops or breaks it starts its own."""

import pytest

from launch.stacks import Stacks
from tests.integration.sandbox.conftest import hosting, iris, own_sandbox, sandbox, script_archive
from tests.launching import soon
from tests.stack_account import Account

__all__ = ["hosting", "iris", "own_sandbox", "sandbox", "script_archive"]


@pytest.fixture(scope="session")
def account(sandbox) -> Account:
    return Account(sandbox)


@pytest.fixture(scope="session")
def stacks(sandbox) -> Stacks:
    return Stacks(sandbox.client, pause=soon)


@pytest.fixture(scope="session")
def archive(sandbox, script_archive) -> str:
    """The address of a model that answers as it is told."""
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="told")
    s3.put_object(Bucket="told", Key="model.tar.gz", Body=script_archive)
    return "s3://told/model.tar.gz"
