"""Booster: what the models of XGBoost, LightGBM and CatBoost share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import Field, field_validator

from lossfw import DataError, ParameterError
from lossfw.models import Card, Model

# Rows of a block: larger ones cost these libraries no less per row, and smaller ones up to three
# times as much.
BLOCK_ROWS: Final = 4096

# Why a parameter of a library cannot be given: what decides it in a configuration.
BY_LOSS: Final = "`loss` is the objective"
BY_METRICS: Final = "`evaluate.metrics` says what is measured"
BY_ROUNDS: Final = "`train.rounds` is their number"
BY_PATIENCE: Final = "`train.hold_out.patience` stops a training"
BY_SEED: Final = "`seed` of the configuration decides it"
BY_THREADS: Final = "LOSSFW_THREADS is their number"
BY_START: Final = "a training begins with the constant of least loss"
BY_WEIGHTS: Final = "`data.sample_weight_key` says how much a row counts"
BY_CATEGORIES: Final = "`data.categories` says which inputs are categories"
BY_MISSING: Final = "a missing number is NaN, as `data.missing: keep` leaves it"
BY_LOSSFW: Final = "lossfw shows the progress"
BY_NAME: Final = "write `learning_rate`, beside the name of the model"
FOR_BITS: Final = "lossfw sets it, so that a training repeats to the bit"
FOR_ROUNDS: Final = "a round has a model of its own only where later rounds leave its trees alone"

_NOT_OF_LIBRARY: Final = ("name", "file", "link", "curvature", "more")

Share: TypeAlias = Annotated[float, Field(gt=0, le=1)]
# At least two bins, so that there is a split.
Bins: TypeAlias = Annotated[int, Field(ge=2)]
LibraryValue: TypeAlias = bool | int | float | str | list[bool | int | float | str]


class Booster(Model):
    """Base of the models that learn in rounds of trees.

    Attributes
    ----------
    told_library : str
        The name of the library as its authors write it.
    elsewhere : mapping
        By name of a parameter of the library that cannot be given, what decides it.

    Parameters
    ----------
    curvature : {"auto", "exact", "bound", "slope", "one", "twice", "expected"}
        What takes the place of the second derivative of the loss.
    more : mapping
        Further parameters of the library, by its own names.
    """

    learns: ClassVar[Literal["rounds", "epochs", "once"] | None] = "rounds"
    takes: ClassVar[frozenset[Literal["missing", "categories"]]] = frozenset(
        {"missing", "categories"}
    )
    told_library: ClassVar[str]
    elsewhere: ClassVar[Mapping[str, str]] = {}

    curvature: Literal["auto", "exact", "bound", "slope", "one", "twice", "expected"] = "auto"
    more: dict[str, LibraryValue] = Field(default_factory=dict)

    @field_validator("more")
    @classmethod
    def _not_elsewhere(cls, more: dict[str, LibraryValue]) -> dict[str, LibraryValue]:
        for key in more:
            if key in cls.model_fields:
                raise ParameterError(f"{key} is a parameter of {cls.name}: write it without more.")
            if key in cls.elsewhere:
                raise ParameterError(f"more cannot hold {key}: {cls.elsewhere[key]}.")
        return more

    @property
    def settings(self) -> dict[str, Any]:
        """The parameters as the library takes them, where they differ from its defaults.

        So `more` may have other names of the library for those that stay as they are.
        """
        given = self.to_config()
        return {key: x for key, x in given.items() if key not in _NOT_OF_LIBRARY} | self.more

    def unreadable(self, endings: str, error: Exception | str) -> DataError:
        """Return the error of a file that the library does not read, with its first clause."""
        clause = re.split(r"[\n,;(]|\. ", str(error).strip(), maxsplit=1)[0]
        # Time and place in the source of the library say nothing to its user.
        clause = re.sub(r"^(\[[^]]*\] )?\S+:\d+: ", "", clause).strip(" .:")
        file = self.file or "the file"
        return DataError(f"{file} is not a model of {self.told_library} ({endings}): {clause}.")

    def meaning(
        self, card: Card | None, own: str | None, objective: str
    ) -> tuple[str, tuple[str, ...]]:
        """Return the link of raw outputs, with a note where nothing tells it.

        `own` is the link of the file's own objective, None for one that is not known; `objective`
        says which it has.
        """
        link = self.link_with(card, own)
        if link is not None:
            return link, ()
        note = (
            f"{self.file or 'the file'} does not say what its raw outputs mean: {objective}, and "
            "there is no model.json of lossfw beside it. They are taken for predictions. Say what "
            "they are: link: exp (logarithms), sigmoid or softmax (logits), or identity."
        )
        return "identity", (note,)

    def on_categories(self, card: Card | None, names: str) -> tuple[str, ...]:
        """Return a note on inputs that are categories, where no card tells their labels."""
        if card is not None or not names:
            return ()
        note = (
            f"{self.file or 'the file'} takes categories ({names}) by number, and does not say "
            "which label has which: lossfw numbers the labels of a column in ascending order, so "
            "compare them with the training."
        )
        return (note,)
