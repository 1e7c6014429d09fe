"""Booster: the base class of the models of XGBoost, LightGBM and CatBoost."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple, TypeAlias

import numpy as np
from pydantic import Field, field_validator

from lossfw import (
    DataError,
    DivergenceError,
    DomainError,
    Loss,
    LossfwError,
    NDArray,
    ParameterError,
    RunError,
    ShapeError,
)
from lossfw.data import Dataset
from lossfw.models import Card, Model, ModelParameterError, Predictor, TrainingLeg
from lossfw_std.models.own_objective import OwnObjective

# Rows of a block: larger ones cost these libraries no less per row, and smaller ones up to three
# times as much.
BLOCK_ROWS: Final = 4096

# Rows of a file that are read at a time; their number changes no bit.
PART_ROWS: Final = 65_536

# Labels are kept in float32, which has all whole numbers up to this one.
_MOST_LABELS: Final = 2**24

# They are kept in float32.
_LARGEST: Final = float(np.finfo(np.float32).max)

# What LightGBM and CatBoost say of inputs that are constant to them.
_NO_SPLIT: Final = ("train_data->num_features()) > (0)", "All features are either constant")

# What the libraries say of an infinity or a NaN in a model that has diverged.
_NOT_FINITE: Final = ("invalid float value", "Not a double")

_NOT_OF_LIBRARY: Final = (
    *("name", "file", "output_activation", "card", "curvature", "more", "rounds"),
    *("objective", "objective_activation"),
)

Share: TypeAlias = Annotated[float, Field(gt=0, le=1)]
# At least two bins, so that there is a split.
Bins: TypeAlias = Annotated[int, Field(ge=2)]
CurvatureChoice: TypeAlias = Literal[
    "auto", "exact", "bound", "gradient", "one", "twice", "expected"
]
# For each input 1 (raw outputs grow with it), -1 or 0.
Constraints: TypeAlias = list[Literal[-1, 0, 1]]
LibraryValue: TypeAlias = bool | int | float | str | list[bool | int | float | str]


class Booster(OwnObjective, Model):  # type: ignore[override]  # own_objective by instance
    """Base class of models that learn in rounds of trees.

    Attributes
    ----------
    told_library : str
        The name of the library, as its authors write it.
    elsewhere : mapping
        For each parameter of the library that cannot be given, what sets it instead.

    Parameters
    ----------
    curvature : {"auto", "exact", "bound", "gradient", "one", "twice", "expected"}
        The rule for the second derivative of the loss.
    objective : str, optional
        An objective of the library, minimised instead of the loss; the loss is reported.
    objective_activation : str, optional
        The activation that turns its raw outputs into predictions, if lossfw does not know it.
    more : mapping
        Further parameters of the library, by its names.
    rounds : {"all", "best"}, optional
        Which rounds of a file to use: all, or only those up to the best one that early stopping
        found. By default all, with a note if the file names a best one.
    """

    training_mode = "rounds"
    accepted_inputs = frozenset({"missing", "categories"})
    library_title: ClassVar[str]
    elsewhere: ClassVar[Mapping[str, str]]

    curvature: CurvatureChoice = "auto"
    objective: str | None = None
    objective_activation: str | None = None
    more: dict[str, LibraryValue] = Field(default_factory=dict)
    rounds: Literal["all", "best"] | None = None

    @field_validator("more")
    @classmethod
    def _refuse_set_elsewhere(cls, more: dict[str, LibraryValue]) -> dict[str, LibraryValue]:
        for key in more:
            if key in cls.model_fields:
                raise ParameterError(
                    f"{key} is a parameter of {cls.name}: write it next to the model's name, not "
                    "in more."
                )
            if key in cls.elsewhere:
                raise ParameterError(f"more cannot hold {key}: {cls.elsewhere[key]}.")
        return more

    @property
    def settings(self) -> dict[str, Any]:
        """The parameters for the library that differ from its defaults.

        So `more` may use the library's other names for those with default values.
        """
        given = self.to_config()
        return {key: x for key, x in given.items() if key not in _NOT_OF_LIBRARY} | self.more

    def unreadable_error(self, endings: str, error: Exception | str) -> DataError:
        """Return the error of a file that the library does not read, with its first clause."""
        file, clause = self.file or "the file", first_clause(str(error))
        return DataError(f"{file} is not a model of {self.library_title} ({endings}): {clause}.")

    def raise_if_damaged(self, problem: str | None) -> None:
        """Raise the error for a file whose trees are wrong; do nothing for None."""
        if problem is not None:
            raise DataError(f"{self.file or 'the file'} is damaged: {problem}.")

    def rounds_that_count(self, best: int | None, total: int) -> int:
        """Return how many of the first rounds of a file to use.

        Parameters
        ----------
        best : int or None
            The rounds up to the best one, if the file names it.
        total : int
            Its number of rounds.
        """
        if self.rounds != "best":
            return total
        if best is not None and 1 <= best <= total:
            return best
        what = (
            "does not name a best round"
            if best is None
            else f"names round {best} of {total} its best"
        )
        raise ModelParameterError(
            "rounds", f"model.rounds is best, but {self.file or 'the file'} {what}: leave it out."
        )

    def check_data(self, data: Dataset, loss: Loss) -> None:
        if self.rounds is not None:
            raise ModelParameterError(
                "rounds",
                "model.rounds says which rounds of a file count, but a training starts without "
                "any: leave it out; train.rounds sets their number.",
            )
        if self.file is not None:
            raise ModelParameterError(
                "file",
                f"model.file is {self.file.name}, but a training of {self.name} starts without "
                "trees: leave file out. To add rounds to a training, run lossfw train ... "
                "--resume.",
            )
        constraints, width = self.parameters["monotone_constraints"], width_of(data)
        if constraints and len(constraints) != width:
            raise ModelParameterError(
                "monotone_constraints",
                f"model.monotone_constraints has {len(constraints)} numbers, but a row has {width} "
                "inputs: write one per input, 0 for no constraint.",
            )
        self.check_objective()
        if self.more:
            self._check_more()
        training_rows = TrainingRows.from_dataset(data, loss)
        if (
            training_rows.table is None
            and (too_large := np.abs(training_rows.labels) > _LARGEST).any()
        ):
            index = np.argwhere(too_large)[0].tolist()
            raise DomainError(
                f"target{index} = {training_rows.labels[tuple(index)]:.6g} is too large: "
                f"{self.library_title} keeps targets in float32, up to {_LARGEST:.2g}. Scale the "
                "targets."
            )

    def _check_more(self) -> None:
        try:
            unknown = self.unknown_parameters()
        except LossfwError:
            raise
        except Exception as error:  # a class of the library
            told = re.split(r"\n| at /", str(error), maxsplit=1)[0].rstrip(" .,")
            told = f"{self.library_title} refuses what more holds: {told}."
            raise ModelParameterError("more", told) from error
        if unknown:
            raise ModelParameterError(
                "more",
                f"{self.library_title} has no parameter {unknown[0]!r}, which more holds: see the "
                "list of parameters in its documentation.",
            )

    def unknown_parameters(self) -> list[str]:
        """Return the names in `more` that the library would ignore."""
        return []

    def training_rows_of(self, leg: TrainingLeg) -> TrainingRows:
        """Return the rows of a leg as the libraries expect them."""
        if leg.saved is None:
            self.check_data(leg.data, leg.loss)
        return TrainingRows.from_dataset(leg.data, leg.loss)

    def held_out_rows_of(self, leg: TrainingLeg) -> Dataset | None:
        """Return the rows that are held out, their inputs named like those to learn from.

        Libraries refuse other names; lossfw warns about them.
        """
        held_out = leg.held_out
        return held_out and replace(held_out, input_names=leg.data.input_names)

    @contextmanager
    def explain_errors(self, *errors: type[Exception]) -> Iterator[None]:
        """Raise errors of the library with the first clause of its message."""
        try:
            yield
        except errors as error:
            clause = first_clause(str(error))
            if any(words in clause for words in _NOT_FINITE):
                raise DivergenceError(
                    f"The training diverged: {self.library_title} computed numbers that are not "
                    "finite. Lower model.learning_rate, or scale the targets."
                ) from error
            if any(words in str(error) for words in _NO_SPLIT):
                clause = "no input has two values to split between, or there are too few rows"
            raise RunError(f"{self.library_title} cannot train the model: {clause}.") from error

    def predictor(
        self,
        content: bytes,
        card: Card | None,
        shape: ModelShape,
        raw: Callable[[NDArray], Any],
        objective: tuple[str | None, str],
        *,
        categories: Sequence[str] = (),
        labels: Mapping[str, Sequence[Any]] | None = None,
        best: int | None = None,
        **options: Any,
    ) -> Predictor:
        """Return the model in a file, with notes on what the file does not say.

        `objective` has the output activation of the file's objective (None if unknown) and
        its name. `labels` has the labels of category inputs, and `best` the number of
        rounds up to the best one, if the file has them.
        """
        file, notes = self.file or "the file", list[str]()
        count = self.rounds_that_count(best, shape.rounds)
        if self.rounds is None and best is not None and best != shape.rounds:
            notes.append(
                f"{file} has {shape.rounds} rounds, and its early stopping found round {best} the "
                f"best. lossfw uses all of them; {self.library_title}'s own estimators may stop at "
                "the best one, as rounds: best does. Write rounds: best or rounds: all."
            )
        output_activation = self.activation_with(card, objective[0])
        if output_activation is None:
            notes.append(
                f"{file} does not say what its raw outputs mean: {objective[1]}, and lossfw's "
                "model.json is not next to it. lossfw takes them for predictions. Say what they "
                "are: output_activation: exp (logarithms), sigmoid or softmax (logits), or "
                "identity."
            )
        known: dict[str, tuple[str, ...]] = {}
        if card is None and categories:
            known = {name: tuple((labels or {}).get(name, ())) for name in categories}
            if not all(of and all(isinstance(one, str) for one in of) for of in known.values()):
                known = {}
                notes.append(
                    f"{file} takes categories ({', '.join(categories)}) by number and does not say "
                    "which label has which number. lossfw numbers the labels of a column in "
                    "ascending order: compare this with the training."
                )
        return Predictor(
            f"{self.name} ({count if count == shape.rounds else f'{count} of {shape.rounds}'} "
            "rounds)",
            content,
            (shape.width,),
            shape.units,
            raw,
            output_activation or "identity",
            categories=known,
            activation_is_assumed=output_activation is None,
            notes=tuple(notes),
            **{"block_rows": BLOCK_ROWS, **options},
        )


class ModelShape(NamedTuple):
    """The shape of a model in a file: rounds, inputs per row and raw outputs per row."""

    rounds: int
    width: int
    units: int


def targets_refusal(name: str, loss: Loss, units: int) -> str | None:
    """Return why a model of one target per row refuses several targets; None for one."""
    if units == 1 or loss.takes_rows:
        return None
    return (
        f"{name} learns one target per row, but these rows have {units}. Train one model per "
        "target by targets_key, or use xgboost."
    )


def several_outputs_refusal(name: str, loss: Loss, units: int) -> str | None:
    """Return why a model of one raw output, also for two classes, refuses more; else None."""
    if units != 2 or not loss.takes_classes:
        return targets_refusal(name, loss, units)
    return (
        f"{loss.name} takes two raw outputs for two classes, but {name} makes one. Use a loss that "
        "takes one, such as binary_cross_entropy."
    )


def first_clause(message: str) -> str:
    """Return the first clause of a library's message, without time and source location.

    After a failed check it adds what the check means.

    Examples
    --------
    >>> first_clause("[21:13:42] /src/common/json.cc:409: Unknown construct, around position 1")
    'Unknown construct'
    >>> first_clause("[22:01:00] /src/data/data.cc:568: Check failed: valid: Label contains NaN.")
    'Label contains NaN'
    """
    line = re.sub(r"Check failed: .*?: (?=\S)", "", message.strip().partition("\n")[0])
    clause = re.split(r"[,;(]|\. | at /", line, maxsplit=1)[0]
    return re.sub(r"^(\[[^]]*\] )?\S+:\d+: ", "", clause).strip(" .:")


class TrainingRows(NamedTuple):
    """The rows of a training as the libraries expect them.

    Attributes
    ----------
    labels : ndarray
        (N,), or (N, K) for several targets. Row numbers, if targets have named columns.
    table : ndarray or None
        Targets with named columns, whose row numbers are the labels.
    weight : ndarray or None
        (N,).
    sizes : ndarray or None
        The number of rows of each group, for a loss of groups.
    """

    labels: NDArray
    table: NDArray | None
    weight: NDArray | None
    sizes: NDArray | None

    @classmethod
    def from_dataset(cls, data: Dataset, loss: Loss) -> TrainingRows:
        """Return the rows that a training learns from."""
        targets = np.asarray(data.targets)
        if targets.ndim == 2 and targets.shape[1] == 1:
            targets = targets[:, 0]
        weight = None if data.sample_weight is None else np.asarray(data.sample_weight)
        if weight is not None and weight.shape != (len(data),):
            if weight.size != len(data):
                raise ShapeError(
                    f"sample weights have shape {weight.shape}; a model of trees takes one per "
                    f"row, ({len(data)},)."
                )
            weight = weight.reshape(len(data))
        groups = data.groups if loss.takes_groups else None
        sizes = None if groups is None else np.diff(groups.starts)
        if loss.has_columns and loss.target_space.axes:
            if len(data) > _MOST_LABELS:
                raise ShapeError(
                    f"there are {len(data)} rows, but lossfw looks up targets of named columns by "
                    "row number, and these libraries keep row numbers exactly only up to "
                    f"{_MOST_LABELS}: filter the rows by data.where."
                )
            return cls(np.arange(len(data)), targets, weight, sizes)
        return cls(targets, None, weight, sizes)


def report_rounds(leg: TrainingLeg, stages: Iterable[Iterable[NDArray]]) -> int:
    """Tell the raw outputs after each round of a leg, and return the number of the last one told.

    For libraries whose callbacks do not have them: `stages` has those of the training rows, and of
    the held-out rows if any.
    """
    number = leg.first
    for raw in zip(*stages, strict=True):
        number += 1
        told = raw if leg.measures(number) else ()
        if leg.report_round(*[*told, None, None][:2]):
            break
    return number


def input_names_of(data: Dataset) -> list[str] | None:
    """Return the names of the inputs, if every library accepts them."""
    names = list(data.input_names)
    plain = all(re.fullmatch(r"[\w.-]+", name) for name in names)
    return names if names and plain and len(set(names)) == len(names) else None


def width_of(data: Dataset) -> int:
    """Return the number of inputs; refuse inputs that are not one number per column."""
    shape: tuple[int, ...] = () if data.inputs is None else data.inputs.shape
    if len(shape) != 2:
        raise ShapeError(
            f"inputs have shape {shape}; a model of trees takes (N, columns). Flatten them: "
            "`flatten: true`."
        )
    return int(shape[1])
