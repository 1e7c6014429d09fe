"""Pictures in a folder, one sub-folder for each class."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import PositiveInt

from lossfw.data import Dataset, Location, PictureFormat, Source, open_pictures


class Images(Source):
    """Pictures in PNG or JPEG files, in one sub-folder for each class.

    Use it when each class is a folder of pictures, as for torchvision's ImageFolder.

    Parameters
    ----------
    path : str
        The folder. Its sub-folders are the classes, in the order of their names; pictures may
        stand at any depth below.
    colour : {"grey", "rgb"}, optional
        Converts all pictures. Without it all have to be like the first.
    size : int, or list of two int, optional
        Scales all pictures to this height and width, bilinear. Without it all have to have one
        size.
    channels_first : bool
        Whether the channels are the first axis of a picture, as PyTorch takes them.

    Notes
    -----
    Needs the extra ``images`` (the library Pillow). Inputs are bytes, (N, H, W) for grey
    pictures and (N, H, W, 3) for colours, with the channels first (N, 1, H, W) and (N, 3, H, W);
    ``scale: 255`` beside the source makes numbers from 0 to 1 of them, and a dense network takes
    them with ``flatten: true``. A folder of more than 64 MB of pixels is read as it is
    evaluated. The rows are in the order of the names of the files, class by class. Transparency and
    the rotation that a camera has noted are left out.

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
        """Look at every file; see `lossfw.data.open_pictures` for the errors."""
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
