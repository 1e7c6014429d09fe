"""Pictures in a folder, one sub-folder for each class, read by the optional library Pillow."""

from __future__ import annotations

import hashlib
import importlib
import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from lossfw.components.naming import shortlist
from lossfw.data.lazy_arrays import Column, RowArray
from lossfw.errors import DataError, MissingExtraError
from lossfw.extras import install_command
from lossfw.numerics.arrays import NDArray

Colour: TypeAlias = Literal["grey", "rgb"]

# The names and formats of pictures.
ENDINGS = (".png", ".jpg", ".jpeg")
_FORMATS = ("PNG", "JPEG")
# Pillow's names for the pixels of each, and of those that are converted to them.
_MODES: dict[str, str] = {"grey": "L", "rgb": "RGB"}
_GREYS = ("1", "L", "LA")
# Pillow would cut these to 8 bits.
_DEEP = ("I", "F")
# A picture of more pixels is taken for a mistake, or for an attack on the memory.
MOST_PIXELS = 10**8
# Folders with fewer bytes of pixels are read at once.
_WHOLE_BYTES = 64 * 2**20


class PictureFile(NamedTuple):
    """A picture: the name of its file below the folder, its bytes, and its class."""

    name: str
    size: int
    target: int


class FolderStamp(NamedTuple):
    """The files of a folder and their sizes from when it was opened."""

    path: Path
    files: tuple[PictureFile, ...]

    def check(self) -> None:
        """Raise `DataError` if a file has another size now."""
        for file in self.files:
            path = self.path / file.name
            try:
                now = path.stat().st_size
            except OSError as error:
                raise DataError(f"{path} cannot be read: {error.strerror}.") from None
            if now != file.size:
                raise _size_changed_error(path, file.size, now)


class Pictures(NamedTuple):
    """The pictures of a folder.

    Attributes
    ----------
    inputs : ndarray or Column of uint8, shape (N, H, W) or (N, H, W, 3)
        Greyscale or RGB; with the channels first (N, 1, H, W) or (N, 3, H, W).
    targets : ndarray of int64, shape (N,)
        The class of each picture.
    classes : tuple of str
        The names of the sub-folders, ascending.
    digest : str
        The digest of names and contents.
    left_out : int
        Number of files that are not pictures.
    """

    inputs: RowArray
    targets: NDArray
    classes: tuple[str, ...]
    digest: str
    left_out: int


@dataclass(frozen=True)
class PictureFormat:
    """How pictures become rows.

    Attributes
    ----------
    colour : "grey", "rgb" or None
        The colours to convert to; by default all pictures must have those of the first.
    size : tuple of int or None
        Height and width to scale to; by default all pictures must have one size.
    channels_first : bool
        Whether the channels are the first axis of a picture.
    """

    colour: Colour | None = None
    size: tuple[int, int] | None = None
    channels_first: bool = False


def open_pictures(folder: Path, picture_format: PictureFormat) -> Pictures:
    """Return the pictures of a folder; every header is checked now, pixels are read on use.

    Raises
    ------
    DataError
        If the folder has no sub-folders with pictures, a file is damaged, or its size or colours
        differ from the first.
    MissingExtraError
        If Pillow is not installed.
    """
    _import_pillow()
    classes, files, left_out = _find_pictures(folder)
    size, colour, digest = _inspect(folder, files, picture_format)
    column = PictureColumn(folder, files, size, replace(picture_format, colour=colour), digest)
    targets = np.array([file.target for file in files], np.int64)
    inputs: Any = column
    if math.prod(column.shape) <= _WHOLE_BYTES:
        inputs = np.asarray(column)
    return Pictures(inputs, targets, classes, digest, left_out)


class PictureColumn(Column):
    """Pictures as an array whose rows are decoded when they are read.

    The files are in order, and each has a format whose colour is known.
    """

    def __init__(
        self,
        folder: Path,
        files: Sequence[PictureFile],
        size: tuple[int, int],
        picture_format: PictureFormat,
        digest: str,
    ) -> None:
        channels = () if picture_format.colour == "grey" else (3,)
        shape = (
            (*(channels or (1,)), *size) if picture_format.channels_first else (*size, *channels)
        )
        super().__init__((len(files), *shape), np.dtype(np.uint8), digest)
        self._folder, self._files, self._size, self._wanted = (
            folder,
            tuple(files),
            size,
            picture_format,
        )

    @property
    def stamp(self) -> Any:
        """See `Column.stamp`."""
        return FolderStamp(self._folder, self._files)

    @property
    def read_starts(self) -> None:
        """See `Column.read_starts`: any row."""
        return

    def read(self, start: int, stop: int) -> NDArray:
        """See `Column.read`."""
        return self.take(np.arange(start, max(start, stop)))

    def take(self, rows: NDArray) -> NDArray:
        """See `Column.take`."""
        taken = np.empty((len(rows), *self.shape[1:]), np.uint8)
        for place, row in enumerate(rows.tolist()):
            file = self._files[row]
            path = self._folder / file.name
            content = _read_content(path)
            if len(content) != file.size:
                raise _size_changed_error(path, file.size, len(content))
            pixels = _read_pixels(content, path, self._wanted.colour or "rgb", self._size)
            if self._wanted.channels_first:
                # Pillow has height, width and channels, if there are several.
                pixels = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, 2, 0)
            taken[place] = pixels
        return taken


def _import_pillow() -> Any:
    try:
        return importlib.import_module("PIL.Image")
    except ImportError:
        raise MissingExtraError(
            f"pictures need the library Pillow, which is not installed: {install_command('images')}"
        ) from None


def _find_pictures(folder: Path) -> tuple[tuple[str, ...], list[PictureFile], int]:
    """Return classes and pictures of a folder in the order of their names."""
    if not folder.is_dir():
        kind = "not a folder" if folder.exists() else "not there"
        raise DataError(
            f"{folder} is {kind}; expected a folder with one sub-folder of pictures for each class."
        )
    inside = sorted(p.name for p in folder.iterdir() if p.is_dir() and not _is_hidden(p))
    if not inside:
        raise DataError(
            f"{folder} has no sub-folders: put the pictures of each class into a folder with the "
            "name of the class."
        )
    files: list[PictureFile] = []
    left_out, empty = 0, []
    for target, name in enumerate(inside):
        paths = sorted(p for p in (folder / name).rglob("*") if p.is_file() and not _is_hidden(p))
        pictures = [path for path in paths if path.suffix.lower() in ENDINGS]
        left_out += len(paths) - len(pictures)
        empty += [] if pictures else [name]
        files += [
            PictureFile(path.relative_to(folder).as_posix(), path.stat().st_size, target)
            for path in pictures
        ]
    if empty:
        raise DataError(
            f"{folder} has no pictures ({', '.join(ENDINGS)}) in {shortlist(empty)}: add some, or "
            "remove the folder."
        )
    return tuple(inside), files, left_out


def _is_hidden(path: Path) -> bool:
    return path.name.startswith((".", "__"))


def _inspect(
    folder: Path, files: Sequence[PictureFile], picture_format: PictureFormat
) -> tuple[tuple[int, int], Colour, str]:
    """Look at the head of every picture; return the size of all, their colour, and a digest."""
    digest = hashlib.sha256()
    size, colour = picture_format.size, picture_format.colour
    first = folder / files[0].name
    for file in files:
        path = folder / file.name
        content = _read_content(path)
        digest.update(f"{file.name}\0{len(content)}\0".encode())
        digest.update(hashlib.sha256(content).digest())
        with _open_picture(content, path) as picture:
            mode, own = str(picture.mode), (int(picture.height), int(picture.width))
            # This checks a PNG; the end of a JPEG shows when it is decoded.
            picture.verify()
        own_colour: Colour = "grey" if mode in _GREYS else "rgb"
        if mode.startswith(_DEEP):
            raise DataError(
                f"{path} has more than 8 bits for each pixel ({mode}); expected 8: save it with 8."
            )
        size, colour = size or own, colour or own_colour
        if picture_format.size is None and own != size:
            raise DataError(
                f"{path} has {_format_size(own)} pixels, but {first} has {_format_size(size)}: "
                f"write size: [{size[0]}, {size[1]}], which scales all to one height and width."
            )
        if picture_format.colour is None and own_colour != colour:
            words = {"grey": "is grey", "rgb": "has colours"}
            raise DataError(
                f"{path} {words[own_colour]}, but {first} {words[colour]}: write colour: grey or "
                "colour: rgb, which converts all."
            )
    assert size is not None
    assert colour is not None
    return size, colour, digest.hexdigest()


def _format_size(size: tuple[int, int]) -> str:
    """Return height and width in words."""
    return f"{size[0]} x {size[1]}"


def _read_content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None


@contextmanager
def _open_picture(content: bytes, path: Path) -> Iterator[Any]:
    """Open a picture; every error of its decoder becomes one that names the file."""
    try:
        picture = _import_pillow().open(io.BytesIO(content), formats=_FORMATS)
        if picture.width * picture.height > MOST_PIXELS:
            raise DataError(
                f"{path} has {picture.height} x {picture.width} pixels; at most {MOST_PIXELS:,} "
                "are read."
            )
        yield picture
    except DataError:
        raise
    except Exception as error:
        said = " ".join(str(error).split()).partition(" <_io")[0] or type(error).__name__
        raise DataError(
            f"{path} is not a readable PNG or JPEG; it may be damaged or cut short "
            f"({said:.120}): save it again, or remove it."
        ) from None


def _read_pixels(content: bytes, path: Path, colour: Colour, size: tuple[int, ...]) -> NDArray:
    """Return the pixels of a picture."""
    with _open_picture(content, path) as picture:
        shown = picture.convert(_MODES[colour])
        if (shown.height, shown.width) != tuple(size):
            shown = shown.resize((size[1], size[0]), _import_pillow().Resampling.BILINEAR)
        return np.asarray(shown, np.uint8)


def _size_changed_error(path: Path, size: int, new_size: int) -> DataError:
    return DataError(
        f"{path} has {new_size} bytes and had {size} when the folder was opened: write new "
        "pictures to a new folder, and run again."
    )
