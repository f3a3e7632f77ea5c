"""Models that people upload: files in a folder of this process, gone when it ends."""

import atexit
import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path, PurePosixPath

KEPT = 20  # uploads; the oldest goes first
MOST_MB = 500


@cache
def root() -> Path:
    """Give the folder of all uploads."""
    folder = Path(tempfile.mkdtemp(prefix="hostfit-uploads-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def keep(files: Mapping[str, bytes]) -> Path:
    """Write an upload, by relative paths: gives the archive if it is one, else the folder of the files.

    Raises: ValueError for a path that leads out of the upload.
    """
    paths = {name: _inside(name) for name in files}
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{paths[name]} {hashlib.sha256(files[name]).hexdigest()}\n".encode())
    folder = root() / digest.hexdigest()[:32]
    if not folder.is_dir():
        _drop_old()
        draft = Path(tempfile.mkdtemp(dir=root(), prefix="draft-"))
        for name, content in files.items():
            target = draft / paths[name]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        try:
            draft.rename(folder)
        except OSError:  # somebody has just uploaded the same
            shutil.rmtree(draft, ignore_errors=True)
    only = [folder / path for path in paths.values()]
    if len(only) == 1 and only[0].name.endswith((".tar.gz", ".tgz")):
        return only[0]
    tops = {path.parts[0] for path in paths.values()}
    has_one_folder = len(tops) == 1 and all(len(path.parts) > 1 for path in paths.values())
    return folder / tops.pop() if has_one_folder else folder


def is_upload(source: str) -> bool:
    """Whether a local path lies among the uploads."""
    return Path(source).resolve().is_relative_to(root().resolve())


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(f"{name!r} is no path of a file in a folder")
    return path


def _drop_old() -> None:
    folders = sorted(root().iterdir(), key=lambda folder: folder.stat().st_mtime)
    for folder in folders[: max(0, len(folders) - KEPT + 1)]:
        shutil.rmtree(folder, ignore_errors=True)
