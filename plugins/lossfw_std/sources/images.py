"""Pictures in a folder, one sub-folder for each class."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import PositiveInt

from lossfw.data import Dataset, Location, PictureFormat, Source, open_pictures


class Images(Source):
    """Pictures in PNG or JPEG files, one sub-folder per class.

    Use it when each class is a folder of pictures, as for torchvision's ImageFolder.

    Parameters
    ----------
    path : str
        The folder. Its sub-folders are the classes, in the order of their names; pictures may be at
        any depth below.
    colour : {"grey", "rgb"}, optional
        Converts all pictures. Without it, all must have the colours of the first.
    size : int, or list of two int, optional
        Scales all pictures to this height and width, bilinearly. Without it, all must have the same
        size.
    channels_first : bool
        Whether the channels are the first axis of a picture, as in PyTorch.

    Notes
    -----
    Needs the extra ``images`` (the library Pillow). Inputs are bytes, (N, H, W) for grey pictures
    and (N, H, W, 3) for colours, with the channels first (N, 1, H, W) and (N, 3, H, W); ``scale:
    255`` next to the source scales them to [0, 1], and ``flatten: true`` is for a dense network. A
    folder of more than 64 MB of pixels is read as it is evaluated. Rows are ordered by class, then
    by file name. Transparency and EXIF rotation are ignored.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> import PIL.Image
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name in ("cat", "dog"):
    ...     (folder / name).mkdir()
    ...     pixels = np.full((2, 3), 100 + len(name), np.uint8)
    ...     PIL.Image.fromarray(pixels).save(folder / name / "1.png")
    >>> data = Images(path=str(folder)).load()
    >>> data.inputs.shape, data.targets.tolist(), data.classes
    ((2, 2, 3), [0, 1], ('cat', 'dog'))
    """

    path: Location
    colour: Literal["grey", "rgb"] | None = None
    size: PositiveInt | tuple[PositiveInt, PositiveInt] | None = None
    channels_first: bool = False

    def load(self) -> Dataset:
        """Check every file; see `lossfw.data.open_pictures` for the errors."""
        size = (self.size, self.size) if isinstance(self.size, int) else self.size
        wanted = PictureFormat(self.colour, size, self.channels_first)
        found = open_pictures(Path(self.path), wanted)
        notes: tuple[str, ...] = ()
        if found.left_out:
            files = "1 file is" if found.left_out == 1 else f"{found.left_out} files are"
            notes = (f"{files} left out, since the name does not end in .png, .jpg or .jpeg.",)
        return Dataset(
            f"{self.name} ({Path(self.path).name})",
            found.targets,
            found.inputs,
            digest=found.digest,
            classes=found.classes,
            notes=notes,
        )
