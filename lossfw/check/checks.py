"""The checks that apply to a loss, in the order in which they run and are reported."""

from __future__ import annotations

from types import ModuleType

from lossfw.check.claims import breaks, convexity, groups, properness, risk, steepness, values
from lossfw.check.core.search import Check, checks_of_modules
from lossfw.check.laws import (
    against_double,
    components_only,
    distributions,
    dtypes,
    excluded_class,
    foreign_arrays,
    formula,
    large_rows,
    many,
    means,
    metrics,
    model_training,
    models,
    nan_and_labels,
    optional_functions,
    purity,
    shapes,
)
from lossfw.check.laws import groups as group_laws

# The first error of one cause is the one that is reported, so this order is part of a report.
_ORDER = (
    "shape:result", "shape:broadcast", "shape:layout", "nan:legal", "nan", "domain:class_index",
    "value:negative_zero", "purity:arguments", "purity:repeat", "purity:companions",
    "dtype:result", "dtype:inputs", "dtype:half", "many", "weights", "mask", "weights:long",
    "classes", "value", "value:index", "value:excluded", "gradient", "hessian", "arrays",
    "claim:nonnegative", "claim:lower_bound", "claim:bounded",
    "claim:zero_at_target", "claim:finite_at_boundary", "claim:convex", "claim:strictly_convex",
    "claim:strongly_convex", "claim:lipschitz", "claim:gradient_lipschitz", "claim:monotone",
    "claim:gradient_zero_almost_everywhere", "claim:symmetric", "claim:exchangeable",
    "claim:shift_invariant", "claim:row_order", "claim:zero_alone",
    "claim:permutation_equivariant", "claim:linear_in_target", "claim:breaks",
    "claim:second_breaks", "claim:smooth", "claim:twice_smooth", "claim:proper",
    "claim:strictly_proper", "claim:calibrated", "claim:elicits", "domain", "purity:warnings",
    "purity:bits", "purity:kernels", "reductions", "value:guard", "value:roundtrip",
    "gradient:both", "curvature:bound", "distribution:quantile", "distribution:curvature",
    "group:sizes", "group:alone", "group:neutral", "group:split", "model:purity", "model:shape",
    "model:place", "model:layout", "model:threads", "model:copy",
    "model:accepted_inputs", "model:file", "model:reported_outputs", "model:legs",
    "model:seed", "model:refusal", "metric:purity", "metric:split", "metric:order",
    "metric:weights", "metric:nan", "metric:refuses", "metric:bounds",
    "metric:better", "metric:formula", "metric:intervals",
)  # fmt: skip


def _order_checks(*modules: ModuleType) -> dict[str, Check]:
    found = checks_of_modules(*modules)
    return {name: found[name] for name in sorted(found, key=_ORDER.index)}


# The checks of any loss.
CHECKS = _order_checks(
    shapes,
    nan_and_labels,
    purity,
    dtypes,
    against_double,
    many,
    means,
    large_rows,
    formula,
    excluded_class,
    foreign_arrays,
    values,
    convexity,
    steepness,
    groups,
    breaks,
    properness,
    risk,
)

# Those that a component is subject to as well.
COMPONENT_CHECKS = _order_checks(components_only, optional_functions, distributions)

# Those of a model.
MODEL_CHECKS = _order_checks(models, model_training)

# Those of a metric.
METRIC_CHECKS = _order_checks(metrics)

# Laws of the call that a group keeps as a row does.
_OF_GROUPS = (
    "shape:result", "value:negative_zero", "purity:repeat", "purity:companions", "dtype:result",
    "weights", "mask", "nan:legal", "value", "gradient", "hessian", "gradient:both",
    "curvature:bound", "classes",
)  # fmt: skip

# The checks of a loss of groups: a group is a row to them.
GROUP_CHECKS = {
    name: one
    for name, one in {**CHECKS, **COMPONENT_CHECKS, **_order_checks(group_laws)}.items()
    if name in _OF_GROUPS or name.startswith(("claim:", "group:"))
}
