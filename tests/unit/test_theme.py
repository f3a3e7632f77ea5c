"""The colours of both themes: readable text, visible series, series that colour-blind readers tell apart."""

import itertools
import tomllib
from pathlib import Path

import numpy as np
import pytest

CONFIG = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
THEMES = {name: CONFIG["theme"][name] for name in ("light", "dark")}
SURFACES = ("backgroundColor", "secondaryBackgroundColor")

# WCAG 2.1, criteria 1.4.3 (text) and 1.4.11 (graphics), https://www.w3.org/TR/WCAG21/.
TEXT_CONTRAST = 4.5
GRAPHICS_CONTRAST = 3.0

# Machado, Oliveira and Fernandes, "A physiologically-based model for simulation of color vision deficiency",
# IEEE TVCG 15(6), 2009, severity 1.0: linear RGB to linear RGB.
VISION = {
    "normal": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
# Björn Ottosson, "A perceptual color space for image processing", 2020: linear RGB to cone responses to Oklab.
TO_CONES = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]
TO_OKLAB = [
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
]
# The palette of Okabe and Ito itself, made for colour-blind readers, keeps its closest pair 0.076 apart.
DISTINCT = 0.075


def linear_rgb(colour: str) -> np.ndarray:
    encoded = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    low, high = sorted(float(linear_rgb(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def oklab(colour: str, vision: str) -> np.ndarray:
    seen = np.clip(np.array(VISION[vision]) @ linear_rgb(colour), 0, 1)
    return np.array(TO_OKLAB) @ np.cbrt(np.array(TO_CONES) @ seen)


def test_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


def test_lightness_of_white_is_1_and_it_has_no_hue():
    assert oklab("#FFFFFF", "normal") == pytest.approx([1, 0, 0], abs=1e-4)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("text", ["textColor", "linkColor", "codeTextColor"])
def test_text_is_readable(theme: str, surface: str, text: str):
    assert contrast(THEMES[theme][text], THEMES[theme][surface]) >= TEXT_CONTRAST


@pytest.mark.parametrize("theme", THEMES)
def test_white_labels_are_readable_on_the_primary_colour(theme: str):
    assert contrast(THEMES[theme]["primaryColor"], "#FFFFFF") >= TEXT_CONTRAST


@pytest.mark.parametrize(("theme", "least"), [("light", TEXT_CONTRAST), ("dark", 4.0)])
def test_names_of_chosen_tabs_are_readable(theme: str, least: float):
    # On dark no colour carries white labels and is itself readable text; such names have a border or a line too.
    assert contrast(THEMES[theme]["primaryColor"], THEMES[theme]["backgroundColor"]) >= least


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("surface", SURFACES)
def test_series_stand_out_from_the_surface(theme: str, surface: str):
    colours = [THEMES[theme]["primaryColor"], *THEMES[theme]["chartCategoricalColors"]]
    assert min(contrast(colour, THEMES[theme][surface]) for colour in colours) >= GRAPHICS_CONTRAST


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("vision", VISION)
def test_series_are_told_apart(theme: str, vision: str):
    pairs = itertools.combinations(THEMES[theme]["chartCategoricalColors"], 2)
    distances = {pair: np.linalg.norm(oklab(pair[0], vision) - oklab(pair[1], vision)) for pair in pairs}
    assert min(distances.values()) >= DISTINCT, min(distances, key=distances.get)


def test_both_themes_have_the_same_number_of_series():
    assert len(THEMES["light"]["chartCategoricalColors"]) == len(THEMES["dark"]["chartCategoricalColors"])
