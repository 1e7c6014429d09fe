"""scikit-learn estimators from their description in a configuration."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import numpy as np

from lossfw import ArgumentError, ParameterError
from lossfw.models import did_you_mean

# What a configuration decides for every estimator inside another one.
_ELSEWHERE: Final[Mapping[str, str]] = {
    "n_jobs": "lossfw runs scikit-learn on one thread, so that sums repeat to the bit",
    "random_state": "`seed` of the configuration sets it",
    # The cache of joblib is pickles.
    "memory": "reading a cache executes code in its files",
}


def build_estimator(description: Any) -> Any:
    """Return the estimator that a name, a mapping or a list (a pipeline) describes.

    Raises
    ------
    ParameterError
        If it is not an estimator of scikit-learn, or has no such parameter.
    """
    if isinstance(description, str):
        return _make_estimator(description, {})
    if isinstance(description, Mapping):
        parameters = dict(description)
        return _make_estimator(parameters.pop("name", None), parameters)
    if isinstance(description, Sequence) and description:
        from sklearn.pipeline import make_pipeline

        steps = []
        for i, step in enumerate(description):
            try:
                steps.append(build_estimator(step))
            except ParameterError as error:
                # A configuration finds the place by the index.
                raise ParameterError(f"step [{i}]: {error}") from None
        return make_pipeline(*steps)
    raise ParameterError(
        "expected a scikit-learn estimator by its name, such as sklearn.linear_model.Ridge, a "
        "mapping {name: ..., PARAMETER: VALUE}, or a list of these for a pipeline; got "
        f"{description!r}."
    )


def _make_estimator(name: Any, parameters: Mapping[str, Any]) -> Any:
    cls = _find_class(name)
    known = {
        key: parameter
        for key, parameter in inspect.signature(cls).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
    for key in parameters:
        if key not in known:
            listed = f"It has {', '.join(x for x in known if x not in _ELSEWHERE)}."
            guess = did_you_mean(str(key), known) or listed
            raise ParameterError(f"{name} has no parameter {key!r}. {guess}")
        if key in _ELSEWHERE:
            raise ParameterError(f"{name} cannot be given {key}: {_ELSEWHERE[key]}.")
    missing = [key for key, x in known.items() if x.default is x.empty and key not in parameters]
    if missing:
        raise ParameterError(f"{name} needs the parameter {missing[0]!r}.")
    estimator = cls(**{key: _build_value(x, known[key].default) for key, x in parameters.items()})
    try:
        # The names and ranges of scikit-learn's own, before anything is computed.
        getattr(estimator, "_validate_params", lambda: None)()
    except (ValueError, TypeError) as error:
        raise ParameterError(f"{first_line(error)}.") from None
    return estimator


def _build_value(value: Any, default: Any) -> Any:
    """Return a parameter as scikit-learn takes it: estimators made, a tuple where it has one."""
    if isinstance(value, Mapping):
        if isinstance(value.get("name"), str) and value["name"].startswith("sklearn."):
            return build_estimator(value)
        return {key: _build_value(item, None) for key, item in value.items()}
    if isinstance(value, list | tuple):
        items = [_build_value(item, None) for item in value]
        return tuple(items) if isinstance(default, tuple) else items
    return value


def _find_class(name: Any) -> Any:
    from sklearn.base import BaseEstimator

    if not isinstance(name, str):
        raise ParameterError(
            "an estimator needs a name, such as sklearn.linear_model.Ridge, next to its parameters."
        )
    module_name, _, class_name = name.rpartition(".")
    found = None
    if module_name.partition(".")[0] == "sklearn":
        # Its modules may need others, such as pytest.
        with suppress(ImportError):
            found = vars(importlib.import_module(module_name)).get(class_name)
    if not (inspect.isclass(found) and issubclass(found, BaseEstimator)):
        raise ParameterError(f"scikit-learn has no estimator {name!r}. {_suggest(name)}".strip())
    if not found.__module__.startswith("sklearn."):
        raise ParameterError(
            f"{name} comes from {found.__module__}; expected a scikit-learn estimator."
        )
    return found


def _suggest(name: str) -> str:
    from sklearn.utils import all_estimators

    by_class: dict[str, str] = {}
    for class_name, cls in all_estimators():
        public = [step for step in cls.__module__.split(".") if not step.startswith("_")]
        by_class[class_name] = ".".join([*public, class_name])
    class_name = name.rpartition(".")[2]
    if class_name in by_class:
        return f"Did you mean {by_class[class_name]!r}?"
    close = did_you_mean(class_name, by_class)
    for known, full in by_class.items():
        close = close.replace(f"'{known}'", f"'{full}'")
    return close


def nested_estimators(value: Any) -> Iterator[Any]:
    """Return the nested estimators in a value, outer ones first."""
    from sklearn.base import BaseEstimator

    seen: set[int] = set()

    def walk(item: Any) -> Iterator[Any]:
        parts: Iterable[Any] = ()
        if isinstance(item, BaseEstimator):
            if id(item) in seen:
                return
            seen.add(id(item))
            yield item
            parts = vars(item).values()
        elif isinstance(item, Mapping):
            parts = item.values()
        elif isinstance(item, list | tuple) or (
            isinstance(item, np.ndarray) and item.dtype == object
        ):
            parts = item
        for part in parts:
            yield from walk(part)

    yield from walk(value)


def set_everywhere(estimator: Any, **parameters: Any) -> None:
    """Set parameters of an estimator and of nested ones, if they have them."""
    for item in nested_estimators(estimator):
        for key, value in parameters.items():
            if hasattr(item, key):
                setattr(item, key, value)


def number_columns(estimator: Any, names: Sequence[str]) -> None:
    """Replace the column names in a `ColumnTransformer` by their numbers."""
    for item in nested_estimators(estimator):
        if type(item).__name__ == "ColumnTransformer":
            item.transformers = [
                (step, transformer, _column_numbers(columns, names))
                for step, transformer, columns in item.transformers
            ]


def _column_numbers(columns: Any, names: Sequence[str]) -> Any:
    if isinstance(columns, list | tuple):
        return [_column_numbers(column, names) for column in columns]
    if not isinstance(columns, str):
        return columns
    if columns not in names:
        guess = did_you_mean(columns, names)
        raise ArgumentError(f"the data have no input {columns!r}. {guess}".strip())
    return names.index(columns)


def first_line(error: Exception) -> str:
    """Return the first line of an error of scikit-learn or skops, without its full stop."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".: ") if lines else type(error).__name__


def last_step(estimator: Any) -> Any:
    """Return the last step of a pipeline, or another estimator unchanged."""
    steps = getattr(estimator, "steps", None)
    return last_step(steps[-1][1]) if steps else estimator


def weights_for(estimator: Any, weights: Any) -> dict[str, Any]:
    """Return the keyword for sample weights of an estimator's `fit`.

    Raises
    ------
    ArgumentError
        If there are weights, but the estimator does not take them.
    """
    if weights is None:
        return {}
    key = _weight_key(estimator)
    if key is None:
        raise ArgumentError(
            f"{type(last_step(estimator)).__name__} does not take sample weights: leave "
            "data.sample_weight_key out, or choose another estimator."
        )
    return {key: weights}


def _weight_key(estimator: Any) -> str | None:
    from sklearn.utils.validation import has_fit_parameter

    if getattr(estimator, "steps", None):
        step, last = estimator.steps[-1]
        key = _weight_key(last)
        return key and f"{step}__{key}"
    if has_fit_parameter(estimator, "sample_weight"):
        return "sample_weight"
    # A search, and an estimator of transformed targets, hand it on.
    handed_on = getattr(estimator, "estimator", None) or getattr(estimator, "regressor", None)
    return None if handed_on is None else _weight_key(handed_on)
