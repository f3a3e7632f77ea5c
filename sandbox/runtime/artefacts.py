"""Model archives: downloaded from S3 and unpacked, never outside their folder."""

import asyncio
import hashlib
import shutil
import tarfile
from io import BytesIO
from pathlib import Path

from sandbox.runtime.gateway_client import GatewayClient, NoObject


class NoArtefact(Exception):
    """A model archive that can't be had; the message is what AWS would say."""


async def fetch(gateway: GatewayClient, uri: str) -> bytes:
    """Download an archive. Raises: NoArtefact."""
    try:
        return await gateway.get_object(uri)
    except NoObject as err:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        raise NoArtefact(
            f"Failed to download model data(bucket: {bucket}, key: {key}). Please ensure that there is an object "
            "located at the URL and that the role passed to CreateModel has permissions to download the model."
        ) from err


async def unpack(content: bytes, folder: Path) -> None:
    """Unpack an archive into a new folder. Raises: NoArtefact."""
    await asyncio.to_thread(_unpack, content, folder)


def _unpack(content: bytes, folder: Path) -> None:
    draft = folder.with_name(f"{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        with tarfile.open(fileobj=BytesIO(content)) as archive:
            for member in archive:
                _extract(archive, member, draft)
    except (tarfile.TarError, EOFError, OSError) as err:
        shutil.rmtree(draft, ignore_errors=True)
        raise NoArtefact(f"the model archive is not a readable tar.gz: {err}") from err
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    target = (folder / member.name).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise tarfile.TarError(f"{member.name!r} points outside the archive")
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    source = archive.extractfile(member) if member.isfile() else None
    if source is None:  # links and devices have no place in a model
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with source, target.open("wb") as file:
        shutil.copyfileobj(source, file)


def folder_name(uri: str) -> str:
    """Give a name for the unpacked archive of an address."""
    return hashlib.sha256(uri.encode()).hexdigest()[:32]
