"""The inputs of a model: categories in its form, and missing values where it takes them."""

from __future__ import annotations

from lossfw.config.schema import suggestions
from lossfw.config.schema.checked import CheckedConfig, ConfigPath, known
from lossfw.data import Dataset
from lossfw.data.categories import encoded
from lossfw.data.options import DataOptions
from lossfw.errors import DataError
from lossfw.models import Predictor
from lossfw.models.predictions import Predictions


def for_model(
    config: CheckedConfig, data: Dataset, options: DataOptions, path: ConfigPath
) -> Dataset | None:
    """Return data whose categories are inputs; None if the model does not take these inputs.

    Categories are codes for a model that takes some, and numbered like those of its training.
    """
    model = config.model
    if isinstance(model, Predictions) or config.network_form in ("predictions", "logits"):
        return data  # nothing looks at the inputs
    takes = frozenset() if model is None else model.takes
    who = "a network" if model is None else f"the model {model.name}"
    for key, given in (("missing", data.missing), ("unknown", options.unknown == "missing")):
        if given and "missing" not in takes and (data.categories or data.inputs is not None):
            others = suggestions.for_missing(known(config.registry))
            value = "keep" if key == "missing" else "missing"
            config.add(
                [*path, key] if config.has(*map(str, path), key) else path,
                f"{key}: {value} leaves NaN among the inputs, which {who} does not take",
                f"{others} take missing values; or leave such rows out, with missing: drop",
            )
            return None
    # Also a file may have learnt from texts, such as a pipeline that encodes them.
    of_file = isinstance(config.predictor, Predictor) and config.predictor.categories
    codes = "categories" in takes or bool(of_file)
    with config.at(path):
        if data.categories and codes and (options.scale is not None or options.standardize):
            key = "scale" if options.scale is not None else "standardize"
            raise DataError(f"{key} changes every input, and categories are codes: leave it out.")
        if data.categories and options.scale is not None:
            raise DataError(
                "scale divides every input, and those of categories are 0 and 1: write "
                "standardize: true in place of scale."
            )
        if data.missing and options.standardize:
            raise DataError(
                "standardize takes the mean of every input, and some may be missing: leave it out, "
                "or write missing: drop."
            )
        unknown = options.unknown == "missing"
        return encoded(data, config.recorded.categories, as_codes=codes, unknown_is_missing=unknown)
    return None
