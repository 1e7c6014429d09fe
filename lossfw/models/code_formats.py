"""Model files that can hold code: recognised by their content, without executing any of it."""

from __future__ import annotations

import bz2
import io
import lzma
import pickletools
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, TypeAlias

from lossfw.errors import DataError

# How a file is written whose library may execute code when it reads it.
CodeFormat: TypeAlias = Literal["pickle", "torch", "torchscript", "hdf5", "keras", "pt2"]
# Formats that no model can do without its code: they are plugin files.
TRUSTED: Final[frozenset[CodeFormat]] = frozenset({"keras", "pt2"})

# The first bytes of an HDF5 file, and the attribute in which Keras stores a whole model.
_HDF5, _KERAS_MODEL = b"\x89HDF\r\n\x1a\n", b"model_config"
# What comes first in a pickle of protocol 2 to 5; earlier ones are texts.
_PICKLE: Final = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
# A compressed pickle is looked for in so many bytes.
_HEAD_BYTES = 1 << 16
# What decompresses the first bytes of a file, as joblib compresses pickles.
_DECOMPRESS: Final[tuple[Callable[[bytes], bytes], ...]] = (
    # zlib and gzip.
    lambda head: zlib.decompressobj(wbits=47).decompress(head, _HEAD_BYTES),
    lambda head: bz2.BZ2Decompressor().decompress(head, _HEAD_BYTES),
    lambda head: lzma.LZMADecompressor().decompress(head, _HEAD_BYTES),
)
# The functions and classes that a dictionary of tensors consists of.
_TENSORS: Final = ("torch ", "torch._utils ", "collections OrderedDict")

# The operations of a pickle that name a function or a class.
_NAMING: Final = ("GLOBAL", "STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4")

# By library: what its pickles are called, and one line that writes data in their place.
_PICKLES: Final[Mapping[bytes, tuple[str, str]]] = {
    b"sklearn": (
        "scikit-learn",
        'import joblib, skops.io; skops.io.dump(joblib.load({file!r}), "model.skops")',
    ),
    b"xgboost": ("XGBoost", 'import joblib; joblib.load({file!r}).save_model("model.ubj")'),
    b"lightgbm": (
        "LightGBM",
        (
            "import joblib; m = joblib.load({file!r}); "
            'getattr(m, "booster_", m).save_model("model.txt")'
        ),
    ),
    b"catboost": ("CatBoost", 'import joblib; joblib.load({file!r}).save_model("model.cbm")'),
}
_TORCH_LINE = "import torch, safetensors.torch; safetensors.torch.save_model({load}, "
_OTHERS: Final[Mapping[str, tuple[str, str]]] = {
    "torch": (
        "a pickled PyTorch module",
        _TORCH_LINE.format(load="torch.load({file!r}, weights_only=False)")
        + '"model.safetensors")',
    ),
    "torchscript": (
        "a file of TorchScript",
        _TORCH_LINE.format(load="torch.jit.load({file!r})") + '"model.safetensors")',
    ),
    "hdf5": (
        "a whole Keras model in HDF5",
        'import keras; keras.models.load_model({file!r}).save_weights("model.weights.h5")',
    ),
}


def code_format(content: bytes | Path) -> CodeFormat | None:
    """Return the format of a model file that can hold code; None for files that hold data.

    Parameters
    ----------
    content : bytes or Path
        What is in the file, or the file, of which only parts are read.

    Raises
    ------
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> import pickle
    >>> code_format(pickle.dumps({"a": 1}))
    'pickle'
    """
    with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
        if head.startswith(_HDF5):
            return "hdf5" if _contains_word(stream, head, _KERAS_MODEL) else None
        if head.startswith(b"PK"):
            return _archive_format(stream)
        if head.startswith(_PICKLE) and b"torch" in head:
            # As torch.save wrote them before it wrote archives: the values follow the pickle.
            return None if _has_only_tensors(head) else "torch"
        return "pickle" if _pickle_start(stream, head) is not None else None


def refuse_code(file: Path, content: bytes) -> None:
    """Raise `DataError` for a format that is never read, with the line that converts the file."""
    found = code_format(content)
    if found is None or found in TRUSTED:
        return
    if found == "pickle":
        what, line = _describe_pickle(
            _pickle_start(io.BytesIO(content), content[:_HEAD_BYTES]) or b""
        )
    else:
        what, line = _OTHERS[found]
    remedy = (
        f"If you trust the file, convert it in Python: {line.format(file=file.name)}"
        if line
        else "Save the model as its library saves data: .skops, .ubj, .cbm, .onnx, .safetensors."
    )
    raise DataError(
        f"{file} is {what}, which executes code when it is read, so lossfw does not read it. "
        f"{remedy}"
    )


def _describe_pickle(start: bytes) -> tuple[str, str]:
    """Return what a pickle is called, and the line that converts it, by the library named first."""
    places = {start.find(name): name for name in _PICKLES if name in start}
    if not places:
        return "a pickle", ""
    library, line = _PICKLES[places[min(places)]]
    return f"a pickle of {library}", line


def _pickle_start(stream: BinaryIO, head: bytes) -> bytes | None:
    """Return the beginning of the pickle in a file that begins with `head`; None without one."""
    if head.startswith(_PICKLE) or _is_whole_pickle(stream):
        return head
    for decompress in _DECOMPRESS:
        try:
            start = decompress(head)
        except (zlib.error, OSError, lzma.LZMAError, EOFError):
            continue
        if start.startswith(_PICKLE):
            return start
    return None


def _is_whole_pickle(stream: BinaryIO) -> bool:
    """Tell whether a file is a pickle, from its first to its last byte, that names a function."""
    stream.seek(0)
    is_named = False
    # Bytes that are not a pickle raise errors of many kinds.
    try:
        for operation, _, _ in pickletools.genops(stream):
            is_named |= operation.name in _NAMING
    except Exception:
        return False
    return is_named and not stream.read(1)


def _archive_format(stream: BinaryIO) -> CodeFormat | None:
    try:
        with zipfile.ZipFile(stream) as archive:
            names = archive.namelist()
            inner = {name.partition("/")[2] for name in names}
            if {"config.json", "metadata.json"} <= {*names}:
                return "keras"
            if "archive_format" in inner or "serialized_exported_program.json" in names:
                return "pt2"
            if "constants.pkl" in inner:
                return "torchscript"
            pickles = [name for name in names if name.endswith("/data.pkl")]
            if not pickles:
                return None
            with archive.open(pickles[0]) as pickled:
                return None if _has_only_tensors(pickled.read(_HEAD_BYTES)) else "torch"
    # A damaged archive raises errors of many kinds; the library of the model refuses it.
    except Exception:
        return None


def _has_only_tensors(pickled: bytes) -> bool:
    """Tell whether pickles of `torch.save` name nothing but a dictionary of tensors."""
    names: list[Any] = []
    stream = io.BytesIO(pickled)
    # What follows the pickles, and what is cut off, raises errors of many kinds.
    with suppress(Exception):
        # An early file has several pickles, one after the other.
        while stream.tell() < len(pickled):
            for operation, argument, _ in pickletools.genops(stream):
                if operation.name in _NAMING:
                    names.append(argument)
    return all(isinstance(name, str) and name.startswith(_TENSORS) for name in names)


def _contains_word(stream: BinaryIO, head: bytes, word: bytes) -> bool:
    """Tell whether a word is in a file, which is read piece by piece."""
    piece = head
    while piece:
        if word in piece:
            return True
        # A word may begin in one piece and end in the next.
        following = stream.read(_HEAD_BYTES)
        piece = piece[-len(word) :] + following if following else b""
    return False
