"""Every example in a docstring of the core and of the built-in plugin runs."""

import doctest
import importlib
import os
import pkgutil

import pytest

import lossfw
import lossfw_std

# A module for one of them is named after it, as torch_rules is.
OPTIONAL = ("jax", "keras", "torch")


def modules():
    for package in (lossfw, lossfw_std):
        yield package.__name__
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not info.name.endswith("__main__"):
                yield info.name


@pytest.mark.parametrize("name", sorted(modules()))
def test_examples_in_docstrings(name):
    library = name.rpartition(".")[2].partition("_")[0]
    if library in OPTIONAL:
        # Without a choice Keras would import TensorFlow.
        os.environ.setdefault("KERAS_BACKEND", "torch")
        pytest.importorskip(library)
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert failed == 0
