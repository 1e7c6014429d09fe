"""Reader of a network's weights, from ``.npz`` or from a pickle of NumPy arrays."""

from __future__ import annotations

from pathlib import Path

from lossfw.data.data_record import RECORDED
from lossfw.data.files import need_file, read_bytes
from lossfw.data.foreign_weights import (
    SAFETENSORS,
    conversion,
    library_of_pickle,
    read_safetensors,
    refuse_foreign,
)
from lossfw.data.memory_file import MemoryFile
from lossfw.data.npy import NPY_MAGIC, NPZ_MAGIC, npz_names, read_npz
from lossfw.data.safe_pickle import read_pickle
from lossfw.data.validation import check_finite
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

# A file of weights is read as a whole. A larger file is taken for a mistake:
# the weights of dense networks take megabytes.
MAX_WEIGHT_BYTES = 2 * 1024**3


def read_weights(path: Path) -> dict[str, NDArray]:
    """Return the arrays of a file of weights by name; nothing in it is executed.

    The content decides the format: an archive of NumPy (``.npz``), a pickled
    dictionary of NumPy arrays, or a ``.safetensors`` file. Files of libraries that
    execute what they read are refused, with the lines that convert them.
    `lossfw.nn.dense.Network.from_arrays` checks names, shapes and dtypes against the layers.

    Parameters
    ----------
    path : Path
        The file.
    """
    if isinstance(path, MemoryFile):
        held = path.held if isinstance(path.held, dict) else {}
        arrays = {name: array for name, array in held.items() if name not in RECORDED}
        return _finite(arrays, path)
    size = need_file(path, "weights")
    if size > MAX_WEIGHT_BYTES:
        raise DataError(
            f"{path} has {size} bytes; at most {MAX_WEIGHT_BYTES} are read as weights. "
            "Is it the right file?"
        )
    with path.open("rb") as stream:
        start = stream.read(len(NPY_MAGIC))
    refuse_foreign(path, start)
    if start.startswith(NPY_MAGIC):
        raise DataError(
            f"{path} is a .npy, which holds one array without a name; weights are named W1, b1, "
            "W2 ...: write them with numpy.savez."
        )
    if start.startswith(NPZ_MAGIC):
        named = set(npz_names(path, "weights")) - RECORDED
        arrays = read_npz(path, "weights", named, most=MAX_WEIGHT_BYTES)
    elif path.suffix == ".npz":
        raise DataError(
            f"{path} is not a .npz: it begins with {start!r} and not with {NPZ_MAGIC!r}. "
            "Write it with numpy.savez."
        )
    elif path.suffix == SAFETENSORS:
        arrays = read_safetensors(path)
    else:
        arrays = _from_pickle(path)
    return _finite(arrays, path)


def _finite(arrays: dict[str, NDArray], path: Path) -> dict[str, NDArray]:
    for name, array in arrays.items():
        if array.dtype.kind not in "fiub":
            raise DataError(f"{path}: {name} has dtype {array.dtype}; expected numbers.")
        check_finite(array, f"{path}: {name}")
    return arrays


def _from_pickle(path: Path) -> dict[str, NDArray]:
    content = read_bytes(path, "weights")
    try:
        return read_pickle(content, str(path))
    except DataError as error:
        library = library_of_pickle(content)
        if library is None:
            raise DataError(
                f"{error} Weights are in a .npz, a .safetensors, or a pickled dictionary of arrays."
            ) from None
        raise DataError(conversion(path, library)) from None
