"""Archives of models: the same files give the same bytes, and nothing leaves its folder."""

import os
import tarfile

import pytest

from launch.packaging import NotReadableError, files_in, is_archive, pack, unpack


def test_the_same_files_give_the_same_bytes_whatever_their_times_and_modes(tmp_path):
    for number, name in enumerate(("one", "two")):
        folder = tmp_path / name
        (folder / "code").mkdir(parents=True)
        for file in ("model.joblib", "code/inference.py") if number else ("code/inference.py", "model.joblib"):
            (folder / file).write_bytes(file.encode())
            os.utime(folder / file, (number * 1000, number * 1000))
            (folder / file).chmod(0o600 + number * 0o40)
    first, second = (pack(files_in(tmp_path / name), tmp_path / f"{name}.tar.gz") for name in ("one", "two"))
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.sha256 == second.sha256
    assert first.size_bytes == first.path.stat().st_size


def test_other_content_gives_another_digest(tmp_path):
    one = pack({"a": b"1"}, tmp_path / "one.tar.gz")
    assert one.sha256 != pack({"a": b"2"}, tmp_path / "two.tar.gz").sha256


def test_hidden_files_and_caches_are_left_out(tmp_path):
    for name in (".env", ".git/config", "__pycache__/x.pyc", "model.pt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert list(files_in(tmp_path)) == ["model.pt"]


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path):
    (tmp_path / "secret").write_text("s")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights").symlink_to(tmp_path / "secret")
    with pytest.raises(NotReadableError, match="leads out of it: weights"):
        files_in(folder)


def test_what_was_packed_is_unpacked(tmp_path):
    archive = pack({"code/inference.py": b"x", "model.pt": b"y"}, tmp_path / "model.tar.gz")
    unpack(archive.path, tmp_path / "out", most_bytes=10_000)
    assert {name: path.read_bytes() for name, path in files_in(tmp_path / "out").items()} == {
        "code/inference.py": b"x",
        "model.pt": b"y",
    }


def test_an_archive_that_grows_beyond_the_disk_is_refused(tmp_path):
    archive = pack({"weights": b"0" * 1_000_000}, tmp_path / "model.tar.gz")
    with pytest.raises(NotReadableError, match="more than 500,000 bytes"):
        unpack(archive.path, tmp_path / "out", most_bytes=500_000)


def test_an_archive_that_points_outside_is_refused(tmp_path):
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../outside"))
    with pytest.raises(NotReadableError, match="not a readable"):
        unpack(tmp_path / "model.tar.gz", tmp_path / "out", most_bytes=10_000)
    assert not (tmp_path / "outside").exists()


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "model.tar.gz").write_bytes(b"no")
    assert is_archive(tmp_path / "model.tar.gz")
    with pytest.raises(NotReadableError, match="not a readable"):
        unpack(tmp_path / "model.tar.gz", tmp_path / "out", most_bytes=10_000)
