"""OutputOrigin: where outputs come from, known before they are computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lossfw.losses.base import Form
from lossfw.nn.activation import Activation

_ACTIVATION_HINT = "write their output activation, such as output_activation: softmax"


@dataclass(frozen=True)
class OutputOrigin:
    """Where outputs come from, and what turns them into predictions, with their places.

    Places are paths in the configuration, where mistakes are reported.
    """

    # Where the outputs stand, or what makes them.
    place: Sequence[str | int]
    # What they are if no output activation follows.
    form: Form | None
    # The activation that makes predictions of raw outputs. Without form and output activation, it
    # is wrong.
    output_activation: Activation | None = None
    activation_place: Sequence[str | int] = ()
    # How a message calls the output activation, "the model's activation", and another one.
    activation_words: str = ""
    other_activation: str = ""
    # Whether the file of a model has the output activation, so that another one would be wrong.
    activation_is_given: bool = False
    # How many outputs a row has, and where a user can change this.
    units: int | None = None
    units_place: Sequence[str | int] | None = None
    # How a message says where predictions come from, ...
    words: str = ""
    # ... that they are predictions, and what to write if they are logits.
    given: str = ""
    logits_hint: str = ""

    @property
    def is_saved(self) -> bool:
        """Whether the outputs are saved, so that inputs are not used."""
        return self.units is None

    @classmethod
    def from_layers(
        cls, path: Sequence[str | int], units: int, last: Activation | None
    ) -> OutputOrigin:
        """Return the origin of the outputs of dense layers, the last of which is at `path`."""
        return cls(
            [*path, "units"],
            None,
            last,
            activation_place=[*path, "activation"],
            activation_words="the last activation",
            other_activation="another last activation",
            units=units,
            units_place=[*path, "units"],
            words="predictions are the outputs of the last layer",
        )

    @classmethod
    def from_saved(
        cls, path: Sequence[str | int], form: Form, output_activation: Activation | None = None
    ) -> OutputOrigin:
        """Return the origin of outputs in a file, or in a list, at `path`."""
        key = ".".join(map(str, path))
        return cls(
            path,
            form if output_activation is None else None,
            output_activation,
            [*path[:-1], "output_activation"],
            "the output activation",
            "another output activation",
            words=f"the predictions come from {key}",
            given=f"{key} are given" if path[0] == "network" else f"{key} has predictions",
            logits_hint="name them network.raw_outputs"
            if path[0] == "network"
            else _ACTIVATION_HINT,
        )

    @classmethod
    def from_model(
        cls,
        path: Sequence[str | int],
        output_activation: Activation | None,
        units: int,
        *,
        is_told: bool = False,
    ) -> OutputOrigin:
        """Return the origin of the outputs of a model at `path`; without activation, predictions.

        `is_told` says that the file or its card has the output activation.
        """
        return cls(
            path,
            "prediction" if output_activation is None else None,
            output_activation,
            activation_place=[*path, "output_activation"],
            activation_words="the model's output activation",
            activation_is_given=is_told,
            other_activation="another model",
            units=units,
            words="predictions are the outputs of the model",
            given="the outputs of the model are predictions",
            logits_hint=_ACTIVATION_HINT,
        )
