"""scikit-learn: an estimator or a pipeline, evaluated, and trained with its own objective."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final, Literal, Self, TypeAlias

import numpy as np
from pydantic import NonNegativeInt, PrivateAttr, field_validator

from lossfw import LOGITS, SIGN, SIMPLEX, UNIT, ArgumentError, DataError, Loss, NDArray
from lossfw.models import Card, Predictor, TrainingLeg
from lossfw_std.models import sklearn_estimator
from lossfw_std.models.class_labels import labels_of, single_class_note
from lossfw_std.models.sklearn_estimator import first_line
from lossfw_std.models.sklearn_texts import categories_of, codes_to_strings
from lossfw_std.models.skops_model import SkopsModel, one_thread

EstimatorMethod: TypeAlias = Literal["predict", "predict_proba", "decision_function"]

# A pipeline has the last bits of its products from the number of rows in a call, and trees have
# none. In larger blocks a forest of 100 trees costs half as much (measured at 4,096 and 16,384
# rows).
_BLOCK_ROWS, _TREE_BLOCK_ROWS = 4096, 16_384
_TREES: Final = (
    *("sklearn.tree.", "sklearn.ensemble._forest", "sklearn.ensemble._gb"),
    *("sklearn.ensemble._hist_gradient", "sklearn.dummy", "sklearn.preprocessing._label"),
)
# Classifiers whose probabilities are softmax, or of two classes sigmoid, of their scores.
_LOG_ODDS: Final = (
    *("LogisticRegression", "LogisticRegressionCV", "HistGradientBoostingClassifier"),
    *("LinearDiscriminantAnalysis", "QuadraticDiscriminantAnalysis", "GradientBoostingClassifier"),
)


class Sklearn(SkopsModel):
    """A scikit-learn estimator or pipeline.

    Use it to evaluate a trained scikit-learn pipeline, or as a baseline that is trained from the
    same file as the other models. It minimises its own objective; the loss of the configuration is
    only measured.

    Parameters
    ----------
    file : file
        A fitted estimator, written by ``skops.io.dump``. It consists of types of
        scikit-learn, NumPy and SciPy that are on a list; others are refused by name.
    estimator : str, mapping or list
        The estimator to train: its name with the module, a mapping with ``name`` and parameters, or
        a list of these for a pipeline. Columns of a ``ColumnTransformer`` may be names of inputs.
    output : {"predict", "predict_proba", "decision_function"}, optional
        The method that computes the outputs. By default ``predict`` for a regressor; for a
        classifier the probabilities, or the scores if the loss takes scores or there are no
        probabilities.
    output_column : int, optional
        The column of the outputs that a loss of one output takes: 1 of two classes.

    Notes
    -----
    It runs on one thread, because with several a forest adds its trees in random order. Two classes
    are two columns of probabilities. A search, such as ``GridSearchCV``, keeps its best estimator.

    A pipeline that was fitted on a table, and encodes columns of texts in a
    ``ColumnTransformer``, takes these columns as ``data.categories``.

    Examples
    --------
    >>> Sklearn(estimator={"name": "sklearn.linear_model.Ridge", "alpha": 2}).to_config()
    {'name': 'sklearn', 'estimator': {'name': 'sklearn.linear_model.Ridge', 'alpha': 2}}
    """

    name: ClassVar[str] = "sklearn"
    training_mode = "once"
    accepted_inputs = frozenset({"missing"})
    own_objective: ClassVar[bool] = True

    estimator: Any = None
    output: EstimatorMethod | None = None
    output_column: NonNegativeInt | None = None
    # What a loss takes: probabilities, scores or numbers.
    _wanted: EstimatorMethod = PrivateAttr("predict_proba")

    @classmethod
    def examples(cls) -> Sequence[Mapping[str, Any]]:
        """Return a pipeline, whose bits depend on the number of rows in a call, and a forest."""
        forest = {"name": "sklearn.ensemble.RandomForestRegressor", "n_estimators": 5}
        scaled = ["sklearn.preprocessing.StandardScaler", "sklearn.linear_model.Ridge"]
        return ({"estimator": scaled}, {"estimator": forest})

    @field_validator("estimator")
    @classmethod
    def _require_sklearn(cls, description: Any) -> Any:
        if description is not None:
            cls.imported()
            sklearn_estimator.build_estimator(description)
        return description

    def missing_reason(self) -> str | None:
        """Return whether the estimator is missing."""
        if self.estimator is not None:
            return None
        return "estimator is missing: write estimator: sklearn.linear_model.Ridge, or a list"

    def for_loss(self, loss: Loss) -> Self:
        """Return this model with the outputs that a loss takes."""
        model = self.model_copy()
        model._wanted = "predict_proba" if loss.prediction_space in (SIMPLEX, UNIT) else "predict"
        if loss.prediction_space is LOGITS or loss.target_space is SIGN:
            model._wanted = "decision_function"
        return model

    def refusal(self, loss: Loss) -> str | None:
        """Return why an estimator cannot learn from the targets of a loss; None if it can."""
        if self.estimator is None:
            return None
        from sklearn.base import is_regressor

        if loss.takes_classes and is_regressor(sklearn_estimator.build_estimator(self.estimator)):
            return (
                f"The estimator is a regressor, and {loss.name} takes classes. Choose a "
                "classifier, such as sklearn.linear_model.LogisticRegression."
            )
        return None

    def fit(self, leg: TrainingLeg) -> bytes:
        """Train the estimator by its own objective."""
        self.imported()
        estimator = sklearn_estimator.build_estimator(self.estimator)
        sklearn_estimator.number_columns(estimator, leg.data.input_names)
        sklearn_estimator.set_everywhere(estimator, random_state=leg.seed)
        weights = sklearn_estimator.weights_for(estimator, leg.data.sample_weight)
        try:
            with one_thread():
                estimator.fit(leg.inputs, leg.targets, **weights)
        except (ValueError, TypeError, ArithmeticError) as error:
            raise ArgumentError(
                f"{_describe_estimator(estimator)} cannot learn from these data: {_clause(error)}."
            ) from None
        leg.report_round(None, None)
        return self.write_file(getattr(estimator, "best_estimator_", estimator))

    def load(self, content: bytes, card: Card | None) -> Predictor:
        """Return the estimator in a file of skops; nothing in it is executed."""
        estimator, notes = self.read(content)
        columns = self.pop_input_names(estimator)
        # One thread, as without the parameter.
        sklearn_estimator.set_everywhere(estimator, n_jobs=None, verbose=0)
        width = getattr(estimator, "n_features_in_", None)
        if width is None:
            raise DataError(
                f"{_describe_estimator(estimator)} in {self.file_title} does not say how many "
                "inputs it takes."
            )
        method = self._output_method(estimator)
        column = self.output_column
        classes = getattr(estimator, "classes_", None) if method != "predict" else None
        if isinstance(classes, list):
            raise DataError(
                f"{_describe_estimator(estimator)} in {self.file_title} predicts classes of "
                "several targets; expected one: save one estimator per target."
            )
        if column is None and card is not None and card.units == 1 and method == "predict_proba":
            column = 1
        places = None
        if card is not None and method == "predict_proba" and column is None:
            # A class that no row of the training had has no column of its own.
            places = np.asarray(classes, int), card.units
        categories = categories_of(estimator, columns)
        if categories is None:
            self.refuse_strings(estimator)
        raw_outputs = _outputs_function(
            getattr(estimator, method), column, places, categories or {}
        )
        only_trees = all(
            type(item).__module__.startswith(_TREES)
            for item in sklearn_estimator.nested_estimators(estimator)
        )
        own = self._own_activation(estimator, method, classes)
        units = self._units(raw_outputs, width, classes, method) if places is None else places[1]
        labels = labels_of(classes, units, column)
        if column is not None and classes is not None and len(classes) > 2:
            notes += (single_class_note(self.file_title, column, classes),)
        return Predictor(
            _describe_estimator(estimator),
            content,
            (int(width),),
            units,
            raw_outputs,
            self.output_activation or own,
            pads=not only_trees,
            block_rows=_TREE_BLOCK_ROWS if only_trees else _BLOCK_ROWS,
            call_context=one_thread,
            columns=columns,
            categories={columns[i]: labels for i, labels in (categories or {}).items()},
            classes=labels,
            notes=notes,
        )

    def _output_method(self, estimator: Any) -> EstimatorMethod:
        """Return the method that makes the outputs, by what the loss takes and there is."""
        from sklearn.base import is_classifier

        known: list[EstimatorMethod] = ["predict_proba", "decision_function"]
        if not is_classifier(estimator):
            known = ["predict"]
        elif self._wanted == "decision_function":
            known.reverse()
        known = [method for method in known if hasattr(estimator, method)]
        if self.output is None and known:
            return known[0]
        if self.output in known:
            return self.output
        told = _describe_estimator(estimator)
        if not known:
            raise DataError(
                f"{told} in {self.file_title} has neither predict_proba nor decision_function."
            )
        why = (
            "predict returns labels, but a loss takes probabilities or scores"
            if self.output == "predict"
            else f"it has no {self.output}"
        )
        raise DataError(f"{told} in {self.file_title}: {why}: write output: {known[0]}")

    def _own_activation(self, estimator: Any, method: str, classes: Any) -> str | None:
        """Return the activation that makes probabilities of scores; None for others."""
        if method != "decision_function" or self._wanted == "decision_function":
            return None
        last = sklearn_estimator.last_step(estimator)
        of_log_loss = getattr(last, "loss", "log_loss") == "log_loss"
        if type(last).__name__ in _LOG_ODDS and of_log_loss:
            return "sigmoid" if len(classes) == 2 else "softmax"
        is_binary_sgd = type(last).__name__ == "SGDClassifier" and len(classes) == 2
        return "sigmoid" if is_binary_sgd and of_log_loss else None

    def _units(
        self, raw: Callable[[NDArray], NDArray], width: int, classes: Any, method: str
    ) -> int:
        """Return how many outputs a row has, by those of a row of zeros."""
        try:
            with one_thread():
                return int(raw(np.zeros((1, width))).size)
        # Zeros may be no legal inputs, such as of an encoder.
        except ArgumentError:
            if self.output_column is not None or classes is None:
                return 1
            return len(classes) if method == "predict_proba" or len(classes) > 2 else 1


def _outputs_function(
    method: Callable[[Any], Any],
    column: int | None,
    places: tuple[NDArray, int] | None,
    categories: Mapping[int, tuple[str, ...]],
) -> Callable[[NDArray], NDArray]:
    """Return the function of a block that a method of an estimator is."""

    def raw_outputs(block: NDArray) -> NDArray:
        try:
            made = np.asarray(
                method(codes_to_strings(block, categories) if categories else block), float
            )
        except ValueError as error:
            raise ArgumentError(f"scikit-learn refuses these inputs: {_clause(error)}.") from None
        if column is not None:
            return made[:, column]
        if places is None:
            return made
        classes, units = places
        spread = np.zeros((len(made), units))
        spread[:, classes] = made
        return spread

    return raw_outputs


def _clause(error: Exception) -> str:
    """Return the first line of an error of scikit-learn, and what to do about missing numbers."""
    clause = first_line(error)
    if "contains NaN" in clause:
        clause += "; put sklearn.impute.SimpleImputer before it, or leave missing: keep out"
    return clause


def _describe_estimator(estimator: Any) -> str:
    """Return how an estimator is called in a report: ``Pipeline(StandardScaler, Ridge)``."""
    steps = [type(step).__name__ for _, step in getattr(estimator, "steps", ())]
    name = type(estimator).__name__
    return f"{name}({', '.join(steps)})" if steps else name
