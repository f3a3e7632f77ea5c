"""Model archives: a folder or an archive becomes model.tar.gz, the same files always the same bytes."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ARCHIVE_ENDINGS = (".tar.gz", ".tgz")
MOST_FILES = 10_000
_LEVEL = 6  # of the compression; part of what makes the same bytes
_LEFT_OUT = ("__pycache__", ".ipynb_checkpoints")
_CHUNK = 1024 * 1024


class NotReadableError(Exception):
    """A folder or an archive that can't be packed; the message completes "the folder ..."."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """An archive on disk."""

    path: Path
    sha256: str
    size_bytes: int


def is_archive(path: Path | str) -> bool:
    """Whether a name is that of a tar.gz."""
    return str(path).endswith(ARCHIVE_ENDINGS)


def files_in(folder: Path) -> dict[str, Path]:
    """Give the files of a folder by their name within it, sorted; hidden files and caches are left out.

    Raises: NotReadableError for a link that leads out of the folder, and for too many files.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if _is_left_out(inside) or not path.is_file():
            continue
        if not path.resolve().is_relative_to(folder.resolve()):
            message = f"has a link that leads out of it: {inside.as_posix()}"
            raise NotReadableError(message)
        found[inside.as_posix()] = path
        if len(found) > MOST_FILES:
            message = f"has more than {MOST_FILES:,} files; give the folder of the model alone"
            raise NotReadableError(message)
    return found


def has_left_out(folder: Path) -> bool:
    """Whether a folder has files that `files_in` leaves out."""
    return any(_is_left_out(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def _is_left_out(inside: Path) -> bool:
    return any(part.startswith(".") or part in _LEFT_OUT for part in inside.parts)


def unpack(archive: Path, folder: Path, *, most_bytes: int) -> None:
    """Unpack an archive into a new folder. Raises: NotReadableError; nothing is written outside the folder."""
    folder.mkdir(parents=True)
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, members=_bounded(tar, most_bytes), filter="data")
    except (tarfile.TarError, EOFError, OSError) as err:
        reason = str(err).partition(":\n")[0]  # what each way to read it says follows, line by line
        message = f"is not a readable tar.gz: {reason}"
        raise NotReadableError(message) from err


def _bounded(tar: tarfile.TarFile, most_bytes: int) -> Iterator[tarfile.TarInfo]:
    """The members of an archive as long as there is a place for them. Raises: NotReadableError."""
    size = 0
    for count, member in enumerate(tar, start=1):
        size += member.size
        if size > most_bytes or count > MOST_FILES:
            message = (
                f"has more than {MOST_FILES:,} files, or more than {most_bytes:,} bytes, for which there is no place"
            )
            raise NotReadableError(message)
        yield member


def pack(files: Mapping[str, Path | bytes], target: Path) -> Packed:
    """Write files, by their place in the archive, into a new tar.gz; the same files give the same bytes."""
    with (
        target.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=_LEVEL, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as tar,
    ):
        for name, content in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.mode = 0o644
            if isinstance(content, bytes):
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
            else:
                member.size = content.stat().st_size
                with content.open("rb") as file:
                    tar.addfile(member, file)
    return packed(target)


def packed(archive: Path) -> Packed:
    """Describe an archive as it is."""
    digest = hashlib.sha256()
    with archive.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return Packed(path=archive, sha256=digest.hexdigest(), size_bytes=archive.stat().st_size)
