"""SkopsModel: what the models of scikit-learn share, whose files are those of skops."""

from __future__ import annotations

import importlib.util
import re
from contextlib import AbstractContextManager
from typing import Any, Final

from threadpoolctl import threadpool_limits

from lossfw import DataError, MissingExtraError
from lossfw.models import Model
from lossfw_std.models import sklearn_estimator, skops_file
from lossfw_std.models.sklearn_texts import fitted_texts
from lossfw_std.models.tree_splits import sklearn_problem

# Files of older releases can be made to execute code (CVE-2025-54412).
_OLDEST_SKOPS: Final = (0, 12)


def one_thread() -> AbstractContextManager[Any]:
    """Return a context in which products and loops of scikit-learn have one thread."""
    limits: AbstractContextManager[Any] = threadpool_limits(1)
    return limits


class SkopsModel(Model):
    """Base class of models that are scikit-learn estimators."""

    library = "sklearn"
    distribution = "scikit-learn"
    extra = "skops"
    ending = ".skops"

    @classmethod
    def missing_library(cls) -> str | None:
        """Return which of scikit-learn and skops is not installed; None if both are."""
        missing = None if importlib.util.find_spec("skops") is not None else "skops"
        return super().missing_library() or missing

    def read(self, content: bytes) -> skops_file.LoadedEstimator:
        """Return the fitted estimator in a file, which takes arrays of numbers."""
        read = skops_file.loads(self._skops(), content, self.file_title)
        from sklearn.exceptions import NotFittedError
        from sklearn.utils.validation import check_is_fitted

        holds = f"{self.file_title} holds a {type(read.estimator).__name__}"
        if not hasattr(read.estimator, "get_params") or not hasattr(read.estimator, "fit"):
            raise DataError(f"{holds}; expected an estimator.")
        try:
            check_is_fitted(read.estimator)
        except NotFittedError:
            raise DataError(f"{holds} that is not fitted: call fit first.") from None
        for item in sklearn_estimator.nested_estimators(read.estimator):
            if wrong := sklearn_problem(item):
                raise DataError(f"{self.file_title} is damaged: {wrong}.")
        return read

    def refuse_strings(self, estimator: Any) -> None:
        """Raise `DataError` if an estimator was fitted on texts, which are not among the inputs."""
        for step, text in fitted_texts(estimator):
            raise DataError(
                f"in {self.file_title} the step {type(step).__name__} was fitted on strings, such "
                f"as {text!r}, but the inputs of a model are numbers: fit a pipeline that starts "
                "with a ColumnTransformer on a table with column names, or evaluate its "
                "predictions (model: predictions)."
            )

    @staticmethod
    def pop_input_names(estimator: Any) -> tuple[str, ...]:
        """Remove the input names from an estimator, and return them.

        With them, scikit-learn would warn in each call about arrays without names; lossfw
        compares the names itself.
        """
        names = tuple(map(str, getattr(estimator, "feature_names_in_", ())))
        for item in sklearn_estimator.nested_estimators(estimator):
            vars(item).pop("feature_names_in_", None)
            numbers = getattr(item, "_transformer_to_input_indices", None)
            if numbers is not None:
                item.transformers_ = [
                    (step, part, numbers[step][0] if isinstance(columns, str) else numbers[step])
                    for step, part, columns in item.transformers_
                ]
        return names

    def write_file(self, estimator: Any) -> bytes:
        """Return the file of an estimator."""
        return skops_file.dumps(self._skops(), estimator)

    @property
    def file_title(self) -> str:
        """The name of the file, for messages."""
        return str(self.file or "the file")

    def _skops(self) -> Any:
        self.imported()
        try:
            skops = importlib.import_module("skops")
        except ModuleNotFoundError as error:
            if error.name != "skops":
                raise
            raise MissingExtraError(
                f"the model {self.name} needs skops, which is not installed: "
                f"{self.install_command()}"
            ) from None
        release = tuple(map(int, re.findall(r"\d+", skops.__version__)[:2]))
        if release < _OLDEST_SKOPS:
            raise MissingExtraError(
                f"the model {self.name} needs skops 0.12 or newer, because older releases can "
                f"execute code in a file; {skops.__version__} is installed: "
                f"{self.install_command()}"
            )
        return importlib.import_module("skops.io")
