"""Moto's memory survives being written and read."""

import io
import pickle

from sandbox.moto_backend import _Pickler


def test_parameters_get_their_defaults_again():
    from moto.ssm.models import ParameterDict

    before = ParameterDict("000000000000", "us-east-1")
    before["kept"].append("value")
    written = io.BytesIO()
    _Pickler(written).dump(before)
    after = pickle.loads(written.getvalue())  # noqa: S301
    assert (type(after), dict(after), after.region_name) == (ParameterDict, {"kept": ["value"]}, "us-east-1")
    assert after["new"] == []
