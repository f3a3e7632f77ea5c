"""The sample models of an account: the bucket `sandbox-samples` has their archives and an index."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from launch.bucket import is_missing

BUCKET = "sandbox-samples"
PREFIX = "sample:"
_INDEX = "index.json"
_MOST_BYTES = 10_000_000
# Parts of the images' names in the index, and the frameworks they stand for.
_FRAMEWORKS = {"scikit-learn": "sklearn", "xgboost": "xgboost", "onnx": "onnx"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One sample: its archive, the framework that serves it, and a request that it answers."""

    name: str  # "iris", as in sample:iris
    uri: str
    framework: str
    framework_version: str | None
    about: str
    content_type: str
    request: str

    @property
    def group(self) -> str | None:
        """The prefix that it shares with others, for a multi-model endpoint; None: it stands alone."""
        folder, _, _ = self.name.rpartition("/")
        return f"{folder}/" if self.uri.endswith(f"/{self.name}.tar.gz") and folder else None


def read_samples(s3: Any, account: str) -> tuple[Sample, ...]:
    """Give the samples of the account, in the order of the index; none where it has no such bucket.

    Raises: ClientError.
    """
    try:
        answer = s3.get_object(Bucket=BUCKET, Key=_INDEX, ExpectedBucketOwner=account)
    except ClientError as err:
        if is_missing(err):
            return ()
        raise
    return tuple(_sample(facts) for facts in json.loads(answer["Body"].read(_MOST_BYTES)))


def groups(samples: Sequence[Sample]) -> tuple[str, ...]:
    """Give the prefixes under which several samples lie."""
    return tuple(dict.fromkeys(one.group for one in samples if one.group is not None))


def _sample(facts: dict[str, str]) -> Sample:
    key = facts["key"]
    repository, _, tag = facts["image"].partition(":")
    framework = next((name for part, name in _FRAMEWORKS.items() if part in repository), "sklearn")
    return Sample(
        name=key.removesuffix("/model.tar.gz") if key.endswith("/model.tar.gz") else key.removesuffix(".tar.gz"),
        uri=facts["uri"],
        framework=framework,
        framework_version=None if framework == "onnx" else tag.partition("-cpu")[0],
        about=facts["about"],
        content_type=facts["content_type"],
        request=facts["request"],
    )
