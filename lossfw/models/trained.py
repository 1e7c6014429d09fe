"""Trained: the model in the folder of a training, of any library."""

from __future__ import annotations

from typing import ClassVar

from lossfw.data.source import Location
from lossfw.models.model import Model


class TrainedModel(Model):
    """The model that a training has written to its folder.

    Use it when ``lossfw train FILE --out FOLDER`` has trained the model. It stands for the model of
    the training, with its parameters and its file in the folder: the configuration has the digest
    of that model.

    Parameters
    ----------
    folder : location
        The folder of the training.
    """

    name: ClassVar[str] = "trained"

    folder: Location
