import json

import numpy as np
import pytest

from sandbox.worker import payload
from sandbox.worker.script import Script, script_path


def test_csv_and_json_give_the_same_rows():
    expected = [[1.0, 2.5], [3.0, 4.0]]
    assert payload.decode(b"1,2.5\r\n3,4\n", "text/csv; charset=utf-8").tolist() == expected
    for document in ([[1, 2.5], [3, 4]], {"instances": [[1, 2.5], [3, 4]]}, {"inputs": [[1, 2.5], [3, 4]]}):
        assert payload.decode(json.dumps(document).encode(), "application/json").tolist() == expected
    assert payload.decode(b"[1, 2]", "application/json").shape == (1, 2)


def test_numbers_beside_text_stay_numbers():
    rows = payload.decode(b"ford,3.5\nbmw,1", "text/csv")
    assert rows.tolist() == [["ford", 3.5], ["bmw", 1.0]]


def test_libsvm_leaves_out_what_is_missing():
    rows = payload.decode(b"1 0:0.5 2:7\n0 1:2", "text/libsvm")
    np.testing.assert_equal(rows, [[0.5, np.nan, 7], [np.nan, 2, np.nan]])


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "text/csv", 400),
        (b"1,2\n3", "text/csv", 400),
        (b"{", "application/json", 400),
        (b'{"rows": []}', "application/json", 400),
        (b"x", "application/x-npy", 400),
        (b"\xff\xfe", "text/csv", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"x", "image/png", 415),
    ],
)
def test_what_can_not_be_read_is_refused(body, kind, status):
    with pytest.raises(payload.Refused) as caught:
        payload.decode(body, kind)
    assert caught.value.status == status


def test_answers_are_written_as_they_are_accepted():
    rows = np.array([[1.5, 2.0], [3.0, 4.0]])
    assert payload.encode(rows, "text/csv") == (b"1.5,2.0\n3.0,4.0", "text/csv; charset=utf-8")
    assert payload.encode(rows[0], "*/*") == (b"[1.5, 2.0]", "application/json")
    written, kind = payload.encode(rows, "application/x-npy")
    np.testing.assert_equal(payload.decode(written, kind), rows)
    with pytest.raises(payload.Refused) as caught:
        payload.encode(rows, "image/png")
    assert caught.value.status == 406


class Doubling:
    def predict(self, rows):
        return rows * 2


def script(tmp_path, source: str) -> Script:
    path = tmp_path / "code" / "inference.py"
    path.parent.mkdir()
    path.write_text(source)
    assert script_path(tmp_path, "") == path
    return Script(path, tmp_path, Doubling)


def test_a_function_that_is_not_there_has_a_default(tmp_path):
    written = script(tmp_path, "def output_fn(found, accept):\n    return str(found.tolist())")
    assert written.transform(b"1,2", "text/csv", "text/plain", {}) == (b"[[2.0, 4.0]]", "text/plain")


def test_functions_may_take_the_context_or_not(tmp_path):
    source = """
def model_fn(folder, context): return "m"
def input_fn(body, kind): return body
def predict_fn(data, model, context): return context["request_headers"]["x"] + model + data
"""
    written = script(tmp_path, source)
    assert written.transform(b"body", "text/plain", "", {"x": "h"}) == (b"hmbody", "application/json")


def test_transform_does_all_at_once_and_may_name_the_type(tmp_path):
    written = script(tmp_path, "def transform_fn(model, body, kind, accept): return (body[::-1], 'text/csv')")
    assert written.transform(b"\x01\x02", "image/png", "", {}) == (b"\x02\x01", "text/csv")
