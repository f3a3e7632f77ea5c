"""One sandbox for all the tests of a process; a test that stops or breaks it starts its own."""

import pytest

from launch.cli import main
from launch.stacks import Stacks
from sandbox.settings import ACCESS_KEY, REGION, SECRET_KEY
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


@pytest.fixture
def chosen(sandbox, hosting, monkeypatch):
    """The environment that chooses the sandbox."""
    found = {
        "AWS_ENDPOINT_URL": sandbox.url,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": sandbox.runtime_url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def run(chosen, capfd):
    """Run a command; gives its status and what it wrote to both streams."""

    def command(*arguments):
        capfd.readouterr()
        status = main([str(one) for one in arguments])
        out, err = capfd.readouterr()
        return status, out, err

    return command
