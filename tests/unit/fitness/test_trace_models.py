"""Recordings that name the model of each request."""

import numpy as np
import pytest

from fitness.trace import of_model, read_trace


def test_models_are_named_by_how_much_they_are_requested():
    found = read_trace(b"timestamp,model\n0,b\n1,a\n2,a\n3, c \n4,b\n5,a\n", exact=True)
    assert found.models == ("a", "b", "c")
    assert found.model_share.tolist() == pytest.approx([1 / 2, 1 / 3, 1 / 6])
    assert found.rows.model.tolist() == [1, 0, 0, 2, 1, 0]
    assert "Models in the recording: 3; the most requested one has 50.0 % of the requests." in found.notes
    counted = read_trace(b"timestamp,count,model\n0,1,b\n0,5,a\n60,2,b\n120,0,c\n", exact=True)
    assert counted.counts.tolist() == [6, 2, 0]
    assert counted.models == ("a", "b", "c")
    assert not [note for note in counted.notes if "timestamp of another" in note]
    assert counted.rows.count.tolist() == [1, 5, 2]
    twice = read_trace(b"timestamp,count,model\n0,1,b\n0,5,b\n60,2,b\n", exact=True)
    assert "Rows with the timestamp of another: 1; their counts are added up." in twice.notes


def test_the_requests_of_one_model_can_be_taken_out():
    found = read_trace(b"timestamp,model\n0.5,b\n61,a\n62,a\n130,a\n190,b\n", exact=True)
    first, second = (of_model(found, model) for model in (0, 1))
    assert (first.models, second.models) == (("a",), ("b",))
    assert first.counts.tolist() == [0, 2, 1, 0]
    assert second.counts.tolist() == [1, 0, 0, 1]
    assert second.rows.time_s.tolist() == [0.5, 190]
    wide = read_trace(b"timestamp,count,model\n0,5,a\n0,10,b\n300,5,b\n600,15,a\n", exact=True)
    assert of_model(wide, 0).counts.tolist() == [1] * 5 + [0] * 5 + [3] * 5
    with pytest.raises(ValueError, match="no rows of a model 2"):
        of_model(found, 2)
    with pytest.raises(ValueError, match="no rows of a model 0"):
        of_model(read_trace(b"timestamp\n0\n", exact=True), 0)


def test_every_model_of_a_recording_has_the_requests_that_name_it():
    rng = np.random.default_rng(2)
    times, models = np.sort(rng.uniform(0, 600, 500)).round(3), rng.integers(0, 40, 500)
    rows = "\n".join(f"{time},{model}" for time, model in zip(times.tolist(), models.tolist(), strict=True))
    found = read_trace(f"timestamp,model\n{rows}\n".encode(), exact=True)
    parts = [of_model(found, place) for place in range(len(found.models))]
    for part in parts:
        assert part.rows.time_s.tolist() == times[models == int(part.models[0])].tolist()
    assert sum(part.counts for part in parts).tolist() == found.counts.tolist()


def test_a_model_that_nobody_asked_for_has_no_request():
    found = read_trace(b"timestamp,count,model\n0,3,a\n60,0,b\n120,2,a\n", exact=True)
    assert found.models == ("a", "b")
    assert of_model(found, 1).counts.tolist() == [0, 0, 0]
    assert of_model(found, 1).rows.time_s.size == 0
