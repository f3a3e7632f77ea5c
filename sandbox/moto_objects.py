"""Moto's S3 on top of the mirrored files: their bytes are served from disk, not kept in memory."""

import pickle
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

from moto.backends import get_backend
from moto.s3.models import FakeBucket, FakeKey

from sandbox.object_mirror import ObjectMirror
from sandbox.protocols import Request
from sandbox.settings import ACCOUNT

# What is not a fact of an object: its bytes, its lock, and the parts it was uploaded in.
_NOT_FACTS = {"_value_buffer", "lock", "multipart"}


class _MirroredBody:
    """The bytes of an object, read from its file when somebody asks; looks like the buffer moto keeps."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0

    def seek(self, position: int) -> None:
        """Read from `position` on."""
        self._position = position

    def read(self, size: int = -1) -> bytes:
        """Read some bytes, or all that are left."""
        with self._path.open("rb") as file:
            file.seek(self._position)
            content = file.read(size)
        self._position += len(content)
        return content

    def close(self) -> None:
        """Nothing is open between reads."""


class MotoObjects:
    """Keeps moto's buckets and the mirror the same."""

    def __init__(self, mirror: ObjectMirror) -> None:
        self._mirror = mirror
        self._backend: Any = get_backend("s3")[ACCOUNT]["aws"]
        self._accounts: Any = get_backend("s3")

    def restore(self) -> None:
        """Give moto the buckets and objects of the mirror."""
        self._mirror.mend()
        for name, facts in self._mirror.buckets():
            saved = pickle.loads(facts)  # noqa: S301
            bucket: Any = FakeBucket(name, ACCOUNT, saved["bucket"]["region_name"])
            bucket.__dict__.update(saved["bucket"])
            self._backend.buckets[name] = bucket
            self._tag(bucket.arn, saved["tags"])
            for stored in self._mirror.listing(name):
                facts_of_key = pickle.loads(stored.facts)  # noqa: S301
                key: Any = FakeKey.__new__(FakeKey)
                key.__dict__.update(facts_of_key["key"])
                key.__dict__.update(lock=threading.Lock(), multipart=None, contentsize=stored.size)
                key._etag = stored.etag
                if stored.etag != facts_of_key.get("etag", stored.etag):  # changed by others while we were away
                    key.checksum_value = None
                key._value_buffer = _MirroredBody(stored.path)
                bucket.keys[stored.key] = key
                self._tag(key.arn, facts_of_key["tags"])

    def write_through(self, request: Request) -> None:
        """Mirror what a request that succeeded has changed."""
        if request.method not in {"PUT", "POST", "DELETE"}:
            return
        name, _, key = request.path.lstrip("/").partition("/")
        if not name:
            return
        if key:
            self._mirror_object(name, key)
            return
        if request.method == "POST" and "delete" in dict(parse_qsl(request.query, keep_blank_values=True)):
            for element in ET.fromstring(request.body).iter():  # noqa: S314
                if element.tag.rpartition("}")[2] == "Key" and element.text:
                    self._mirror_object(name, element.text)
            return
        self._mirror_bucket(name)

    def _mirror_bucket(self, name: str) -> None:
        bucket = self._backend.buckets.get(name)
        if bucket is None:
            self._mirror.drop_bucket(name)
            return
        facts = {name: value for name, value in bucket.__dict__.items() if name not in {"keys", "multiparts"}}
        self._mirror.keep_bucket(name, pickle.dumps({"bucket": facts, "tags": self._tags(bucket.arn)}))

    def _mirror_object(self, bucket_name: str, name: str) -> None:
        bucket = self._backend.buckets.get(bucket_name)
        key = bucket.keys.get(name) if bucket is not None else None
        if not isinstance(key, FakeKey):  # deleted, or hidden by a delete marker
            self._mirror.drop(bucket_name, name)
            return
        etag = key.etag.strip('"')
        facts = {name: value for name, value in key.__dict__.items() if name not in _NOT_FACTS}
        path = self._mirror.keep(
            bucket_name,
            name,
            key.value,
            etag=etag,
            modified=key.last_modified,
            facts=pickle.dumps({"key": facts, "tags": self._tags(key.arn), "etag": etag}),
        )
        if not bucket.is_versioned:  # the file of an older version is overwritten by the next
            key._value_buffer.close()
            key._value_buffer = _MirroredBody(path)

    def _tags(self, arn: str) -> dict[str, str]:
        tags: dict[str, str] = self._backend.tagger.get_tag_dict_for_resource(arn)
        return tags

    def _tag(self, arn: str, tags: dict[str, str]) -> None:
        if tags:
            self._backend.tagger.tag_resource(arn, self._backend.tagger.convert_dict_to_tags_input(tags))
