"""Uploaded models lie in a folder of the process, and nothing leads out of it."""

import pytest

from ui import uploads


def test_an_archive_is_given_as_it_is():
    path = uploads.keep({"model.tar.gz": b"1"})
    assert path.name == "model.tar.gz"
    assert path.read_bytes() == b"1"
    assert uploads.is_upload(str(path))


def test_a_folder_keeps_its_shape():
    folder = uploads.keep({"iris/model.joblib": b"1", "iris/code/inference.py": b"2"})
    assert (folder / "model.joblib").read_bytes() == b"1"
    assert (folder / "code" / "inference.py").read_bytes() == b"2"


def test_loose_files_are_a_folder():
    assert sorted(path.name for path in uploads.keep({"a.json": b"1", "b.json": b"2"}).iterdir()) == [
        "a.json",
        "b.json",
    ]


def test_the_same_upload_is_kept_once():
    assert uploads.keep({"a/b": b"1"}) == uploads.keep({"a/b": b"1"})
    assert uploads.keep({"a/b": b"1"}) != uploads.keep({"a/b": b"2"})


@pytest.mark.parametrize("name", ["../secrets", "/etc/passwd", "a/../../b", "", "..\\b"])
def test_a_path_that_leads_out_is_refused(name):
    with pytest.raises(ValueError, match="no path of a file"):
        uploads.keep({name: b""})


@pytest.mark.parametrize("source", ["/etc", "~/.aws", "{root}/../x"])
def test_what_lies_elsewhere_is_no_upload(source):
    assert not uploads.is_upload(source.format(root=uploads.root()))


def test_old_uploads_make_room():
    for number in range(uploads.KEPT + 5):
        newest = uploads.keep({"one": str(number).encode()})
    assert len(list(uploads.root().iterdir())) == uploads.KEPT
    assert (newest / "one").is_file()
