import numpy as np
import onnxruntime

from sandbox.samples.onnx_graph import classifier


def test_the_graph_computes_what_the_classifier_does():
    random = np.random.default_rng(3)
    weights = random.normal(size=(300, 4)).astype(np.float32)  # lengths that take more than one byte to write
    intercepts = random.normal(size=4).astype(np.float32)
    rows = random.normal(size=(5, 300)).astype(np.float32)
    session = onnxruntime.InferenceSession(classifier(weights, intercepts), providers=["CPUExecutionProvider"])
    label, probabilities = session.run(["label", "probabilities"], {"pixels": rows})
    scores = rows @ weights + intercepts
    expected = np.exp(scores - scores.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-4, atol=1e-6)
    assert label.tolist() == scores.argmax(axis=1).tolist()
