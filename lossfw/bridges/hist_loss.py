"""A loss for HistGradientBoosting, which takes objects of a private scikit-learn class.

This module imports scikit-learn, and is itself imported on use, so that its objects can be pickled.
`REQUIRED` lists what HistGradientBoosting calls of the private class; a test checks each release
against it.
"""

from __future__ import annotations

import inspect
from typing import Any, Final

import numpy as np
from sklearn import __version__ as sklearn_version
from sklearn._loss.link import IdentityLink, LogitLink, LogLink, MultinomialLogit
from sklearn._loss.loss import BaseLoss

from lossfw.errors import ArgumentError
from lossfw.learning.derivatives import Derivatives, best_constant, refuse_dead_start
from lossfw.learning.raw_form import LABELS, as_loss, class_indices, raw_loss_of, raw_output_count
from lossfw.numerics.arrays import NDArray

_LINKS: Final = {
    None: IdentityLink,
    "exp": LogLink,
    "sigmoid": LogitLink,
    "softmax": MultinomialLogit,
}

# The methods of the private class with the parameters by which they are called.
REQUIRED: Final = {
    "__init__": ("closs", "link", "n_classes"),
    "__call__": ("y_true", "raw_prediction", "sample_weight", "n_threads"),
    "loss": ("y_true", "raw_prediction", "sample_weight", "loss_out", "n_threads"),
    "gradient": ("y_true", "raw_prediction", "sample_weight", "gradient_out", "n_threads"),
    "gradient_hessian": (
        "y_true", "raw_prediction", "sample_weight", "gradient_out", "hessian_out", "n_threads",
    ),
    "fit_intercept_only": ("y_true", "sample_weight"),
    "init_gradient_and_hessian": ("n_samples", "dtype", "order"),
}  # fmt: skip


def missing_members(base: type) -> list[str]:
    """Return the members that scikit-learn's private class lacks."""
    found = []
    for method, parameters in REQUIRED.items():
        function = getattr(base, method, None)
        known = inspect.signature(function).parameters if function else {}
        found += [f"{method}({name}=)" for name in parameters if name not in known]
    return found


class HistLoss(BaseLoss):  # type: ignore[misc]  # scikit-learn ships no types
    """A loss for ``HistGradientBoostingRegressor(loss=)``; make one with `hist_loss`."""

    def __init__(self, derivatives: Derivatives, refit: bool, classes: int | None) -> None:
        missing = missing_members(BaseLoss)
        if missing:
            raise ArgumentError(
                f"scikit-learn {sklearn_version} has changed the private class that "
                f"HistGradientBoosting takes for a loss, which lacks {', '.join(missing)}: "
                "install an earlier release of scikit-learn, or a newer one of lossfw."
            )
        link = _LINKS[derivatives.loss.output_activation]()
        super().__init__(closs=None, link=link, n_classes=classes)
        self._derivatives, self._classes = derivatives, classes
        self.is_multiclass = derivatives.loss.takes_rows
        # Without it the leaves get the minimum of the loss of their residuals.
        self.differentiable = not refit
        self.approx_hessian = derivatives.rule != "exact"
        self.constant_hessian = False

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._settings == other._settings

    def __hash__(self) -> int:
        return hash(self._settings)

    @property
    def _settings(self) -> tuple[Any, ...]:
        return self._derivatives, self.differentiable, self._classes

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._derivatives.given_loss!r})"

    def __getattr__(self, name: str) -> Any:
        # Asked for where it is not defined; it must be missing, see `HistClassLoss`.
        why = ""
        if name == "predict_proba":
            why = (
                f": {self._derivatives.name} is a loss of numbers, which have no probabilities. "
                "Use HistGradientBoostingRegressor, or a loss of labels, such as logistic"
            )
        raise AttributeError(f"{type(self).__name__} has no {name}{why}.")

    def _check_raw(self, raw: NDArray) -> NDArray:
        if raw.ndim == 2 and raw.shape[1] > 1 and not self.is_multiclass:
            raise ArgumentError(
                f"{self._derivatives.name} takes a single number for a row, but "
                f"HistGradientBoostingClassifier makes {raw.shape[1]} for as many classes: choose "
                "a loss of classes, such as cross_entropy."
            )
        return raw[:, 0] if raw.ndim == 2 and raw.shape[1] == 1 else raw

    def loss(
        self,
        y_true: Any,
        raw_prediction: Any,
        sample_weight: Any = None,
        loss_out: Any = None,
        n_threads: int = 1,
    ) -> Any:
        """Return the loss of each row, times its weight."""
        rows = self._derivatives.prepare_rows(
            self._check_raw(raw_prediction), y_true, sample_weight
        )
        losses = self._derivatives.loss(rows.y, rows.t, sample_weight=rows.w, reduction="none")
        return _fill_or_return(losses, loss_out)

    def gradient(
        self,
        y_true: Any,
        raw_prediction: Any,
        sample_weight: Any = None,
        gradient_out: Any = None,
        n_threads: int = 1,
    ) -> Any:
        """Return the gradients; `gradient_out` is filled if given."""
        return self.gradient_hessian(y_true, raw_prediction, sample_weight, gradient_out)[0]

    def gradient_hessian(
        self,
        y_true: Any,
        raw_prediction: Any,
        sample_weight: Any = None,
        gradient_out: Any = None,
        hessian_out: Any = None,
        n_threads: int = 1,
    ) -> Any:
        """Return gradients and curvatures; the arrays given for them are filled."""
        found = self._derivatives(self._check_raw(raw_prediction), y_true, sample_weight)
        return tuple(
            _fill_or_return(array, out)
            for array, out in zip(found, (gradient_out, hessian_out), strict=True)
        )

    def fit_intercept_only(self, y_true: Any, sample_weight: Any = None) -> Any:
        """Return the start; for residuals, the value of a leaf."""
        if self.is_multiclass:
            labels = class_indices(self._derivatives.loss, y_true)
            self.n_classes = raw_output_count(self._derivatives.loss, labels, self._classes)
            if self.n_classes < 3:
                raise ArgumentError(
                    f"{self._derivatives.name} takes rows, but HistGradientBoosting has one raw "
                    "prediction for two classes: choose a loss of single logits, such as "
                    "binary_cross_entropy."
                )
        begin = best_constant(
            self._derivatives.given_loss, y_true, sample_weight, classes=self.n_classes
        )
        if self.differentiable:
            refuse_dead_start(self._derivatives, begin, y_true, sample_weight)
        found = np.asarray(begin, np.float64)
        return found.view(_ClassStart) if self.is_multiclass else found


class _ClassStart(np.ndarray[Any, Any]):
    """A number for each class, which HistGradientBoosting adds to its raw predictions.

    A regressor has a single column of them, of which NumPy would tell in its own words.
    """

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **more: Any) -> Any:
        for raw in more.get("out", ()):
            if raw.shape[-1] != self.shape[-1]:
                raise ArgumentError(
                    f"the loss makes {self.shape[-1]} raw predictions for a row, one for each "
                    f"class, but the estimator has {raw.shape[-1]}: use "
                    "HistGradientBoostingClassifier, or a loss of numbers, such as huber."
                )
        return getattr(ufunc, method)(*(np.asarray(x) for x in inputs), **more)


class HistClassLoss(HistLoss):
    """A loss for ``HistGradientBoostingClassifier(loss=)``.

    With ``predict_proba``, HistGradientBoosting draws its rows for early stopping by class, so a
    loss of numbers does not have it.
    """

    def predict_proba(self, raw_prediction: Any) -> NDArray:
        """Return the probabilities of the classes.

        Raises
        ------
        ArgumentError
            If the loss has no output activation.
        """
        if isinstance(self.link, IdentityLink):
            raise ArgumentError(
                "predict_proba is not available: the raw predictions of "
                f"{self._derivatives.name} are not log-odds. Call predict or decision_function."
            )
        if self.is_multiclass:
            return np.asarray(self.link.inverse(raw_prediction))
        p = self.link.inverse(np.ravel(raw_prediction))
        return np.stack([1.0 - p, p], axis=1)


def _fill_or_return(array: NDArray, out: Any) -> Any:
    if out is None:
        return array
    out[...] = array.reshape(out.shape)
    return out


def hist_loss_of(loss: Any, curvature: str, refit: bool | None, classes: int | None) -> HistLoss:
    """Return a loss for HistGradientBoosting; see `lossfw.bridges.sklearn.hist_loss`."""
    form = raw_loss_of(loss)
    of_residual = form._argument == "residual"
    if refit is None:
        refit = of_residual and bool(form.claims().breaks) and curvature in ("auto", "one")
    if refit and not of_residual:
        raise ArgumentError(
            f"refit=True finds leaves from residuals, but {form.name} is not a loss of the "
            "residual: leave refit out."
        )
    if refit and curvature == "auto":
        curvature = "one"
    derivatives = Derivatives(as_loss(loss), curvature)
    _ = derivatives.rule  # refuses what has no meaning
    labels = form.target_space in LABELS
    return (HistClassLoss if labels else HistLoss)(derivatives, refit, classes)
