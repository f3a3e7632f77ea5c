import asyncio
import io
import tarfile

import pytest

from sandbox.runtime.artefacts import NoArtefact, unpack
from sandbox.samples.archive import model_archive


def packed(*members: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname = kind, link
    return found


def test_an_archive_is_unpacked_with_its_folders(tmp_path):
    asyncio.run(unpack(model_archive({"model.joblib": b"1", "code/inference.py": b"2"}), tmp_path / "m"))
    assert (tmp_path / "m" / "code" / "inference.py").read_bytes() == b"2"


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out"])
def test_nothing_leaves_the_folder(tmp_path, name):
    with pytest.raises(NoArtefact, match="points outside the archive"):
        asyncio.run(unpack(packed(member(name)), tmp_path / "m"))
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "m").exists()


def test_links_and_devices_are_left_out(tmp_path):
    members = [member("link", tarfile.SYMTYPE, "/etc/passwd"), member("pipe", tarfile.FIFOTYPE), member("model")]
    asyncio.run(unpack(packed(*members), tmp_path / "m"))
    assert [path.name for path in (tmp_path / "m").iterdir()] == ["model"]


@pytest.mark.parametrize("content", [b"", b"not an archive", model_archive({"a": b"x" * 1000})[:-20]])
def test_what_is_no_archive_is_refused(tmp_path, content):
    with pytest.raises(NoArtefact, match="is not a readable tar"):
        asyncio.run(unpack(content, tmp_path / "m"))


def test_the_same_files_give_the_same_archive():
    assert model_archive({"b": b"2", "a": b"1"}) == model_archive({"a": b"1", "b": b"2"})
