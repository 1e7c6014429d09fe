"""Every example in a docstring of the core and of the built-in plugin runs."""

import doctest
import importlib.util
import os
import pkgutil
from collections import defaultdict

import pytest

import lossfw
import lossfw_std

# A module for one of them is named after it, as torch_rules is; without a choice of its
# backend Keras would import TensorFlow.
OPTIONAL = ("jax", "keras", "sklearn", "torch")
os.environ.setdefault("KERAS_BACKEND", "torch")


def modules():
    """Return the names of the modules in each package."""
    found = defaultdict(list)
    for package in (lossfw, lossfw_std):
        found[package.__name__].append(package.__name__)
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            library = info.name.rpartition(".")[2].partition("_")[0]
            missing = library in OPTIONAL and importlib.util.find_spec(library) is None
            if not info.name.endswith("__main__") and not missing:
                found[info.name if info.ispkg else info.name.rpartition(".")[0]].append(info.name)
    return found


@pytest.mark.turns(3)
@pytest.mark.parametrize("names", [pytest.param(n, id=p) for p, n in modules().items()])
def test_examples_in_docstrings(names):
    for name in names:
        module = importlib.import_module(name)
        assert doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed == 0, name
