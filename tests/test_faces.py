"""The public import paths: a name that these modules have shown stays."""

import importlib
import re
from pathlib import Path

import pytest

import lossfw

FACES = {
    "lossfw": """
        BINARY CLASS_INDEX COUNT LOGITS NONNEGATIVE POSITIVE REAL SIGN SIMPLEX UNIT
        Activation ActivationClaims ArgumentError BrokenPluginError CategoricalLoss
        TargetChangingWrapper Claims
        ConfigError DataError DisabledPluginError DistanceLoss DivergenceError DomainError
        DtypeError DuplicateNameError ElementMetric EmptyReductionError IncompatiblePluginError
        Interval Loss LossfwError MarginLoss Metric MissingExtraError Optimizer OutputError
        ParameterError Partial PluginError PointwiseLoss PromisedRange Registry RowActivation
        RowMetric
        RunError ScoreMetric ShapeError Space SumMetric SumTerm UnknownNameError __version__
        activation compare evaluate hookimpl loss metric plan registry run run_all threads train
        train_all
        Array DistributionLoss GuardedLoss RawOutputLoss LogGuard OptimizerState NDArray Namespace
        OptimizerStep DerivativeOrder PointwiseBody RowBody
    """,
    "lossfw.bridges": """
        BoostingBridge BoostingSettings Bridge EstimatorOutputs output_activation_of
    """,
    "lossfw.check": "Refutation Report check check_function parametrize_with_checks subject",
    "lossfw.check.strategies": "masks pairs predictions targets weights",
    "lossfw.data": """
        Batch Dataset File Group NestedNumbers Source check_npz_name digest_arrays digest_files
        file_kind join_digests numbers_array open_columns read_array read_bytes read_npz
    """,
    "lossfw.scale": "PartCut connect cut_rows evaluate_on thread_count_of",
    "lossfw.errors": """
        ArgumentError BodyError BrokenPluginError ConfigError DataError DisabledPluginError
        DivergenceError DomainError DtypeError DuplicateNameError EmptyReductionError
        IncompatiblePluginError LossfwError MissingExtraError OutputError ParameterError
        PluginError Problem RunError ShapeError TraceError UnknownNameError
    """,
    "lossfw.metrics": """
        ElementMetric LossMetric Mergeable Metric MetricRows MetricUpdate RowMetric RowwiseMetric
        ScoreMetric SumMetric SumTerm
    """,
    "lossfw.numerics": """
        erf erfc expm1_minus hypot1m1 log1p_minus log1p_square log_cosh log_sigmoid log_softmax
        cumulative_logsumexp log_normal_cdf normal_hazard normal_mean_excess normal_quantile
        segment_logsumexp lgamma digamma trigamma binet binet_derivative logsumexp normal_cdf
        normal_pdf positive_part put_at quotient
        scaled_normal_tail
        sech_squared sigmoid softmax softmax_complement softmax_cross_entropy
        softmax_cross_entropy_and_gradient softmax_cross_entropy_and_gradient_at
        softmax_cross_entropy_at softmax_cross_entropy_gradient softmax_cross_entropy_hessian
        softmax_parts softplus sqrt1pm1 take_at multiply_or_zero times_normal_pdf
        xlog1py xlogy
        DEFAULT_DELTA Delta Guard
        clip_above clip_below guarded_log guarded_log_derivative guarded_log_second_derivative
        computed_in_float64
        polynomial power
        stop_gradient textbook_log
        two_diff two_prod zero_or_nan apply_where apply_where_rows cache_constants
        with_float32_form
    """,
}


@pytest.mark.parametrize("path", FACES)
def test_a_face_shows_its_names(path):
    face = importlib.import_module(path)
    shown = getattr(face, "__all__", dir(face))
    assert set(FACES[path].split()) <= set(shown)
    assert [name for name in shown if not hasattr(face, name)] == []


# What code, help and pages would say of a name that stays for those who knew another one.
FORMER = re.compile(
    r"\bformer(ly\b|_names|_methods| names?\b| methods?\b| parameters?\b)|\b(older|old) name\b|"
    r"has a new name|for a release|name of (old|before)|DeprecationWarning, stacklevel"
)
ROOT = Path(lossfw.__file__).parents[1]


def test_no_name_of_before_the_first_release_is_left():
    files = [
        path
        for folder in ("lossfw", "plugins", "docs", "scripts")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".md", ".yaml")
    ]
    assert len(files) > 500
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if FORMER.search(line)
    ]
    assert found == []
