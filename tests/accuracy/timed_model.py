"""inference.py of the endpoint that the simulator is held to: it works for a drawn time and answers with how long it did.

A model's folder says how long its loading takes; `work.json` has the mean and the coefficient of variation.
"""

import json
import math
import random
import threading
import time
from pathlib import Path

DRAWS = random.Random(20261121)  # noqa: S311 (times of work, no secrets)
LOCK = threading.Lock()


def model_fn(model_dir):
    facts = json.loads((Path(model_dir) / "work.json").read_text("utf-8"))
    started = time.perf_counter()
    time.sleep(facts["load_s"])
    return {**facts, "loaded_s": time.perf_counter() - started}


def input_fn(body, content_type):
    return body


def predict_fn(data, model):
    """Work for a lognormal time: waiting, as for a disk or an accelerator, so that the cores stay free."""
    spread = math.sqrt(math.log1p(model["cv"] ** 2))
    with LOCK:
        normal = DRAWS.gauss(0.0, 1.0)
    wanted_s = model["mean_s"] * math.exp(spread * normal - spread**2 / 2)
    started = time.perf_counter()
    time.sleep(wanted_s)
    worked_s = time.perf_counter() - started
    return worked_s, worked_s - wanted_s, model["loaded_s"]


def output_fn(prediction, accept):
    return json.dumps(prediction)
