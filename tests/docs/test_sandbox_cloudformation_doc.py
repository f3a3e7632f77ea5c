"""Every operation and resource type of the sandbox's CloudFormation is in its page."""

import inspect
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from sandbox.services.cloudformation import CloudFormation
from sandbox.services.cloudformation.types import TYPES

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
SECTION = PAGE[PAGE.index("## CloudFormation") :]
MODEL = botocore.session.Session().get_service_model("cloudformation")
METHODS = {name for name, _ in inspect.getmembers(CloudFormation, inspect.isfunction)}


@pytest.mark.parametrize("operation", [name for name in MODEL.operation_names if xform_name(name) in METHODS])
def test_every_operation_is_named(operation):
    assert f"`{operation}`" in SECTION


@pytest.mark.parametrize("kind", TYPES)
def test_every_resource_type_is_named(kind):
    _, service, name = kind.split("::")
    assert f"`{name}`" in SECTION or f"`{service}::{name}`" in SECTION
