"""Examples in the docstrings of ui run as tests."""

import doctest
import importlib
import pkgutil

import pytest

import ui

MODULES = [f"ui.{module.name}" for module in pkgutil.iter_modules(ui.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_are_true(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
