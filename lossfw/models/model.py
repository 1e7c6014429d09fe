"""Model: a component that predicts rows, with or without a library."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeAlias

from lossfw.components.library import LibraryComponent
from lossfw.data import Dataset
from lossfw.data.source import File, file_fields
from lossfw.errors import ArgumentError, DataError
from lossfw.losses.loss import Loss
from lossfw.models.card import CARD_FILE, Card, sha256
from lossfw.models.code_formats import TRUSTED, code_format, refuse_code
from lossfw.models.predictor import Predictor
from lossfw.models.training_leg import TrainingLeg

# How a model learns: rounds that each add to it, epochs that each see all rows, or in one step.
TrainingMode: TypeAlias = Literal["rounds", "epochs", "once"]
# Inputs that a model may take besides finite numbers: NaN for a missing one, codes of categories.
AcceptedInput: TypeAlias = Literal["missing", "categories"]


class ModelParameterError(DataError):
    """The file of a model contradicts a parameter, where lossfw reports the mistake.

    Attributes
    ----------
    parameter : str
        Its name, such as ``"output_activation"``.
    """

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter

    def __reduce__(self) -> Any:
        return type(self), (self.parameter, str(self))


class Model(LibraryComponent):
    """A model, which predicts rows; lossfw evaluates it, and trains it if it can learn.

    An author writes parameters as fields, and `load`; a model that learns also has `fit`, and `cut`
    if it learns in rounds.

    Attributes
    ----------
    ending : str
        Suffix of the file that a training writes, such as ``".ubj"``.
    training_mode : {"rounds", "epochs", "once"} or None
        How the model is trained; None if it is only evaluated.
    accepted_inputs : frozenset of str
        Which inputs it accepts besides finite numbers: ``"missing"``, ``"categories"``.
    reads_in_batches : bool
        Whether `fit` reads the inputs of `TrainingLeg.data` by `Dataset.batches`: those of a large
        file then stay in it. Targets and weights are in memory.
    own_objective : bool
        Whether it minimises its own objective and only measures the loss.
        Its outputs are then predictions, without an output activation.
    file : path or None
        A trained model.
    output_activation : str or None
        The activation that turns raw outputs into predictions, if neither the file nor its card
        says so.
    card : {"ignore"} or None
        ``ignore`` reads the file without its card, although a lossfw training has written
        ``model.json`` next to it.

    Examples
    --------
    >>> import json
    >>> import numpy as np
    >>> class Mean(Model):
    ...     ending = ".json"
    ...     training_mode = "once"
    ...
    ...     def load(self, content, card):
    ...         mean, width = json.loads(content)
    ...         return Predictor("mean", content, (width,), 1, lambda x: np.full(len(x), mean))
    ...
    ...     def fit(self, leg):
    ...         mean, width = float(leg.targets.mean()), leg.inputs.shape[1]
    ...         leg.report_round(np.full(len(leg.data), mean), None)
    ...         return json.dumps([mean, width]).encode()
    >>> str(Mean().load_predictor(b"[2.0, 3]"))
    'mean, 3 inputs, 1 raw output'
    """

    kind: ClassVar[str] = "model"
    ending: ClassVar[str] = ""
    training_mode: ClassVar[TrainingMode | None] = None
    accepted_inputs: ClassVar[frozenset[AcceptedInput]] = frozenset()
    reads_in_batches: ClassVar[bool] = False
    own_objective: ClassVar[bool] = False

    file: File | None = None
    output_activation: str | None = None
    card: Literal["ignore"] | None = None

    @property
    def own_activation(self) -> str | None:
        """The activation that turns raw outputs of its own objective into predictions, or None."""
        return None

    @property
    def file_name(self) -> str:
        """The file that a training writes: ``"model.ubj"``; its card is ``"model.json"``."""
        name = f"model{self.ending}"
        return f"{self.name}{self.ending}" if name == CARD_FILE else name

    @property
    def library_version(self) -> str:
        """The library with its version, for a card: ``"xgboost 3.2.0"``; the name without one."""
        return f"{self.library} {self.version()}" if self.library else self.name

    def load(self, content: bytes, card: Card | None) -> Predictor:
        """Return the model in the content of a file.

        Nothing in it is executed, except in the files that `code_files` names.

        Parameters
        ----------
        content : bytes
            Content of the file.
        card : Card or None
            What a lossfw training has written next to it.

        Raises
        ------
        DataError
            If it is not a model of this kind; the message names `file`.
        """
        raise NotImplementedError(f"{type(self).__name__}.load(content, card) is not implemented.")

    def fit(self, leg: TrainingLeg) -> bytes:
        """Train one leg, and return the content of the model's file.

        Parameters
        ----------
        leg : TrainingLeg
            Rows, loss, number of rounds, seed, and the model that the previous leg returned.
        """
        raise NotImplementedError(f"{type(self).__name__}.fit(leg) is not implemented.")

    def cut(self, content: bytes, rounds: int) -> bytes:
        """Return the file of the model after a number of rounds or epochs, at least one.

        A model of rounds loses the later rounds. For a model of epochs, `content` is already that
        of the epoch; `cut` may remove what only further epochs need, such as the state of an
        optimizer. By default it removes nothing.
        """
        if self.training_mode == "rounds":
            raise NotImplementedError(f"{type(self).__name__}.cut is not implemented.")
        return content

    def refusal(self, loss: Loss) -> str | None:
        """Return why the model cannot learn from a loss; None if it can.

        By default, it accepts what boosting accepts: a loss of real numbers, or one whose output
        activation takes real numbers, if its gradient is not 0 almost everywhere.
        """
        # Imported on use: an evaluation learns nothing.
        from lossfw.learning.raw_form import refusal

        return refusal(loss)

    def outputs_refusal(self, loss: Loss, units: int) -> str | None:
        """Return why a loss cannot train this number of raw outputs per row; None if it can."""
        return None

    def for_loss(self, loss: Loss) -> Self:
        """Return this model with the outputs that a loss takes; by default itself.

        A model with several kinds of outputs, such as probabilities and scores, overrides it.
        lossfw calls it with the loss of the configuration, before it loads or trains the model.
        """
        return self

    def missing_reason(self) -> str | None:
        """Return what the model still needs before it can be trained, and how to give it, or None.

        Such as ``"module is missing: write module: net.py:Net"``.
        """
        return None

    def output_count(self, row_shape: tuple[int, ...]) -> int | None:
        """Return how many raw outputs per row the parameters of the model fix, or None.

        By default None: the model makes as many as the loss takes.

        Raises
        ------
        ModelParameterError
            If a parameter does not fit rows of this shape.
        """
        return None

    def check_data(self, data: Dataset, loss: Loss) -> None:
        """Check the training rows, and parameters that depend on them, before a training starts.

        By default it checks nothing: `fit` raises what it finds.

        Raises
        ------
        ArgumentError, DataError
            If the rows cannot train the model.
        ModelParameterError
            If a parameter is wrong.
        """

    def code_files(self) -> dict[str, Path]:
        """Return the files whose code is executed with this model, by parameter.

        They count as plugin files: ``run``, ``train`` and ``rerun`` execute them, other commands
        only with ``--trust``. A model whose class is in a Python file lists this file here.

        By default, `file` if its content is that of a ``.keras`` or ``.pt2`` file. Before `load`
        lets a library read a file, it checks the content by `code_format`.
        """
        try:
            coded = self.file is not None and code_format(self.file) in TRUSTED
        except OSError:
            coded = False
        return {"file": self.file} if coded and self.file is not None else {}

    def activation_with(self, card: Card | None, own: str | None = None) -> str | None:
        """Return the output activation from card, file or parameter; None if none has one.

        Parameters
        ----------
        card : Card or None
            It has priority over the file, which may not know the loss of the training.
        own : str or None
            The output activation that the file states.

        Raises
        ------
        DataError
            If `output_activation` contradicts the card or the file.
        """
        known = card.output_activation if card else own
        if known is not None and self.output_activation not in (None, known):
            told = "model.json beside it" if card else "the file"
            raise ModelParameterError(
                "output_activation",
                f"output_activation is {self.output_activation!r} for {self.file or 'the file'}, "
                f"and {told} says {known!r}: "
                "leave output_activation out.",
            )
        return known or self.output_activation

    def identity(self) -> dict[str, Any]:
        """Return what determines a training besides rows and loss: parameters, contents of files.

        lossfw resumes a training only if this is the same.
        """
        files = {**({} if self.file is None else {"file": self.file}), **self.code_files()}
        names = file_fields(type(self))
        plain = {key: value for key, value in self.to_config().items() if key not in names}
        return plain | {key: sha256(file.read_bytes()) for key, file in files.items()}

    def load_predictor(self, content: bytes | None = None, card: Card | None = None) -> Predictor:
        """Return the model in some content, by default that of `file` with its card.

        Raises
        ------
        DataError
            If the file cannot be used, or has a format, such as pickle, that lossfw never reads
            because reading it executes code.
        """
        file = None
        if content is None:
            file = self.file
            if file is None:
                raise ArgumentError(f"the model {self.name} has no file.")
            if file.is_dir():
                raise DataError(
                    f"{file} is a folder. For the model in the folder of a training, write "
                    f"model: {{name: trained, folder: {file.name}}}"
                )
            try:
                content = file.read_bytes()
            except OSError as error:
                raise DataError(f"{file} cannot be read: {error.strerror}.") from None
            if not content:
                raise DataError(f"{file} is empty.")
            refuse_code(file, content)
            card = Card.find(file, content) if self.card is None else None
        self.activation_with(card)
        predictor: object = self.load(content, card)
        if not isinstance(predictor, Predictor):
            raise DataError(
                f"load() of the model {self.name} returned {type(predictor).__name__}; expected a "
                "lossfw.models.Predictor."
            )
        if file is not None and card is not None:
            fitting = self.library_version, predictor.row_shape, predictor.units
            if (misfit := card.mismatch(*fitting)) is not None:
                raise DataError(
                    f"{file.parent / CARD_FILE} does not fit {file.name}: {misfit}. Use the card "
                    "that the training wrote, or write card: ignore."
                )
        predictor.origin = self, card, content
        return predictor
