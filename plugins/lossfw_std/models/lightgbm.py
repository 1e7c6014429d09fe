"""LightGBM: a model of LightGBM, trained with any loss."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from lossfw import NDArray
from lossfw.models import Card, Predictor
from lossfw_std.models.booster import (
    BLOCK_ROWS,
    BY_CATEGORIES,
    BY_LOSS,
    BY_LOSSFW,
    BY_METRICS,
    BY_MISSING,
    BY_NAME,
    BY_PATIENCE,
    BY_ROUNDS,
    BY_SEED,
    BY_START,
    BY_THREADS,
    BY_WEIGHTS,
    FOR_BITS,
    FOR_ROUNDS,
    Bins,
    Booster,
    Share,
)

# How a file calls an objective, with what changes its link, and the link of its raw outputs.
_LINKS: Final = {
    "binary sigmoid:1": "sigmoid",
    "cross_entropy": "sigmoid",
    "cross_entropy_lambda": "softplus",
    "multiclass": "softmax",
    "multiclassova sigmoid:1": "sigmoid",
    **dict.fromkeys(("poisson", "gamma", "tweedie"), "exp"),
    **dict.fromkeys(("regression", "regression_l1", "huber", "fair", "quantile"), "identity"),
    **dict.fromkeys(("mape", "lambdarank", "rank_xendcg"), "identity"),
}
# How every file begins, and what follows its trees. LightGBM reads beyond the end of a file that
# was cut off, and ends the process.
_BEGIN: Final = b"tree\n"
_END: Final = b"\nend of trees\n"
# How it calls inputs that have no names.
_UNNAMED: Final = re.compile(r"Column_\d+")


class LightGBM(Booster):
    """Gradient boosting of LightGBM.

    Use it when tables are large or have many categories: it is the fastest of the boosting
    models here; or to evaluate a model that LightGBM has saved as ``.txt``. Parameters have the
    names and the defaults of LightGBM; those that are not listed here go into `more`.

    Parameters
    ----------
    learning_rate : float
        The factor of each tree.
    num_leaves : int
        Leaves of a tree, at most.
    max_depth : int
        Levels of a tree, at most; -1 for no limit.
    min_data_in_leaf : int
        The fewest rows in a leaf.
    min_sum_hessian_in_leaf : float
        The least sum of curvatures in a leaf.
    min_gain_to_split : float
        The least fall of the loss by a split.
    max_delta_step : float
        The largest step of a leaf; 0 for no limit.
    lambda_l1, lambda_l2 : float
        Penalties of the sizes and of the squares of leaves.
    path_smooth : float
        How much leaves of few rows are drawn to the node above.
    bagging_fraction, bagging_freq : float, int
        Share of the rows that a tree sees, drawn anew after so many rounds; 0 for never.
    feature_fraction, feature_fraction_bynode : float
        Share of the inputs that a tree, a split sees.
    extra_trees : bool
        Whether each input has one random split to choose from.
    max_bin, min_data_in_bin : int
        Bins of an input, and the fewest rows in one.
    max_cat_to_onehot, max_cat_threshold : int
        Up to so many categories a split is one against the others; the most that a split has.
    min_data_per_group : int
        The fewest rows of a category.
    cat_smooth, cat_l2 : float
        How much categories of few rows are smoothed; the penalty of splits by category.
    monotone_constraints : list of int
        For each input 1 (raw outputs grow with it), -1 or 0.

    Examples
    --------
    >>> LightGBM(num_leaves=15, more={"top_rate": 0.3}).to_config()
    {'name': 'lightgbm', 'num_leaves': 15, 'more': {'top_rate': 0.3}}
    """

    name: ClassVar[str] = "lightgbm"
    library: ClassVar[str] = "lightgbm"
    extra: ClassVar[str] = "lightgbm"
    told_library: ClassVar[str] = "LightGBM"
    ending: ClassVar[str] = ".txt"
    elsewhere: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("objective", "objective_type", "app", "application", "loss"), BY_LOSS),
        **dict.fromkeys(("num_class", "num_classes", "reg_sqrt", "sigmoid"), BY_LOSS),
        **dict.fromkeys(("metric", "metrics", "metric_types", "eval_metric"), BY_METRICS),
        **dict.fromkeys(("num_iterations", "num_iteration", "n_iter", "num_tree"), BY_ROUNDS),
        **dict.fromkeys(("num_trees", "num_round", "num_rounds", "nrounds"), BY_ROUNDS),
        **dict.fromkeys(("num_boost_round", "n_estimators", "max_iter"), BY_ROUNDS),
        **dict.fromkeys(("early_stopping_round", "early_stopping_rounds"), BY_PATIENCE),
        **dict.fromkeys(("early_stopping", "n_iter_no_change"), BY_PATIENCE),
        **dict.fromkeys(("seed", "random_seed", "random_state", "bagging_seed"), BY_SEED),
        **dict.fromkeys(("bagging_fraction_seed", "feature_fraction_seed"), BY_SEED),
        **dict.fromkeys(("extra_seed", "data_random_seed", "data_seed"), BY_SEED),
        **dict.fromkeys(("num_threads", "num_thread", "nthread", "nthreads", "n_jobs"), BY_THREADS),
        **dict.fromkeys(("verbosity", "verbose", "verbose_eval"), BY_LOSSFW),
        **dict.fromkeys(("deterministic", "force_row_wise", "force_col_wise"), FOR_BITS),
        **dict.fromkeys(("boost_from_average", "init_score"), BY_START),
        **dict.fromkeys(("is_unbalance", "unbalance", "scale_pos_weight"), BY_WEIGHTS),
        **dict.fromkeys(("categorical_feature", "cat_feature"), BY_CATEGORIES),
        **dict.fromkeys(("use_missing", "zero_as_missing"), BY_MISSING),
        **dict.fromkeys(("shrinkage_rate", "eta"), BY_NAME),
        **dict.fromkeys(("boosting", "boosting_type", "boost"), FOR_ROUNDS),
        **dict.fromkeys(
            ("linear_tree", "linear_trees"), BY_START + ", which its leaves cannot hold"
        ),
    }

    learning_rate: PositiveFloat = 0.1
    num_leaves: Bins = 31
    max_depth: int = -1
    min_data_in_leaf: NonNegativeInt = 20
    min_sum_hessian_in_leaf: NonNegativeFloat = 1e-3
    min_gain_to_split: NonNegativeFloat = 0.0
    max_delta_step: NonNegativeFloat = 0.0
    lambda_l1: NonNegativeFloat = 0.0
    lambda_l2: NonNegativeFloat = 0.0
    path_smooth: NonNegativeFloat = 0.0
    bagging_fraction: Share = 1.0
    bagging_freq: NonNegativeInt = 0
    feature_fraction: Share = 1.0
    feature_fraction_bynode: Share = 1.0
    extra_trees: bool = False
    max_bin: Bins = 255
    min_data_in_bin: PositiveInt = 3
    max_cat_to_onehot: PositiveInt = 4
    max_cat_threshold: PositiveInt = 32
    min_data_per_group: PositiveInt = 100
    cat_smooth: NonNegativeFloat = 10.0
    cat_l2: NonNegativeFloat = 10.0
    monotone_constraints: list[Literal[-1, 0, 1]] = Field(default_factory=list)

    def load(self, content: bytes, card: Card | None) -> Predictor:
        lgb = self.imported()
        if not content.startswith(_BEGIN):
            raise self.unreadable(".txt", "it does not begin with the line `tree`")
        if _END not in content:
            raise self.unreadable(".txt", "it has no line `end of trees`")
        try:
            text = content.decode()
            booster = lgb.Booster(model_str=text)
        except (lgb.basic.LightGBMError, UnicodeDecodeError) as error:
            raise self.unreadable(".txt", error) from None
        link, notes = self.meaning(card, *_objective(text))
        names = booster.feature_name()
        # The range of an input that is a category is a list of its numbers.
        infos = re.search(r"^feature_infos=(.*)$", text, re.MULTILINE)
        ranges = infos[1].split() if infos else []
        categories = [name for name, told in zip(names, ranges, strict=False) if _is_list(told)]
        units = booster.num_model_per_iteration()

        def raw(block: NDArray) -> Any:
            return booster.predict(block, raw_score=True, num_threads=1)

        return Predictor(
            f"lightgbm ({booster.num_trees() // units} rounds)",
            content,
            (booster.num_feature(),),
            units,
            raw,
            link,
            block_rows=BLOCK_ROWS,
            columns=() if all(map(_UNNAMED.fullmatch, names)) else tuple(names),
            notes=notes + self.on_categories(card, ", ".join(categories)),
        )


def _is_list(told: str) -> bool:
    return told != "none" and not told.startswith("[")


def _objective(text: str) -> tuple[str | None, str]:
    """Return the link that a file tells, and its objective in words."""
    found = re.search(r"^objective=(.*)$", text, re.MULTILINE)
    if found is None:
        return None, "its objective came from outside"
    told = re.sub(r" num_class:\d+", "", found[1])
    return _LINKS.get(told), f"its objective is {found[1]}"
