"""Texts that an estimator was fitted on, such as an encoder of categories inside a pipeline.

The inputs of a model are numbers: a category is its code. Before a pipeline that was fitted on
texts, codes become texts again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lossfw import NDArray
from lossfw_std.models.sklearn_estimator import nested_estimators


def fitted_texts(estimator: Any) -> Iterator[tuple[Any, str]]:
    """Return the steps that were fitted on texts, each with one of them."""
    for item in nested_estimators(estimator):
        fitted = [
            *np.ravel(np.asarray(getattr(item, "statistics_", ()), object)),
            *(x for array in getattr(item, "categories_", ()) for x in np.ravel(array)),
            *getattr(item, "vocabulary_", ()),
        ]
        texts = [x for x in fitted if isinstance(x, str)]
        if texts:
            yield item, texts[0]


def categories_of(estimator: Any, names: tuple[str, ...]) -> dict[int, tuple[str, ...]] | None:
    """Return the texts of each input that a pipeline takes texts of, by its number.

    These are the inputs of encoders in a `ColumnTransformer` at the beginning of the pipeline, if
    it was fitted on columns with names. None if texts were fitted in another way.
    """
    first = estimator
    while getattr(first, "steps", None):
        first = first.steps[0][1]
    columns = getattr(first, "_transformer_to_input_indices", None)
    encoded: list[Any] = []
    labels: dict[int, set[str]] = {}
    if columns is not None and names:
        for step, transformer, _ in first.transformers_:
            for part in (x for _, x in getattr(transformer, "steps", [("", transformer)])):
                if hasattr(part, "categories_") and len(part.categories_) == len(columns[step]):
                    for column, known in zip(columns[step], part.categories_, strict=True):
                        texts = {x for x in known if isinstance(x, str)}
                        if texts:
                            labels.setdefault(int(column), set()).update(texts)
                # An imputer before the encoder has one of its texts.
                encoded.append(part)
    if any(not any(item is part for part in encoded) for item, _ in fitted_texts(estimator)):
        return None
    return {column: tuple(sorted(texts)) for column, texts in sorted(labels.items())}


def codes_to_strings(block: NDArray, categories: Mapping[int, tuple[str, ...]]) -> Any:
    """Return a block of inputs with strings instead of codes; NaN remains missing."""
    made = block.astype(object)
    for column, labels in categories.items():
        codes = block[:, column]
        known = np.array([*labels, np.nan], object)
        made[:, column] = known[np.where(np.isnan(codes), len(labels), codes).astype(int)]
    return made
