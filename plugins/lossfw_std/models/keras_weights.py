"""Keras weights files in HDF5, checked before their numbers are read."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Final

from lossfw import DataError, NDArray

# The group with the state of the optimizer.
OPTIMIZER: Final = "optimizer/"
# A packed dataset takes at most so many times its bytes.
_DEFLATE_RATIO: Final = 1032


def read_arrays(
    h5py: Any,
    content: bytes,
    title: str,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
    network: str = "the network",
) -> dict[str, NDArray]:
    """Return the arrays of a weights file by name; links to other files are not followed.

    Parameters
    ----------
    h5py : module
        The library.
    content : bytes
        Content of the file.
    title : str
        The file, for messages.
    shapes : mapping of str to tuple of int, optional
        The arrays of the network by name. Arrays of other shapes are not read, and an array with a
        name of the network must have its shape.
    network : str
        The network, for messages.

    Raises
    ------
    DataError
        If it is not a weights file, is damaged, or does not fit.
    """
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            found = dict[str, Any]()

            def add(name: str, item: Any) -> None:
                if isinstance(item, h5py.Dataset):
                    found[name] = item

            file.visititems(add)
            kept = {
                name: x for name, x in found.items() if _is_usable(name, x, title, shapes, network)
            }
            return {name: item[()] for name, item in kept.items()}
    except DataError:
        raise
    except MemoryError:
        raise DataError(f"{title} does not fit into memory.") from None
    # A damaged file raises errors of many kinds.
    except Exception as error:
        told = " ".join(str(error).split())
        raise DataError(
            f"{title} is not a Keras weights file ({told:.150}); in Python: "
            'model.save_weights("model.weights.h5")'
        ) from None


def _is_usable(
    name: str,
    item: Any,
    title: str,
    shapes: Mapping[str, tuple[int, ...]] | None,
    network: str,
) -> bool:
    """Tell whether a dataset may belong to the network; refuse one that cannot be read."""
    if item.external or item.is_virtual:
        raise DataError(f"{title} has weights in other files, which lossfw does not read.")
    shape = item.shape
    if shapes is not None:
        known = shapes.get(name)
        if known is not None and shape != known:
            raise DataError(
                f"{title} does not fit {network}: {name} has shape {shape}, but the network "
                f"{known} there. Check module and arguments."
            )
        # Another release of Keras may have other names.
        if known is None and shape not in shapes.values() and shape != ():
            return False
    stored, packed = item.id.get_storage_size(), item.compression is not None
    if shape is None or item.nbytes > (_DEFLATE_RATIO if packed else 1) * stored:
        raise DataError(
            f"{title} is damaged: {name} has the shape {shape}, but its {stored:,} bytes cannot "
            "hold this."
        )
    return True


def write_weights(h5py: Any, arrays: Mapping[str, NDArray]) -> bytes:
    """Return a weights file; the same arrays give the same bytes.

    Keras itself writes names that depend on how many models the process has built.
    """
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        for name in sorted(arrays):
            file.create_dataset(name, data=arrays[name])
    return stream.getvalue()
