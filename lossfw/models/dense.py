"""DenseNetwork: lossfw's own network of dense layers, as one model among others."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, WithJsonSchema

from lossfw.models.model import Model, TrainingMode

# As `network.layers` has it; in a JSON schema, `component` stands for those of a kind.
_LAYER = {
    "type": "object",
    "properties": {
        "units": {"type": "integer", "minimum": 1},
        "activation": {"component": "activation"},
    },
    "required": ["units", "activation"],
    "additionalProperties": False,
}
_Layers = Annotated[
    tuple[Any, ...],
    Field(min_length=1),
    WithJsonSchema({"type": "array", "minItems": 1, "items": _LAYER}),
]


class DenseNetwork(Model):
    """A network of dense layers, which needs no library.

    Use it to compare a network with models of libraries, as in a sweep over models.
    ``network: {layers: ..., weights: FILE}`` means the same, with the same digest.

    Parameters
    ----------
    layers : list of mapping
        Layers in order, first the one next to the input, such as ``{units: 3, activation:
        softmax}``.
    file : file, optional
        A .npz with W1, b1, W2 ..., which a training writes as ``weights.npz``.
    dtype : str, optional
        ``"float32"`` or ``"float64"``; that of the weights unless given.
    """

    name: ClassVar[str] = "dense"
    ending: ClassVar[str] = ".npz"
    training_mode: ClassVar[TrainingMode | None] = "epochs"

    layers: _Layers
    dtype: Literal["float32", "float64"] | None = None
