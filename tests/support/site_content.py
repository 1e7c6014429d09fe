"""What the site says of the built-in components: collected where it is used, once a process."""

import functools
from pathlib import Path

from lossfw.components.plugin_choice import Plugins
from lossfw.report.site.content import KINDS, SiteContent, collect_content, read_measured

REGISTRY = Plugins(installed=False).registry()
DOCS = Path(__file__).parents[2] / "docs"

# Kind and name of each, which are cheap to know when tests are collected.
SUBJECTS = [(kind, entry.name) for kind in KINDS for entry in REGISTRY.entries(kind)]
CURVES = [one for one in SUBJECTS if one[0] in ("loss", "activation")]

# Their formulas compare all pairs of numbers, sort, or have functions that JavaScript lacks.
WITHOUT_SCRIPT = {
    "aft", "aft_nll", "approx_ndcg", "cox", "crps_ensemble", "crps_normal", "discrete_hazard",
    "energy_score", "gamma_nll", "info_nce", "lambda_ndcg", "listmle",
    "negative_binomial_nll", "nt_xent", "pairwise_hinge", "pairwise_logistic", "student_t_nll",
    "supervised_contrastive", "zero_inflated_poisson_nll"
}  # fmt: skip
SCRIPTED = [one for one in CURVES if one[1] not in WITHOUT_SCRIPT]


@functools.cache
def content() -> SiteContent:
    return collect_content(REGISTRY, read_measured(DOCS / "reference"))
