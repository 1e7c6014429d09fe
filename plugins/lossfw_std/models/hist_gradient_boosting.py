"""HistGradientBoosting of scikit-learn, trained with any loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from threadpoolctl import threadpool_limits

from lossfw import ArgumentError, DataError, Loss, LossfwError, NDArray
from lossfw.data import Dataset
from lossfw.models import Card, Predictor, TrainingLeg
from lossfw_std.bridges import bridge_to
from lossfw_std.models.booster import (
    BLOCK_ROWS,
    Bins,
    Constraints,
    CurvatureChoice,
    Share,
    report_rounds,
    several_outputs_refusal,
)
from lossfw_std.models.class_labels import labels_of
from lossfw_std.models.sklearn_estimator import first_line
from lossfw_std.models.skops_model import SkopsModel, one_thread

# The output activations of raw outputs, by scikit-learn's classes of them.
_ACTIVATIONS: Final = {
    "IdentityLink": "identity",
    "LogLink": "exp",
    "LogitLink": "sigmoid",
    "MultinomialLogit": "softmax",
}


class HistGradientBoosting(SkopsModel):
    """Gradient boosting by scikit-learn: ``HistGradientBoostingRegressor`` and ``Classifier``.

    Use it when scikit-learn is your only boosting library, or to evaluate a model that scikit-learn
    has trained and ``skops.io.dump`` has saved. Parameters have the names and the defaults of
    scikit-learn.

    Parameters
    ----------
    file : file
        A trained model, written by ``skops.io.dump``.
    learning_rate : float
        The factor of each tree.
    max_leaf_nodes : int or None
        Leaves of a tree; None for any number.
    max_depth : int or None
        Levels of a tree.
    min_samples_leaf : int
        The fewest rows in a leaf.
    l2_regularization : float
        Penalty of the squares of leaves.
    max_features : float
        Fraction of the inputs that a split sees.
    max_bins : int
        Bins of an input, and the most categories that it may have.
    monotonic_cst : list of int
        For each input 1 (raw outputs grow with it), -1 or 0.
    interaction_cst : {"pairwise", "no_interactions"} or None
        Which inputs may be in one branch of a tree.
    curvature : {"auto", "exact", "bound", "gradient", "one", "twice", "expected"}
        The rule for the second derivative of the loss.
    refit : bool or None
        Whether to set each leaf to the minimum of the loss of its residuals; by default for losses
        with kinks.

    Examples
    --------
    >>> HistGradientBoosting(max_depth=4, learning_rate=0.05).to_config()
    {'name': 'hist_gradient_boosting', 'learning_rate': 0.05, 'max_depth': 4}
    """

    name: ClassVar[str] = "hist_gradient_boosting"
    training_mode = "rounds"
    accepted_inputs = frozenset({"missing", "categories"})

    learning_rate: PositiveFloat = 0.1
    max_leaf_nodes: Bins | None = 31
    max_depth: PositiveInt | None = None
    min_samples_leaf: PositiveInt = 20
    l2_regularization: NonNegativeFloat = 0.0
    max_features: Share = 1.0
    max_bins: Annotated[int, Field(ge=2, le=255)] = 255
    monotonic_cst: Constraints = Field(default_factory=list)
    interaction_cst: Literal["pairwise", "no_interactions"] | None = None
    curvature: CurvatureChoice = "auto"
    refit: bool | None = None

    @classmethod
    def examples(cls) -> Sequence[Mapping[str, Any]]:
        """Return parameters that draw inputs."""
        return ({}, {"max_features": 0.7, "max_leaf_nodes": 8})

    def outputs_refusal(self, loss: Loss, units: int) -> str | None:
        return several_outputs_refusal(self.name, loss, units)

    def fit(self, leg: TrainingLeg) -> bytes:
        """Train one leg, and report its rounds at the end."""
        ensemble = self.imported("sklearn.ensemble")
        classes = leg.units if leg.loss.takes_rows else None
        objective = bridge_to("sklearn").hist_loss(
            leg.loss, curvature=self.curvature, refit=self.refit, classes=classes
        )
        learner = ensemble.HistGradientBoostingRegressor()
        if classes is not None:
            learner = _classifier_of(ensemble.HistGradientBoostingClassifier, classes)
        if leg.saved is None:
            learner.set_params(**self._settings(leg))
        else:
            vars(learner).update(vars(self.read(leg.saved).estimator))
        learner.set_params(loss=objective, warm_start=True, max_iter=leg.first + leg.rounds)
        try:
            with threadpool_limits(leg.threads):
                learner.fit(leg.inputs, leg.targets, leg.data.sample_weight)
        except LossfwError:
            raise
        except (ValueError, TypeError, ArithmeticError) as error:
            raise ArgumentError(
                f"{self.name} cannot learn from these data: {first_line(error)}."
            ) from None
        model = _to_sklearn_estimator(ensemble, learner, objective, classes)
        parts = [leg.data] if leg.held_out is None else [leg.data, leg.held_out]
        with threadpool_limits(leg.threads):
            kept = report_rounds(leg, [_outputs_by_round(model, data, leg.first) for data in parts])
        return self._first_rounds(model, kept)

    def _settings(self, leg: TrainingLeg) -> dict[str, Any]:
        """Return the parameters of an estimator before its first round."""
        other = {"file", "output_activation", "card", "curvature", "refit"}
        return {key: x for key, x in self.parameters.items() if key not in other} | {
            "monotonic_cst": list(self.monotonic_cst) or None,
            "categorical_features": sorted(leg.data.codes) or None,
            "early_stopping": False,
            "random_state": leg.seed,
        }

    def cut(self, content: bytes, rounds: int) -> bytes:
        """Return the file of the first rounds."""
        return self._first_rounds(self.read(content).estimator, rounds)

    def _first_rounds(self, model: Any, rounds: int) -> bytes:
        del model._predictors[rounds:]
        return self.write_file(model.set_params(max_iter=rounds, warm_start=False))

    def load(self, content: bytes, card: Card | None) -> Predictor:
        """Return the model in a file of skops; nothing in it is executed."""
        model, notes = self.read(content)
        if not hasattr(model, "_raw_predict"):
            raise DataError(
                f"{self.file_title} holds a {type(model).__name__}; expected a "
                "HistGradientBoosting estimator: for others write name: sklearn."
            )
        self.refuse_strings(model)
        columns = self.pop_input_names(model)

        def raw_outputs(block: NDArray) -> Any:
            return model._raw_predict(block, n_threads=1)

        return Predictor(
            f"{self.name} ({len(model._predictors)} rounds)",
            content,
            (int(model.n_features_in_),),
            int(model.n_trees_per_iteration_),
            raw_outputs,
            self.activation_with(card, _ACTIVATIONS.get(type(model._loss.link).__name__)),
            block_rows=BLOCK_ROWS,
            call_context=one_thread,
            columns=columns,
            classes=labels_of(getattr(model, "classes_", None), int(model.n_trees_per_iteration_)),
            notes=notes,
        )


def _classifier_of(base: Any, classes: int) -> Any:
    """Return a classifier of so many classes, where rows may lack some of them."""

    class FixedClasses(base):  # type: ignore[misc]  # known at run time alone
        def _encode_y(self, y: NDArray) -> NDArray:
            super()._encode_y(np.arange(classes))
            return np.asarray(y, np.float64)

    return FixedClasses()


def _to_sklearn_estimator(ensemble: Any, learner: Any, objective: Any, classes: int | None) -> Any:
    """Return a fitted estimator as one of scikit-learn, so that a file names only it.

    In the place of the loss is one of scikit-learn with the same output activation.
    """
    from sklearn._loss.loss import HalfMultinomialLoss, HalfSquaredError

    if classes is None:
        model, own = ensemble.HistGradientBoostingRegressor(), HalfSquaredError()
    else:
        model, own = (
            ensemble.HistGradientBoostingClassifier(),
            HalfMultinomialLoss(n_classes=classes),
        )
    own.link = objective.link
    vars(model).update(vars(learner))
    model.loss = model._loss = own
    # A file does not depend on the number of threads.
    model._bin_mapper.n_threads = 1
    # Of several classes it is an array of a class of lossfw.
    model._baseline_prediction = np.array(model._baseline_prediction, subok=False)
    return model


def _outputs_by_round(model: Any, data: Dataset, first: int) -> Iterator[NDArray]:
    """Return the raw outputs of rows after each round from `first` on."""
    inputs, rest = np.asarray(data.inputs), copy(model)
    if first:
        before = copy(model)
        before._predictors = model._predictors[:first]
        rest._baseline_prediction = before._raw_predict(inputs)
    rest._predictors = model._predictors[first:]
    yield from rest._staged_raw_predict(inputs)
