"""Writes the few ONNX graphs that the samples need, without the ONNX library: the file is a protocol buffer.

Field numbers: onnx/onnx.proto3 of the ONNX specification, IR version 8, read 2026-11.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_IR_VERSION, _OPSET = 8, 13
_FLOAT, _INT64 = 1, 7
_VARINT, _BYTES = 0, 2


def classifier(weights: NDArray[np.float32], intercepts: NDArray[np.float32]) -> bytes:
    """Give the file of a linear classifier: `pixels` in, `label` and `probabilities` out.

    Shape: weights (features, classes), intercepts (classes,).
    """
    features, classes = weights.shape
    graph = b"".join((
        _node("MatMul", ("pixels", "weights"), ("products",)),
        _node("Add", ("products", "intercepts"), ("scores",)),
        _node("Softmax", ("scores",), ("probabilities",), axis=1),
        _node("ArgMax", ("probabilities",), ("label",), axis=1, keepdims=0),
        _message(2, b"digits"),
        _message(5, _tensor("weights", weights)),
        _message(5, _tensor("intercepts", intercepts)),
        _message(11, _value("pixels", _FLOAT, (None, features))),
        _message(12, _value("label", _INT64, (None,))),
        _message(12, _value("probabilities", _FLOAT, (None, classes))),
    ))  # fmt: skip
    opset = _message(1, b"") + _number(2, _OPSET)
    return _number(1, _IR_VERSION) + _message(2, b"hostfit") + _message(7, graph) + _message(8, opset)


def _node(operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: int) -> bytes:
    parts = [_message(1, name.encode()) for name in inputs]
    parts += [_message(2, name.encode()) for name in outputs]
    parts.append(_message(4, operator.encode()))
    for name, value in attributes.items():
        parts.append(_message(5, _message(1, name.encode()) + _number(3, value) + _number(20, 2)))  # 20: INT
    return _message(1, b"".join(parts))


def _tensor(name: str, values: NDArray[np.float32]) -> bytes:
    dimensions = b"".join(_number(1, size) for size in values.shape)
    raw = values.astype("<f4").tobytes()
    return dimensions + _number(2, _FLOAT) + _message(8, name.encode()) + _message(9, raw)


def _value(name: str, kind: int, dimensions: Sequence[int | None]) -> bytes:
    """A graph's input or output; a dimension of None is any number of rows."""
    sizes = [_message(2, b"rows") if size is None else _number(1, size) for size in dimensions]
    shape = b"".join(_message(1, size) for size in sizes)
    return _message(1, name.encode()) + _message(2, _message(1, _number(1, kind) + _message(2, shape)))


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | _BYTES) + _varint(len(content)) + content


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(value)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
