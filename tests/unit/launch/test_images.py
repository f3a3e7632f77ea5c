"""Addresses of images, by the SageMaker SDK's own tables."""

import subprocess
import sys

import pytest

from launch.images import USUAL_VERSIONS, image_uri
from launch.request import FRAMEWORKS


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_framework_has_an_image_of_its_usual_version(framework):
    uri = image_uri(framework, version=None, region="eu-west-1", instance_type="ml.m5.large")
    assert ".dkr.ecr.eu-west-1.amazonaws.com/" in uri
    assert set(USUAL_VERSIONS) == set(FRAMEWORKS)


def test_the_image_follows_the_instance_type():
    def of(instance_type):
        return image_uri("pytorch", version="2.5.1", region="eu-west-1", instance_type=instance_type)

    assert "gpu" in of("ml.g5.xlarge")
    assert "cpu" in of("ml.m5.large")
    assert of(None) == of("ml.m5.large")


def test_a_version_that_does_not_exist_is_answered_with_those_that_do():
    with pytest.raises(ValueError, match=r"Unsupported sklearn version: 9\.9.*1\.2-1"):
        image_uri("sklearn", version="9.9", region="eu-west-1", instance_type="ml.m5.large")


def test_the_sdk_is_imported_when_the_first_image_is_asked_for_and_not_before():
    code = "import sys, launch.models; sys.exit('sagemaker' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
