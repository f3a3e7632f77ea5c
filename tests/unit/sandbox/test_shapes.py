from datetime import UTC, datetime

import botocore.session
import pytest

from sandbox.errors import AwsError
from sandbox.protocols.shapes import read_value

TIMESTAMP = botocore.session.Session().get_service_model("cloudwatch").shape_for("Timestamp")


@pytest.mark.parametrize("value", [1_795_262_400, 1_795_262_400.0, "2026-11-21T12:00:00Z", "1795262400"])
def test_a_time_is_read(value):
    assert read_value(TIMESTAMP, value) == datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize("value", [1e18, -1e18, 1e400, "soon", True, []])
def test_what_is_no_time_is_refused(value):
    with pytest.raises(AwsError) as caught:
        read_value(TIMESTAMP, value)
    assert caught.value.code == "SerializationException"
