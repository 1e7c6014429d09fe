"""A library's own objective instead of a loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from lossfw import Loss
from lossfw.models import ModelParameterError


class OwnObjective:
    """The parameter `objective` of a booster; a mix-in of `Booster`.

    Attributes
    ----------
    own_activations : mapping
        The output activation of each known objective.
    of_classes : tuple of str
        The objectives with one raw output per class.
    """

    own_activations: ClassVar[Mapping[str, str]]
    of_classes: ClassVar[tuple[str, ...]]
    library_title: ClassVar[str]
    name: ClassVar[str]
    objective: str | None
    objective_activation: str | None
    curvature: Any

    @property
    def own_objective(self) -> bool:
        """Whether it minimises an objective of its library, not the loss."""
        return self.objective is not None

    @property
    def own_activation(self) -> str | None:
        """The activation that turns raw outputs of the objective into predictions."""
        return self.own_activations.get(self._objective_name) or self.objective_activation

    @property
    def _objective_name(self) -> str:
        """The objective without parameters, as CatBoost has them: ``"Quantile:alpha=0.8"``."""
        given = self.objective or ""
        return given if given in self.own_activations else given.partition(":")[0]

    def missing_reason(self) -> str | None:
        """Return whether an output activation is missing; see `Model.missing_reason`."""
        if self.objective is None or self.own_activation is not None:
            return None
        return (
            "objective_activation is missing, and lossfw does not know what the raw outputs of "
            f"{self.objective} mean: write objective_activation: exp (logarithms), sigmoid or "
            f"softmax (logits), or identity. Known objectives of {self.library_title} are "
            f"{', '.join(self.own_activations)}"
        )

    def own_objective_refusal(self, loss: Loss, units: int) -> str | None:
        """Return why an objective does not fit the measured loss; None if it does."""
        if loss.has_columns and loss.target_space.axes:
            return (
                f"{self.objective} takes one target per row, but the loss {loss.name} takes "
                "several. Leave objective out to train with the loss."
            )
        by_class = self._objective_name in self.of_classes
        if self._objective_name not in self.own_activations or loss.takes_rows == by_class:
            return None
        makes = "one raw output per class" if by_class else "one raw output per row"
        other = "cross_entropy" if by_class else "binary_cross_entropy, or one of numbers"
        return (
            f"{self.objective} makes {makes}, but the loss {loss.name} does not take these. "
            f"Choose {other}."
        )

    def check_objective(self) -> None:
        """Refuse an objective that the library does not know, and keys without a meaning."""
        if self.objective is None:
            if self.objective_activation is not None:
                self._refuse(
                    "objective_activation", "has no meaning without objective: leave it out."
                )
            return
        known = self.own_activations.get(self._objective_name)
        if known is not None and self.objective_activation not in (None, known):
            both = f"is {self.objective_activation}, but that of {self.objective} is {known}"
            self._refuse("objective_activation", f"{both}: leave it out.")
        if self.curvature != "auto":
            self._refuse(
                "curvature",
                "only counts for a model that trains with a loss, not with objective: leave it "
                "out.",
            )
        if (told := self.refused_objective(self.objective)) is not None:
            self._refuse(
                "objective", f"is {self.objective!r}, and {self.library_title} says: {told}."
            )

    def refused_objective(self, objective: str) -> str | None:
        """Return why the library refuses an objective; None if it accepts it."""
        raise NotImplementedError

    def _refuse(self, key: str, reason: str) -> None:
        raise ModelParameterError(key, f"model.{key} {reason}")
