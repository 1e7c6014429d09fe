"""Calls of a loss by tiles and by kernels, which have the same bits, and programs with kernels."""

import os
import subprocess
import sys

import numpy as np

from lossfw.losses.engine import compiled
from lossfw.losses.engine.engine_mode import use_engine
from support.waiting import HANGS


def same_bits(loss, y, t, **options):
    """Hold every kind of call by kernels to that by tiles."""
    # Some bodies have infinite values, whose sum is NaN.
    with use_engine("tiles"), np.errstate(all="ignore"):
        wanted = _results(loss, y, t, **options)
    with use_engine("compiled"), compiled.trust_kernels(), np.errstate(all="ignore"):
        found = _results(loss, y, t, **options)
    for one, other in zip(found, wanted, strict=True):
        assert np.asarray(one).dtype == np.asarray(other).dtype
        np.testing.assert_array_equal(one, other)


def same_bits_with_options(loss, y, t, weight, where):
    """Hold calls with weights, also of 0, with a mask, and in other layouts to those by tiles."""
    same_bits(loss, y, t)
    same_bits(loss, y, t, sample_weight=weight)
    same_bits(loss, y, t, sample_weight=weight * where)
    same_bits(loss, y, t, where=where)
    same_bits(loss, y[::2], np.asfortranarray(t)[::2])


def _results(loss, y, t, **options):
    return [
        loss(y, t, **options),
        loss(y, t, reduction="none", **options),
        loss.gradient(y, t, **options),
        loss.gradient(y, t, reduction="sum", **options),
        loss.hessian(y, t, **options),
        *loss.value_and_gradient(y, t, **options),
        loss.partial(y, t, **options).mean(),
    ]


def run_program(program):
    """Return the output of a program, which ends well, with the engine's usual mode."""
    command, environment = [sys.executable, "-c", program], {**os.environ, "LOSSFW_ENGINE": ""}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=HANGS)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout
