"""The exam of the harness: a folder of faulty and correct loss functions.

It holds ``losses.py`` with the list ``ENTRIES``, which is all that the harness sees. ``truth.py``
says what each entry is; it is read after everything is judged.
"""

import importlib
import sys
from typing import NamedTuple

from lossfw.check import check_function
from lossfw.check.pool import Job

# What an entry says of itself, by the names that `check_function` has for it.
_DESCRIBED = ("kind", "prediction", "target", "gradient", "hessian", "reduce", "against", "params",
              "claims")  # fmt: skip

_SETUP = """import sys
sys.path.insert(0, {folder!r})
import numpy as np
from numpy import array, inf, nan
from losses import ENTRIES
entry = next(e for e in ENTRIES if e.id == {name!r})
value, reduce, gradient, hessian = entry.value, entry.reduce, entry.gradient, entry.hessian"""


def load(folder, module):
    """Return a module of the folder, the only one that a process imports such modules from."""
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(module)


def check_entry(folder, name, watch, **options):
    entry = next(entry for entry in load(folder, "losses").ENTRIES if entry.id == name)
    return check_function(
        entry.value,
        **{field: getattr(entry, field) for field in _DESCRIBED},
        name=name,
        setup=_SETUP.format(folder=folder, name=name),
        watch=watch,
        **options,
    )


def jobs(folder, **options):
    """Return a job for each entry, in their order."""
    names = [entry.id for entry in load(folder, "losses").ENTRIES]
    return [Job(name, check_entry, {"folder": folder, "name": name, **options}) for name in names]


# The truth has words for two errors of results; the harness has a check for each function.
_ERRORS, _RESULTS = ("precision", "overflow"), ("value", "gradient", "hessian")


class Score(NamedTuple):
    """Names of entries: all faulty ones, those not refuted, those refuted by another check than
    the truth names, and correct ones that are called wrong all the same."""

    faulty: list
    missed: list
    elsewhere: list
    alarms: list


def score(reports, truth):
    """Compare reports with the truth."""

    def is_right(report):
        expected = truth[report.name]["refuted_by"]
        if expected in _ERRORS:
            return any(r.check in _RESULTS for r in report.refuted)
        return any(
            r.check == expected or r.check.startswith(f"{expected}:") for r in report.refuted
        )

    faulty = [r for r in reports if truth[r.name]["verdict"] == "faulty"]
    correct = [r for r in reports if truth[r.name]["verdict"] != "faulty"]
    return Score(
        [r.name for r in faulty],
        [r.name for r in faulty if not r.refuted],
        [r.name for r in faulty if r.refuted and not is_right(r)],
        [r.name for r in correct if r.failures],
    )
