"""Model archives as SageMaker's containers expect them: model.tar.gz with the model at the top, code/ beside it."""

import gzip
import io
import tarfile
from collections.abc import Mapping


def model_archive(files: Mapping[str, bytes]) -> bytes:
    """Pack files by name; the same files give the same bytes."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as tar,
    ):
        for name, content in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()
