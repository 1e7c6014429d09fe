"""Trained: the model in the folder of a training, whatever library has trained it."""

from __future__ import annotations

from typing import ClassVar

from lossfw.data.source import Location
from lossfw.models.model import Model


class Trained(Model):
    """The model that a training has written to its folder.

    Use it when ``lossfw train FILE --out FOLDER`` has trained the model. It stands for the model
    of the training, with its parameters and the file in the folder: a configuration means that
    model, and has its digest.

    Parameters
    ----------
    folder : location
        The folder of the training.
    """

    name: ClassVar[str] = "trained"

    folder: Location
