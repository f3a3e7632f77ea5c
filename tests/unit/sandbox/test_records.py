import pytest

from sandbox.services.sagemaker.records import BadRecord, Selection, batches, filtered, joined, split

ALL = Selection("$")
MIB = 1024 * 1024


def test_lines_are_records_and_empty_ones_are_none():
    assert split(b"a\r\nb\n\nc", by_line=True) == [b"a", b"b", b"c"]
    assert split(b"a\nb", by_line=False) == [b"a\nb"]


def test_a_request_holds_as_many_records_as_fit():
    record = b"x" * (MIB // 2 - 1)  # with its line end half a megabyte
    assert [len(batch) for batch in batches([record] * 5, largest_mb=1, many=True)] == [2, 2, 1]
    assert [len(batch) for batch in batches([record] * 3, largest_mb=1, many=False)] == [1, 1, 1]
    assert [len(batch) for batch in batches([record] * 5, largest_mb=0, many=True)] == [5]


def test_a_record_larger_than_a_request_is_refused():
    with pytest.raises(BadRecord, match="larger than MaxPayloadInMB=1"):
        list(batches([b"x" * (MIB + 1)], largest_mb=1, many=True))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", b"7,a,0.5"),
        ("$[0]", b"7"),
        ("$[1:]", b"a,0.5"),
        ("$[:-1]", b"7,a"),
        ("$[0,2]", b"7,0.5"),
        ("$[0,-1]", b"7,0.5"),
    ],
)
def test_columns_of_csv_are_chosen(path, expected):
    assert filtered(b"7,a,0.5", "text/csv", Selection(path)) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [("$.features", b"[1, 2]"), ("$['id']", b"7"), ("$.features[1]", b"2"), ("$.deep.er", b'"x"')],
)
def test_members_of_json_are_chosen(path, expected):
    record = b'{"id": 7, "features": [1, 2], "deep": {"er": "x"}}'
    assert filtered(record, "application/json", Selection(path)) == expected


def test_a_quoted_comma_stays_in_its_column():
    assert filtered(b'1,"a,b",2', "text/csv", Selection("$[1:]")) == b'"a,b",2'


@pytest.mark.parametrize("path", ["features", "$[", "$[a]", "$..x", "$[?(@.x)]", "$[1:2:3]"])
def test_another_jsonpath_is_refused(path):
    with pytest.raises(BadRecord):
        Selection(path)


@pytest.mark.parametrize(("record", "path"), [(b"1,2", "$[5]"), (b"1,2", "$.name")])
def test_a_part_that_is_not_there_is_refused(record, path):
    with pytest.raises(BadRecord, match="A record has no"):
        filtered(record, "text/csv", Selection(path))


def test_an_answer_stands_beside_its_record():
    def line(record: bytes, answer: bytes, kind: str, path: str = "$", *, join: bool = True) -> bytes:
        return joined(record, answer, content_type=kind, accept=kind, selection=Selection(path), join=join)

    assert line(b"1,2", b"0.9", "text/csv") == b"1,2,0.9"
    assert line(b"1,2", b"0.9,b", "text/csv", "$[0,-1]") == b"1,b"
    assert line(b"1,2", b"0.9", "text/csv", join=False) == b"0.9"
    assert line(b'{"a": 1}', b"[2]", "application/json") == b'{"a": 1, "SageMakerOutput": [2]}'
    assert line(b"[1]", b"[2]", "application/json") == b'{"SageMakerInput": [1], "SageMakerOutput": [2]}'
    assert line(b'{"a": 1}', b'{"p": 2}', "application/json", "$.SageMakerOutput.p") == b"2"
