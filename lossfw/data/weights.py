"""Reader of a network's weights: ``.npz``, ``.safetensors``, or a pickle of NumPy arrays.

It refuses files of other libraries that hold code, and shows the lines that convert them.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from lossfw.data.data_record import RECORDED
from lossfw.data.files import need_file, read_bytes
from lossfw.data.memory_file import MemoryFile
from lossfw.data.npy import NPY_MAGIC, NPZ_MAGIC, npz_names, read_npz
from lossfw.data.safe_pickle import read_pickle
from lossfw.data.validation import check_finite
from lossfw.errors import DataError, MissingExtraError
from lossfw.extras import install_command
from lossfw.numerics.arrays import NDArray

# A file of weights is read as a whole. A larger file is taken for a mistake:
# the weights of dense networks take megabytes.
MAX_WEIGHT_BYTES = 2 * 1024**3
SAFETENSORS = ".safetensors"
# Files whose content is executed when their library reads them, by their endings.
_TORCH = (".pt", ".pth", ".ckpt")
_SKLEARN = (".joblib", ".skops")
_KERAS = (".keras", ".h5", ".hdf5")

_LINEAR = "scikit-learn (a linear model)"

# The labels of a classifier of scikit-learn; a regressor has none.
_CLASSES = """\
**({{"classes": model.classes_.astype(str)}} if hasattr(model, "classes_") else {{}})"""

# Three lines each, which write a .npz with W1, b1, W2 ... They are run by the tests.
_LINES: Mapping[str, str] = {
    "torch": """\
import numpy, torch
state = torch.load({file!r}, weights_only=True)
numpy.savez("weights.npz", **{{f"{{'Wb'[i % 2]}}{{i // 2 + 1}}": a.numpy().T \
for i, a in enumerate(state.values())}})""",
    "scikit-learn": """\
import joblib, numpy
model = joblib.load({file!r})
numpy.savez("weights.npz", **{{f"coefs_{{i}}": a for i, a in enumerate(model.coefs_)}}, \
**{{f"intercepts_{{i}}": a for i, a in enumerate(model.intercepts_)}}, """
    + _CLASSES
    + ")",
    # One layer. A regressor of one target has a row of coefficients, and a number beside it.
    _LINEAR: """\
import joblib, numpy
model = joblib.load({file!r})
numpy.savez("weights.npz", W1=numpy.atleast_2d(model.coef_).T, \
b1=numpy.atleast_1d(model.intercept_), """
    + _CLASSES
    + ")",
    "keras": """\
import keras, numpy
model = keras.models.load_model({file!r})
numpy.savez("weights.npz", **{{f"{{'Wb'[i % 2]}}{{i // 2 + 1}}": a \
for i, a in enumerate(model.get_weights())}})""",
}
# A text in the pickle of a model, and the library of the model.
_NAMES_IN_PICKLES = {
    b"sklearn.linear_model": _LINEAR,
    b"sklearn": "scikit-learn",
    b"torch": "torch",
    b"joblib": "scikit-learn",
}


def read_weights(path: Path) -> dict[str, NDArray]:
    """Return the arrays of a weights file by name; nothing in it is executed.

    The content decides the format: an archive of NumPy (``.npz``), a pickled dictionary of NumPy
    arrays, or a ``.safetensors`` file. It refuses files of libraries that execute what they read,
    and shows the lines that convert them. `lossfw.nn.dense.Network.from_arrays` checks names,
    shapes and dtypes against the layers.
    """
    if isinstance(path, MemoryFile):
        held = path.held if isinstance(path.held, dict) else {}
        arrays = {name: array for name, array in held.items() if name not in RECORDED}
        return _check_finite(arrays, path)
    size = need_file(path, "weights")
    if size > MAX_WEIGHT_BYTES:
        raise DataError(
            f"{path} has {size} bytes; at most {MAX_WEIGHT_BYTES} are read as weights. "
            "Is it the right file?"
        )
    with path.open("rb") as stream:
        start = stream.read(len(NPY_MAGIC))
    refuse_foreign_file(path, start)
    if start.startswith(NPY_MAGIC):
        raise DataError(
            f"{path} is a .npy, which holds one array without a name; weights are named W1, b1, "
            "W2 ...: write them with numpy.savez."
        )
    if start.startswith(NPZ_MAGIC):
        named = set(npz_names(path, "weights")) - RECORDED
        arrays = read_npz(path, "weights", named, limit=MAX_WEIGHT_BYTES)
    elif path.suffix == ".npz":
        raise DataError(
            f"{path} is not a .npz: it begins with {start!r} and not with {NPZ_MAGIC!r}. "
            "Write it with numpy.savez."
        )
    elif path.suffix == SAFETENSORS:
        arrays = read_safetensors(path)
    else:
        arrays = _read_pickled(path)
    return _check_finite(arrays, path)


def _check_finite(arrays: dict[str, NDArray], path: Path) -> dict[str, NDArray]:
    for name, array in arrays.items():
        if array.dtype.kind not in "fiub":
            raise DataError(f"{path}: {name} has dtype {array.dtype}; expected numbers.")
        check_finite(array, f"{path}: {name}")
    return arrays


def _read_pickled(path: Path) -> dict[str, NDArray]:
    content = read_bytes(path, "weights")
    try:
        return read_pickle(content, str(path))
    except DataError as error:
        library = library_of_pickle(content)
        if library is None:
            raise DataError(
                f"{error} Weights are in a .npz, a .safetensors, or a pickled dictionary of arrays."
            ) from None
        raise DataError(conversion_message(path, library)) from None


def refuse_foreign_file(path: Path, start: bytes) -> None:
    """Refuse a file of a library that executes what it reads; say how to convert it."""
    library = _library_of_file(path, start)
    if library is not None:
        raise DataError(conversion_message(path, library))


def conversion_message(path: Path, library: str) -> str:
    """Return the message with the lines that convert a file of a library."""
    lines = _LINES[library].format(file=path.name).splitlines()
    code = "\n".join(f"    {line}" for line in lines)
    return (
        f"{path} is a {library} file, which can execute code when it is read, so lossfw does not "
        f"read it. Convert it once, in Python:\n{code}\n  and write network.weights: weights.npz"
    )


def _library_of_file(path: Path, start: bytes) -> str | None:
    for endings, library in ((_TORCH, "torch"), (_SKLEARN, "scikit-learn"), (_KERAS, "keras")):
        if path.suffix.lower() in endings:
            found = library_of_pickle(path.read_bytes()) if endings is _SKLEARN else None
            return found or library
    if start.startswith(b"PK") and _is_torch_archive(path):
        return "torch"
    return None


def _is_torch_archive(path: Path) -> bool:
    """Tell by its content whether a zip file is one of PyTorch."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    # A damaged archive can have names that are not UTF-8, or need a later version.
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return False


def library_of_pickle(content: bytes) -> str | None:
    """Return the library whose model a pickle holds; None if unknown.

    Examples
    --------
    >>> library_of_pickle(b"csklearn.neural_network MLPClassifier")
    'scikit-learn'
    """
    return next((name for mark, name in _NAMES_IN_PICKLES.items() if mark in content), None)


def read_safetensors(path: Path) -> dict[str, NDArray]:
    """Return the arrays of a ``.safetensors`` file by name."""
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
    except ImportError:
        raise MissingExtraError(
            "a .safetensors file needs the library safetensors, which is not installed: "
            f"{install_command('weights')}"
        ) from None
    try:
        arrays: dict[str, NDArray] = load_file(path)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        message = " ".join(str(error).split())
        raise DataError(f"{path} is not a readable .safetensors file ({message:.200}).") from None
    return arrays
