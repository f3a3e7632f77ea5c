from sandbox.samples.sample import Sample
from sandbox.samples.trained import cache_folder, samples

SAMPLE = Sample(key="a/b", image="i", about="x", archive=b"\x00", content_type="text/csv", request="1")


def test_samples_are_trained_once(tmp_path):
    trained = []

    def train() -> list[Sample]:
        trained.append(1)
        return [SAMPLE, SAMPLE]

    assert [samples(tmp_path, train), samples(tmp_path, train)] == [[SAMPLE, SAMPLE]] * 2
    assert trained == [1]


def test_what_was_left_half_done_is_trained_again(tmp_path):
    samples(tmp_path, lambda: [SAMPLE])
    (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
    (folder / "index.json").unlink()
    other = Sample(key="c", image="i", about="x", archive=b"1", content_type="text/csv", request="1")
    assert samples(tmp_path, lambda: [other]) == [other]


def test_they_are_in_the_users_cache():
    assert cache_folder({"XDG_CACHE_HOME": "/c"}).as_posix() == "/c/hostfit/samples"
