"""inference.py of an archive that has none: a pickled scikit-learn estimator, or an ONNX graph, by CSV, JSON or NPY.

hostfit puts this file into the archive as code/inference.py, so that SageMaker's scikit-learn and PyTorch images serve
the model. It stands alone: numpy, and what the model itself needs.
"""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np


def model_fn(model_dir: str) -> Any:
    """Load the graph or the estimator."""
    folder = Path(model_dir)
    graphs = sorted(folder.glob("*.onnx"))
    if graphs:
        import onnxruntime  # noqa: PLC0415 (only archives with a graph install it)

        return onnxruntime.InferenceSession(str(graphs[0]), providers=["CPUExecutionProvider"])
    import joblib  # noqa: PLC0415 (part of the scikit-learn image)

    found = [file for ending in ("*.joblib", "*.pkl", "*.pickle") for file in sorted(folder.glob(ending))]
    return joblib.load(found[0])


def input_fn(body: Any, content_type: str) -> Any:
    """Read rows: numbers, or objects where a column has text."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-npy":
        return np.load(io.BytesIO(body), allow_pickle=False)
    text = body.decode() if isinstance(body, bytes | bytearray) else body
    if kind == "text/csv":
        rows = [line.split(",") for line in text.strip().splitlines()]
    elif kind == "application/json":
        document = json.loads(text)
        rows = document["instances"] if isinstance(document, dict) else document
    else:
        message = f"send text/csv, application/json or application/x-npy, not {content_type}"
        raise ValueError(message)
    return _array(rows)


def predict_fn(rows: Any, model: Any) -> Any:
    """Predict; a step before a model transforms instead."""
    if hasattr(model, "get_inputs"):
        wanted = model.get_inputs()[0]
        kind = np.int64 if "int64" in wanted.type else np.float32
        return model.run(None, {wanted.name: rows.astype(kind)})[0]
    found = model.predict(rows) if hasattr(model, "predict") else model.transform(rows)
    return found.toarray() if hasattr(found, "toarray") else found


def output_fn(prediction: Any, accept: str) -> tuple[str, str]:
    """Write CSV where it is accepted, else a JSON list."""
    values = np.asarray(prediction).tolist()
    if accept.partition(";")[0].strip().lower() == "text/csv":
        lines = [",".join(map(str, row)) if isinstance(row, list) else str(row) for row in values]
        return "\n".join(lines), "text/csv"
    return json.dumps(values), "application/json"


def _array(rows: Any) -> Any:
    """Two dimensions of numbers; of objects where a column has text, with numbers in the columns that have none."""
    try:
        return np.atleast_2d(np.asarray(rows, dtype=np.float64))
    except ValueError:
        table = rows if isinstance(rows[0], list) else [rows]
        columns = [_numbers(column) for column in zip(*table, strict=True)]
        return np.array(list(zip(*columns, strict=True)), dtype=object)


def _numbers(column: Any) -> Any:
    try:
        return [float(value) for value in column]
    except ValueError:
        return column
