"""XGBoost: a model of XGBoost, trained with any loss."""

from __future__ import annotations

import json
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
    FOR_ROUNDS,
    Bins,
    Booster,
    Share,
)

# The links of the raw outputs of its own objectives. `reg:squarederror` is none of them: an
# objective from outside has this name in a file too.
_LINKS: Final = {
    **dict.fromkeys(("reg:logistic", "binary:logistic", "binary:logitraw"), "sigmoid"),
    **dict.fromkeys(("multi:softprob", "multi:softmax"), "softmax"),
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie"), "exp"),
    **dict.fromkeys(("survival:cox", "survival:aft"), "exp"),
    **dict.fromkeys(("reg:squaredlogerror", "reg:pseudohubererror"), "identity"),
    **dict.fromkeys(("reg:absoluteerror", "reg:quantileerror", "binary:hinge"), "identity"),
    **dict.fromkeys(("rank:ndcg", "rank:map", "rank:pairwise"), "identity"),
}


class XGBoost(Booster):
    """Gradient boosting of XGBoost.

    Use it when you want a fast, well-tried model of tables, trained with any loss, or evaluate a
    model that XGBoost has saved as ``.ubj`` or ``.json``. Parameters have the names and the
    defaults of XGBoost; those that are not listed here go into `more`.

    Parameters
    ----------
    learning_rate : float
        The factor of each tree.
    max_depth : int
        Levels of a tree; 0 for no limit.
    max_leaves : int
        Leaves of a tree; 0 for no limit.
    grow_policy : {"depthwise", "lossguide"}
        Whether a tree grows level by level, or where the loss falls most.
    min_child_weight : float
        The least sum of curvatures in a leaf.
    gamma : float
        The least fall of the loss by a split.
    max_delta_step : float
        The largest step of a leaf; 0 for no limit.
    reg_lambda, reg_alpha : float
        Penalties of the squares and of the sizes of leaves.
    subsample : float
        Share of the rows that a tree sees.
    colsample_bytree, colsample_bylevel, colsample_bynode : float
        Share of the inputs that a tree, a level, a split sees.
    num_parallel_tree : int
        Trees of a round.
    tree_method : {"hist", "exact", "approx"}
        How splits are found; ``exact`` takes no categories.
    max_bin : int
        Bins of an input.
    max_cat_to_onehot, max_cat_threshold : int
        Below so many categories a split is one against the others; the most that a split has.
    multi_strategy : {"one_output_per_tree", "multi_output_tree"}
        Whether each raw output has trees of its own.
    monotone_constraints : list of int
        For each input 1 (raw outputs grow with it), -1 or 0.

    Examples
    --------
    >>> XGBoost(max_depth=4, more={"max_cached_hist_node": 1000}).to_config()
    {'name': 'xgboost', 'max_depth': 4, 'more': {'max_cached_hist_node': 1000}}
    """

    name: ClassVar[str] = "xgboost"
    library: ClassVar[str] = "xgboost"
    extra: ClassVar[str] = "xgboost"
    told_library: ClassVar[str] = "XGBoost"
    ending: ClassVar[str] = ".ubj"
    elsewhere: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("objective", "num_class", "num_target"), BY_LOSS),
        **dict.fromkeys(
            ("eval_metric", "custom_metric", "disable_default_eval_metric"), BY_METRICS
        ),
        **dict.fromkeys(("num_boost_round", "n_estimators", "num_round"), BY_ROUNDS),
        **dict.fromkeys(("seed", "random_state", "seed_per_iteration"), BY_SEED),
        **dict.fromkeys(("nthread", "n_jobs"), BY_THREADS),
        **dict.fromkeys(("verbosity", "silent", "verbose_eval"), BY_LOSSFW),
        "early_stopping_rounds": BY_PATIENCE,
        "base_score": BY_START,
        "scale_pos_weight": BY_WEIGHTS,
        **dict.fromkeys(("feature_types", "enable_categorical"), BY_CATEGORIES),
        "missing": BY_MISSING,
        **dict.fromkeys(("booster", "process_type"), FOR_ROUNDS),
        "eta": BY_NAME,
    }

    learning_rate: PositiveFloat = 0.3
    max_depth: NonNegativeInt = 6
    max_leaves: NonNegativeInt = 0
    grow_policy: Literal["depthwise", "lossguide"] = "depthwise"
    min_child_weight: NonNegativeFloat = 1.0
    gamma: NonNegativeFloat = 0.0
    max_delta_step: NonNegativeFloat = 0.0
    reg_lambda: NonNegativeFloat = 1.0
    reg_alpha: NonNegativeFloat = 0.0
    subsample: Share = 1.0
    colsample_bytree: Share = 1.0
    colsample_bylevel: Share = 1.0
    colsample_bynode: Share = 1.0
    num_parallel_tree: PositiveInt = 1
    tree_method: Literal["hist", "exact", "approx"] = "hist"
    max_bin: Bins = 256
    max_cat_to_onehot: PositiveInt = 4
    max_cat_threshold: PositiveInt = 64
    multi_strategy: Literal["one_output_per_tree", "multi_output_tree"] = "one_output_per_tree"
    monotone_constraints: list[Literal[-1, 0, 1]] = Field(default_factory=list)

    def load(self, content: bytes, card: Card | None) -> Predictor:
        xgb = self.imported()
        try:
            booster = xgb.Booster({"nthread": 1}, model_file=bytearray(content))
        except (xgb.core.XGBoostError, ValueError) as error:
            raise self.unreadable(".ubj or .json", error) from None
        learner = json.loads(booster.save_config())["learner"]
        shape, objective = learner["learner_model_param"], learner["objective"]["name"]
        link, notes = self.meaning(card, _LINKS.get(objective), f"its objective is {objective}")
        columns = tuple(booster.feature_names or ())
        width = int(booster.num_features())
        types = booster.feature_types or ["q"] * width
        names = ", ".join(
            (columns or [f"input {i}" for i in range(width)])[i]
            for i in range(width)
            if types[i] == "c"
        )

        def raw(block: NDArray) -> Any:
            rows = xgb.DMatrix(block, nthread=1)
            return booster.predict(rows, output_margin=True, validate_features=False)

        return Predictor(
            f"xgboost ({booster.num_boosted_rounds()} rounds)",
            content,
            (width,),
            max(1, int(shape["num_class"]), int(shape["num_target"])),
            raw,
            link,
            dtype="float32",
            block_rows=BLOCK_ROWS,
            columns=columns,
            notes=notes + self.on_categories(card, names),
        )
