"""skops files: scikit-learn estimators as data, of listed types."""

from __future__ import annotations

import io
import json
import math
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from lossfw import DataError
from lossfw.data import check_sizes
from lossfw_std.models.sklearn_estimator import first_line

# What estimators of scikit-learn consist of, besides the types that skops trusts itself. It
# leaves `Tree` and `TreePredictor` out, since a crafted tree can end the process.
TRUSTED: Final = frozenset(
    {
        # A partial is of a function that is itself on a list; HistGradientBoosting has one for
        # inputs beside categories.
        "functools.partial",
        "sklearn.utils.validation.check_array",
        "numpy.dtype",
        "numpy.mean",
        "scipy._lib.array_api_compat.numpy._aliases.asarray",
        "scipy.interpolate._bsplines.BSpline",
        "scipy.sparse._csc.csc_array",
        "scipy.sparse._csc.csc_matrix",
        "scipy.sparse._csr.csr_array",
        "scipy.sparse._csr.csr_matrix",
        "sklearn._loss.loss.HalfTweedieLoss",
        "sklearn._loss.loss.HalfTweedieLossIdentity",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.cluster._bisect_k_means._BisectingTree",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
        "sklearn.multiclass._ConstantPredictor",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
        "sklearn.utils._metadata_requests.MetadataRequest",
        "sklearn.utils._metadata_requests.MethodMetadataRequest",
        # As scikit-learn selects inputs: functions of columns and targets.
        *(
            f"sklearn.feature_selection._univariate_selection.{name}"
            for name in ("chi2", "f_classif", "f_oneway", "f_regression", "r_regression")
        ),
        *(
            f"sklearn.feature_selection._mutual_info.mutual_info_{name}"
            for name in ("classif", "regression")
        ),
        *(
            f"sklearn.gaussian_process.kernels.{name}"
            for name in (
                *("CompoundKernel", "ConstantKernel", "DotProduct", "ExpSineSquared"),
                *("Exponentiation", "Hyperparameter", "Matern", "Product", "RBF"),
                *("RationalQuadratic", "Sum", "WhiteKernel"),
            )
        ),
        *(
            f"sklearn.metrics._dist_metrics.{name}Distance64"
            for name in ("Chebyshev", "Euclidean", "Manhattan", "Minkowski")
        ),
        # The split of rows that a search has made is not used again.
        *(f"sklearn.model_selection._split.{name}" for name in ("KFold", "StratifiedKFold")),
        "sklearn.metrics._scorer._PassthroughScorer",
    }
)

# The time of entries in a file that depends on nothing but the estimator.
_TIME: Final = (1980, 1, 1, 0, 0, 0)
_SCHEMA: Final = "schema.json"


class LoadedEstimator(NamedTuple):
    """An estimator from a file, with notes for users."""

    estimator: Any
    notes: tuple[str, ...]


def loads(skops: Any, content: bytes, file: str) -> LoadedEstimator:
    """Return the estimator in a skops file, without objects of other types.

    `skops` is the module ``skops.io``, and `file` the name for messages.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            check_sizes(archive.infolist(), file, "Write it again: skops.io.dump(estimator, FILE).")
            _check_arrays(archive, file)
        untrusted = set(skops.get_untrusted_types(data=content)) - TRUSTED
    except DataError:
        raise
    # A file that is not one of skops raises errors of many kinds.
    except Exception as error:
        raise DataError(
            f"{file} is not a skops file ({first_line(error):.150}): write it in Python with "
            'skops.io.dump(estimator, "model.skops").'
        ) from None
    if untrusted:
        raise DataError(_refusal(file, sorted(untrusted)))
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            estimator = skops.loads(content, trusted=sorted(TRUSTED))
    except Exception as error:
        raise DataError(
            f"{file} cannot be read by the installed scikit-learn and skops "
            f"({first_line(error):.150}): install the versions that wrote it, or write it again."
        ) from None
    # Of scikit-learn's class of warning about a file of another version.
    versions = {getattr(item.message, "original_sklearn_version", "") for item in caught} - {""}
    notes = [
        f"{file} was written with scikit-learn {version}, and another version is installed, which "
        "may predict other values."
        for version in sorted(versions)
    ]
    return LoadedEstimator(estimator, tuple(notes))


def _check_arrays(archive: zipfile.ZipFile, file: str) -> None:
    """Refuse an array whose header states another size than the bytes that follow it."""
    for info in archive.infolist():
        if not info.filename.endswith(".npy"):
            continue
        with archive.open(info) as stream:
            version = np.lib.format.read_magic(stream)
            read = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }.get(version)
            if read is None:
                continue  # with names beyond Latin-1, which NumPy reads by itself
            shape, _, dtype = read(stream)
            following = info.file_size - stream.tell()
        if not dtype.hasobject and math.prod(shape) * dtype.itemsize != following:
            raise DataError(
                f"{file} is damaged: the array {info.filename} states the shape {shape} and dtype "
                f"{dtype}, but {following:,} bytes follow."
            )


def dumps(skops: Any, estimator: Any) -> bytes:
    """Return an estimator as a skops file, with the same bytes for the same estimator.

    skops numbers objects and names files by memory address. Without these numbers the file reads
    the same, and here files are named by their order.
    """
    with zipfile.ZipFile(io.BytesIO(skops.dumps(estimator))) as archive:
        schema = json.loads(archive.read(_SCHEMA))
        names: dict[bytes, str] = {}
        for node in _iter_nodes(schema):
            node.pop("__id__", None)
            if isinstance(node.get("file"), str):
                ending = node["file"].rpartition(".")[2]
                content = archive.read(node["file"])
                node["file"] = names.setdefault(content, f"{len(names) + 1}.{ending}")
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as numbered:
        for content, name in names.items():
            numbered.writestr(zipfile.ZipInfo(name, _TIME), content)
        numbered.writestr(zipfile.ZipInfo(_SCHEMA, _TIME), json.dumps(schema))
    return written.getvalue()


def _iter_nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Return the mappings inside a value, each before those in it."""
    if isinstance(value, dict):
        if "__loader__" in value:
            yield value
        for item in list(value.values()):
            yield from _iter_nodes(item)
    elif isinstance(value, list):
        for item in value:
            yield from _iter_nodes(item)


def _refusal(file: str, untrusted: list[str]) -> str:
    named = ", ".join(untrusted[:5]) + (" ..." if len(untrusted) > 5 else "")
    what = (
        f"{file} has objects of types that lossfw does not load: {named}. It loads only a fixed "
        "list of types from scikit-learn, NumPy and SciPy."
    )
    if any("_Scorer" in name for name in untrusted):
        return f"{what} For a search, save search.best_estimator_."
    return (
        f"{what} Leave out the step with these objects, or export the model to ONNX (model: onnx), "
        "or save its predictions (model: predictions)."
    )
