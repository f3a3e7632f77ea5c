"""Which fields count as measured."""

from fitness import answer, record, workload_file
from fitness.measured import measured_fields, sentence, written
from fitness.verdict import recommend
from fitness.workload import Workload
from tests.declared import BOOK

VALUES = {"request.processing_ms": 12.5, "request.measured_on": "ml.m5.large", "request.concurrency": 2}


def measured(**changes: object) -> Workload:
    marks = {
        "measured.fields": written(VALUES),
        "measured.as_of": "2026-11-21",
        "measured.by": "load test of endpoint fraud",
    }
    return Workload.from_values({"name": "fraud", **VALUES, **marks, **changes})


def test_what_a_load_test_put_in_is_measured():
    assert measured_fields(measured()) == tuple(VALUES)


def test_a_field_that_somebody_changed_is_declared_again():
    changed = measured().replace({"request.processing_ms": 20})
    assert measured_fields(changed) == ("request.measured_on", "request.concurrency")


def test_the_marks_survive_the_file():
    assert measured_fields(workload_file.read(workload_file.write(measured()))) == measured_fields(measured())


def test_the_sentence_says_when_and_by_what():
    assert sentence(measured()) == (
        "request.processing_ms, request.measured_on, request.concurrency (2026-11-21, load test of endpoint fraud)"
    )


def test_nothing_is_said_where_nothing_was_measured():
    assert sentence(Workload(name="fraud")) is None
    assert sentence(measured(**dict.fromkeys(VALUES))) is None


def test_the_answers_say_what_was_measured():
    verdict = recommend(measured(), book=BOOK, draws=0)
    origin = "(2026-11-21, load test of endpoint fraud)"
    assert f"Measured: request.processing_ms, request.measured_on, request.concurrency {origin}" in " ".join(
        answer.as_text(verdict).split()
    )
    assert answer.as_dict(verdict)["measured"] == list(VALUES)
    assert f"request.concurrency {origin}." in record.decision_record(verdict)
