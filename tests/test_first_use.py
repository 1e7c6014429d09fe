"""What the first use of lossfw imports, and what it leaves for those who need it."""

import importlib
import subprocess
import sys

import pytest

import lossfw
from lossfw.cli.main import COMMANDS

# What takes longer than the command line itself.
LIBRARIES = {"numpy", "pydantic", "yaml", "torch", "scipy", "pyarrow", "matplotlib", "hypothesis"}
# Rooms of lossfw that define classes of components, or that few need.
ROOMS = {"losses", "metrics", "nn", "numerics", "bridges", "check", "config", "data", "evaluation"}
ROOMS |= {"models", "report", "scale"}


def imported_by(code, *arguments):
    """Return what code imports, in a process of its own: rooms of lossfw, and libraries."""
    code = f"import atexit, sys; atexit.register(lambda: print('\\n', *sys.modules)); {code}"
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    names = done.stdout.splitlines()[-1].split()
    return {name.removeprefix("lossfw.") for name in names}


def test_importing_lossfw_imports_errors_and_no_component():
    assert not imported_by("import lossfw") & (LIBRARIES | ROOMS | {"components"})


def test_the_help_of_all_commands_imports_no_library():
    found = imported_by("from lossfw.cli.main import main; main()", "--help")
    assert {f"cli.{place.partition(':')[0]}" for place in COMMANDS.values()} <= found
    assert not found & (LIBRARIES | ROOMS)


def test_a_loss_imports_no_metric_and_no_optional_library():
    found = imported_by("import lossfw; lossfw.loss('huber')([1.0], [0.5])")
    rest = {"metrics", "nn", "losses.wrappers.class_weighted"} | ROOMS - {"losses", "numerics"}
    assert not found & (rest | LIBRARIES - {"numpy", "pydantic"})


def test_each_public_name_is_found_where_the_table_says():
    for name in lossfw.__all__:
        value = getattr(lossfw, name)
        place = lossfw._PLACE_OF.get(name)
        if place is not None:
            assert value is getattr(importlib.import_module(f"lossfw.{place}"), name)
    assert set(lossfw._PLACE_OF) <= set(lossfw.__all__)
    assert set(lossfw.__all__) <= set(dir(lossfw))


def test_public_packages_are_attributes_and_a_misspelt_name_is_none():
    code = "import lossfw; print(lossfw.metrics.SumTerm, lossfw.numerics.sigmoid, lossfw.errors)"
    assert {"metrics", "numerics"} <= imported_by(code)
    with pytest.raises(AttributeError, match="module 'lossfw' has no attribute 'los'"):
        lossfw.los  # noqa: B018 - the access raises
