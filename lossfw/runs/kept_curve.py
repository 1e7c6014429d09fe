"""Kept curve: the curve of a loss from a plugin file, which its page shows without the file.

A page draws every other loss anew. A plugin file is executed by a run, and not by who reads
the folder of the run.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lossfw.config.schema.checked import CheckedConfig, known
from lossfw.data.state_file import SavedState
from lossfw.errors import ArgumentError, DataError
from lossfw.nn.sample_curve import CurveLine, SampledCurve, curve
from lossfw.numerics.arrays import NDArray
from lossfw.runs.folder import CURVE_FILE

# A page shows the value and its derivative.
_PARTS = ("value", "derivative")


def curve_to_keep(config: CheckedConfig) -> bytes | None:
    """Return the content of the file with the curve of the loss, None if its page needs none.

    Parameters
    ----------
    config : CheckedConfig
        The configuration of a run that is done.
    """
    if not (config.has("plugins") or config.source.plugins.local):
        return None
    try:
        # Not fused: as the configuration has it.
        drawn = curve(known(config.loss))
        arrays = {"x": drawn.x, **dict(zip(_PARTS, drawn.parts, strict=False))}
        arrays |= {"breaks": np.array(drawn.breaks, float)}
        arrays |= {"second_breaks": np.array(drawn.second_breaks, float)}
        return SavedState({"name": drawn.name, "label": drawn.line.label}, arrays).to_bytes()
    except Exception as error:
        # The run is done: an error of a plugin at the points of a line does it no harm.
        return SavedState({"missing": str(error) or type(error).__name__}, {}).to_bytes()


def read_curve(folder: Path) -> SampledCurve | None:
    """Return the curve that a run has kept, None if it has kept none.

    Raises
    ------
    ArgumentError
        If the loss could not be drawn.
    DataError
        If the file is damaged.
    """
    path = folder / CURVE_FILE
    if not path.exists():
        return None
    damaged = DataError(f"{path} was not written by a run, or is damaged: run again.")
    try:
        header, arrays = SavedState.read(path)
        if isinstance(header.get("missing"), str):
            raise ArgumentError(header["missing"])
        name, label = header["name"], header["label"]
        x, *parts = (arrays[key] for key in ("x", *_PARTS))
        breaks, second = (arrays[key] for key in ("breaks", "second_breaks"))
    except (ValueError, TypeError, LookupError, AttributeError):
        raise damaged from None
    whole = all(part.shape == x.shape and part.dtype == np.float64 for part in (x, *parts))
    if not (
        whole
        and x.ndim == 1
        and len(x) > 1
        and (np.diff(x) > 0).all()
        and all(isinstance(text, str) for text in (name, label))
        and all(places.ndim == 1 and np.isin(places, x).all() for places in (breaks, second))
    ):
        raise damaged
    line = CurveLine(label, float(x[0]), float(x[-1]), _unknown)
    return SampledCurve(name, line, x, tuple(parts), tuple(breaks.tolist()), tuple(second.tolist()))


def _unknown(_: NDArray) -> tuple[NDArray, ...]:
    raise ArgumentError("a curve from a file has no arguments of the loss.")
