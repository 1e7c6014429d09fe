"""Arrays written on the command line, as YAML or as the name of a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lossfw.errors import ArgumentError
from lossfw.numerics.arrays import NDArray

# A text that ends so is the name of a file.
_FILES = (".npy", ".npz", ".csv")


def read_written(text: str, option: str, role: str) -> NDArray:
    """Return the array that a text describes.

    Parameters
    ----------
    text : str
        Numbers in YAML, such as ``[[0.2, 0.8], [0.5, .inf]]``, or the name of a
        ``.npy``, ``.npz`` or ``.csv``.
    option : str
        Where it was given, for messages: ``"-y"``.
    role : str
        Its role, such as ``"predictions"``: the name of an array in a ``.npz``.

    Raises
    ------
    ConfigError
        If it is not YAML.
    ArgumentError
        If it holds anything but numbers.
    DataError
        If the file cannot be used.
    """
    from lossfw.config.text.tree import Origin, Problems, shorten
    from lossfw.config.text.yaml import parse
    from lossfw.data.arrays import read_array
    from lossfw.data.literals import numbers_array

    if text.strip().endswith(_FILES):
        return np.asarray(read_array(Path(text.strip()), role))
    problems = Problems()
    node = parse(text, Origin(f"{option} {shorten(text)}", Path.cwd()), problems)
    problems.raise_if_any()
    try:
        return numbers_array(None if node is None else node.plain(), finite=False)
    except ValueError as error:
        raise ArgumentError(
            f"{option} should be {error}. Numbers are written as in YAML, [0.5, 1e-7, .inf], or "
            "stand in a file whose name ends in .npy, .npz or .csv."
        ) from None
