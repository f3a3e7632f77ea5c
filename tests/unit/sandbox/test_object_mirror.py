"""Objects as files: a crash at any step leaves the old object or the new one, whole."""

import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.object_mirror import ObjectMirror
from sandbox.state import Database

THEN = datetime(2026, 1, 1, tzinfo=UTC)


class PowerCut(BaseException):
    """Ends the work at a step as the death of the process would."""


def keep(mirror: ObjectMirror, key: str, content: bytes) -> Path:
    return mirror.keep("b", key, content, etag=f"tag of {content!r}", modified=THEN, facts=b"facts of " + content)


def test_a_cut_at_any_step_leaves_the_old_object_or_the_new_one(tmp_path, monkeypatch):
    seen = set()
    for steps in itertools.count():
        folder = tmp_path / str(steps)
        mirror = ObjectMirror(folder)
        keep(mirror, "k", b"old")
        left = itertools.count(steps, -1)

        def step(whole, left=left):
            def cut(*arguments, **options):
                if not next(left):
                    raise PowerCut
                return whole(*arguments, **options)

            return cut

        finished = True
        with monkeypatch.context() as patched:
            for owner, name in (
                (Database, "write"),
                (Database, "transaction"),
                (Path, "replace"),
                (Path, "write_bytes"),
            ):
                patched.setattr(owner, name, step(getattr(owner, name)))
            try:
                keep(mirror, "k", b"new!")
            except PowerCut:
                finished = False

        after = ObjectMirror(folder)
        after.mend()
        (stored,) = after.listing("b")
        content = stored.path.read_bytes()
        assert (stored.size, stored.etag, stored.facts) == (len(content), f"tag of {content!r}", b"facts of " + content)
        assert list((folder / "s3-drafts").iterdir()) == []
        seen.add(content)
        if finished:
            assert content == b"new!"
            break
    assert seen == {b"old", b"new!"}
    assert steps == 4, "there are four steps to cut"


def test_what_others_changed_in_the_folder_is_served_as_it_is_now(tmp_path):
    path = keep(ObjectMirror(tmp_path), "k", b"old")
    path.write_bytes(b"edited")
    mirror = ObjectMirror(tmp_path)
    mirror.mend()
    (stored,) = mirror.listing("b")
    assert (stored.size, stored.etag) == (6, "683dc5278b1fbbd98a996cecc3ffd06a")  # the MD5 of "edited"


@pytest.mark.parametrize("keys", [("a", "a/b"), ("a/b", "a")])
def test_a_key_that_is_a_folder_of_another_has_its_own_file(tmp_path, keys):
    mirror = ObjectMirror(tmp_path)
    paths = [keep(mirror, key, key.encode()) for key in keys]
    assert [path.read_bytes().decode() for path in paths] == list(keys)
