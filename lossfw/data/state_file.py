"""State file for checkpoints: arrays and a header of plain values in one ``.npz`` file."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lossfw.data.npy import npz_member, read_npz
from lossfw.numerics.arrays import NDArray

# The member of the archive that holds the header, as JSON.
HEADER = "header"


class SavedState(NamedTuple):
    """The state of an interrupted computation.

    Examples
    --------
    >>> SavedState({"row": 7}, {"total": np.array([0.5])}).to_bytes()[:2]
    b'PK'
    """

    # Numbers, texts, lists and mappings.
    header: dict[str, Any]
    # Arrays of numbers by name; none is called header.
    arrays: Mapping[str, NDArray]

    def to_bytes(self) -> bytes:
        """Return the content of the state's file."""
        header = np.frombuffer(json.dumps(self.header).encode(), np.uint8)
        return npz_bytes({HEADER: header, **self.arrays})

    @classmethod
    def from_bytes(cls, content: bytes) -> SavedState:
        """Return the state that `to_bytes` wrote."""
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            every = dict(arrays)
        return cls(json.loads(every.pop(HEADER).tobytes()), every)

    @classmethod
    def read(cls, path: Path) -> SavedState:
        """Return the state in a file."""
        arrays = read_npz(path, "a checkpoint")
        header = json.loads(npz_member(arrays, HEADER, path).tobytes())
        del arrays[HEADER]
        return cls(header, arrays)


def npz_bytes(arrays: Mapping[str, NDArray]) -> bytes:
    """Return the bytes of a ``.npz`` file without times, so that equal arrays give equal bytes."""
    content = io.BytesIO()
    # The names are ours and none is `file`, which savez takes for itself.
    np.savez(content, **arrays)  # type: ignore[arg-type]  # it takes arrays by any name
    return content.getvalue()
