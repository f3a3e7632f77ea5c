"""Trains the samples: each is a model archive, a request that it answers, and what it is for."""

import io
import json
import tempfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import xgboost
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sandbox.samples.archive import model_archive
from sandbox.samples.onnx_graph import classifier
from sandbox.samples.sample import Sample

CUSTOMERS = 50
_HOURS_OF_A_WEEK = 168
_BRANDS = np.array(["audi", "bmw", "ford", "skoda", "toyota"])
_BRAND_USD = dict(zip(_BRANDS, (21_000, 24_000, 13_000, 15_000, 17_000), strict=True))


def train() -> list[Sample]:
    """Train all samples; the same each time."""
    preprocessing, cars = _used_cars()
    return [_iris(), cars, preprocessing, _digits(), *_forecasters()]


def _iris() -> Sample:
    features, labels = load_iris(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(features, labels)
    return Sample(
        key="iris/model.tar.gz",
        image="sagemaker-scikit-learn:1.2-1-cpu-py3",
        about="The species of an iris, 0 to 2, by the four sizes of its flower (scikit-learn).",
        archive=model_archive({"model.joblib": _pickled(model)}),
        content_type="text/csv",
        request="5.1,3.5,1.4,0.2",
    )


def _used_cars() -> tuple[Sample, Sample]:
    """A preprocessing step and a regressor that make a pipeline, from generated sales."""
    random = np.random.default_rng(7)
    count = 3_000
    brand = random.choice(_BRANDS, count)
    age_years = random.uniform(0, 15, count)
    km = age_years * random.normal(14_000, 3_000, count).clip(2_000)
    price_usd = np.array([_BRAND_USD[name] for name in brand]) * 0.86**age_years - km * 0.01
    price_usd = (price_usd * random.normal(1, 0.05, count)).clip(500)
    rows = np.column_stack((brand.astype(object), age_years.astype(object), km.astype(object)))
    encode = ColumnTransformer([("brand", OneHotEncoder(sparse_output=False), [0])], remainder="passthrough").fit(rows)
    encoded = encode.transform(rows).astype(np.float64)
    settings = {"objective": "reg:squarederror", "max_depth": 5, "eta": 0.2, "nthread": 1, "seed": 7}
    booster = xgboost.train(settings, xgboost.DMatrix(encoded, price_usd), num_boost_round=60)
    return (
        Sample(
            key="used-cars/preprocess/model.tar.gz",
            image="sagemaker-scikit-learn:1.2-1-cpu-py3",
            about="Brand, age and kilometres of a used car as numbers: the first step of a pipeline (scikit-learn).",
            archive=model_archive({"model.joblib": _pickled(encode)}),
            content_type="text/csv",
            request="ford,3.5,42000",
        ),
        Sample(
            key="used-cars/price/model.tar.gz",
            image="sagemaker-xgboost:1.7-1",
            about="The price of a used car in USD by what the preprocessing makes of it (XGBoost).",
            archive=model_archive({"xgboost-model": _saved(booster)}),
            content_type="text/csv",
            request=",".join(str(value) for value in encode.transform(np.array([["ford", 3.5, 42_000]], object))[0]),
        ),
    )


def _digits() -> Sample:
    pixels, labels = load_digits(return_X_y=True)
    model = LogisticRegression(max_iter=300).fit(pixels / 16, labels)
    weights = (model.coef_.T / 16).astype(np.float32)
    return Sample(
        key="digits/model.tar.gz",
        image="onnxruntime:1.20-cpu",
        about="A handwritten digit by its 8 x 8 pixels from 0 to 16 (ONNX).",
        archive=model_archive({"model.onnx": classifier(weights, model.intercept_.astype(np.float32))}),
        content_type="text/csv",
        request=",".join(str(int(pixel)) for pixel in pixels[0]),
    )


def _forecasters() -> list[Sample]:
    """A forecaster of hourly consumption for each customer, by the mean of each hour of the week."""
    random = np.random.default_rng(11)
    script = (Path(__file__).parent / "forecast.py").read_bytes()
    hours = np.arange(_HOURS_OF_A_WEEK * 8)
    samples = []
    for customer in range(CUSTOMERS):
        level, swing, noise = random.uniform(0.3, 3.0), random.uniform(0.2, 0.8), random.uniform(0.05, 0.2)
        wave = 1 + swing * np.sin(2 * np.pi * (hours % 24 - 7) / 24) + 0.15 * (hours // 24 % 7 >= 5)
        kwh = (level * wave + random.normal(0, noise, hours.size)).clip(0)
        weeks = kwh.reshape(-1, _HOURS_OF_A_WEEK)
        model = {
            "customer_id": customer,
            "next_hour": 0,
            "profile": [round(value, 4) for value in weeks.mean(axis=0).tolist()],
            "deviation": round(float(weeks.std(axis=0).mean()), 4),
        }
        files = {"forecaster.json": json.dumps(model).encode(), "code/inference.py": script}
        samples.append(
            Sample(
                key=f"forecasters/customer-{customer:03d}.tar.gz",
                image="sagemaker-scikit-learn:1.2-1-cpu-py3",
                about=f"Hourly consumption of customer {customer} (inference.py).",
                archive=model_archive(files),
                content_type="application/json",
                request='{"period": 7}',
            )
        )
    return samples


def _pickled(model: Any) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return buffer.getvalue()


def _saved(booster: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.ubj"
        booster.save_model(path)
        return path.read_bytes()
