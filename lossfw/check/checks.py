"""Which checks a loss is subject to, and the order in which they run and are reported."""

from __future__ import annotations

from types import ModuleType

from lossfw.check.claims import breaks, convexity, properness, risk, slopes, values
from lossfw.check.core.search import Check, checks_in
from lossfw.check.laws import (
    against_double,
    components_only,
    distributions,
    dtypes,
    foreign_arrays,
    formula,
    means,
    nan_and_labels,
    optional_functions,
    purity,
    shapes,
)

# The first error of one cause is the one that is reported, so this order is part of a report.
_ORDER = (
    "shape:result", "shape:broadcast", "shape:axes", "shape:layout", "nan:legal", "nan",
    "domain:class_index", "value:negative_zero", "purity:arguments", "purity:reduce",
    "purity:repeat", "purity:memory", "purity:companions", "purity:extremes", "dtype:result",
    "dtype:target", "dtype:integer", "dtype:order", "dtype:half", "overflow:half",
    "precision:half", "gradient:half", "hessian:half", "purity:many", "value:many",
    "gradient:many", "hessian:many", "weights:mean", "weights:zero", "weights:scale",
    "weights:masked", "weights:axes", "weights:many", "mask", "mask:nothing", "mask:axes",
    "mask:many", "nan:mean", "weights:nan", "mask:nan", "weights:long", "weights:half",
    "value:classes", "gradient:classes", "hessian:classes", "precision:classes", "value",
    "precision", "overflow", "value:index", "gradient", "hessian", "precision:gradient",
    "precision:hessian", "overflow:gradient", "overflow:hessian", "nan:formula", "arrays:results",
    "arrays:weights", "arrays:refusals", "claim:nonnegative", "claim:lower_bound",
    "claim:bounded", "claim:zero_at_target", "claim:finite_at_boundary", "claim:convex",
    "claim:strictly_convex", "claim:strongly_convex", "claim:lipschitz",
    "claim:gradient_lipschitz", "claim:monotone", "claim:gradient_zero_almost_everywhere",
    "claim:symmetric", "claim:exchangeable", "claim:shift_invariant",
    "claim:permutation_equivariant", "claim:linear_in_target", "claim:breaks",
    "claim:second_breaks", "claim:smooth", "claim:twice_smooth", "claim:proper",
    "claim:strictly_proper", "claim:calibrated", "claim:elicits", "domain", "purity:warnings",
    "purity:threads", "purity:bits", "purity:kernels", "dtype:lists", "weights:partials",
    "weights:reductions", "value:rows", "value:guard", "value:roundtrip", "gradient:both",
    "curvature:bound", "distribution:quantile", "distribution:curvature",
)  # fmt: skip


def _in_order(*modules: ModuleType) -> dict[str, Check]:
    found = checks_in(*modules)
    return {name: found[name] for name in sorted(found, key=_ORDER.index)}


# The checks of any loss.
CHECKS = _in_order(
    shapes,
    nan_and_labels,
    purity,
    dtypes,
    against_double,
    means,
    formula,
    foreign_arrays,
    values,
    convexity,
    slopes,
    breaks,
    properness,
    risk,
)

# Those that a component is subject to as well.
COMPONENT_CHECKS = _in_order(components_only, optional_functions, distributions)
