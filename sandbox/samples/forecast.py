"""inference.py of the sample forecasters: a seasonal profile of each hour of the week, kept as JSON."""

import json
from pathlib import Path
from typing import Any


def model_fn(model_dir: str) -> dict[str, Any]:
    """Load the profile."""
    model: dict[str, Any] = json.loads((Path(model_dir) / "forecaster.json").read_text("utf-8"))
    return model


def input_fn(body: str, content_type: str) -> int:
    """Read how many hours are wanted."""
    if not content_type.startswith("application/json"):
        raise ValueError(f"send application/json, not {content_type}")
    return int(json.loads(body)["period"])


def predict_fn(period: int, model: dict[str, Any]) -> dict[str, Any]:
    """Repeat the profile, with the interval that holds 95 % of the hours."""
    profile = model["profile"]
    hours = [(model["next_hour"] + step) % len(profile) for step in range(period)]
    return {
        "customer_id": model["customer_id"],
        "kwh": [profile[hour] for hour in hours],
        "low": [profile[hour] - 1.96 * model["deviation"] for hour in hours],
        "high": [profile[hour] + 1.96 * model["deviation"] for hour in hours],
    }


def output_fn(prediction: dict[str, Any], accept: str) -> tuple[str, str]:
    """Write the forecast as JSON."""
    return json.dumps(prediction), accept or "application/json"
