"""LightGBM: a model of LightGBM, trained with any loss."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

import numpy as np
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from lossfw import Loss, NDArray
from lossfw.data import Dataset
from lossfw.models import Card, Predictor, TrainingLeg
from lossfw_std.bridges import bridge_to
from lossfw_std.models import decided
from lossfw_std.models.booster import (
    Bins,
    Booster,
    Constraints,
    ModelShape,
    Share,
    TrainingRows,
    first_clause,
    input_names_of,
    report_rounds,
    targets_refusal,
    width_of,
)
from lossfw_std.models.lightgbm_rows import dataset_class, rows_class
from lossfw_std.models.tree_splits import lightgbm_problem

# How a file calls an objective, with what changes its output activation, and the activation of its
# raw outputs.
_ACTIVATIONS: Final = {
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
_PARAMETERS, _AFTER_THEM = b"\nparameters:", b"\nend of parameters"
# Its line in a random forest.
_MEAN: Final = "\naverage_output\n"
# Parameters in a file that say how a leg was run: without them the first rounds of two legs have
# the bytes of one leg, for any number of threads.
_OF_LEG: Final = re.compile(r"^\[(num_iterations|num_threads|\w*seed): \d+\]\n", re.MULTILINE)
# How it calls inputs that have no names.
_UNNAMED: Final = re.compile(r"Column_\d+")


class LightGBM(Booster):
    """Gradient boosting by LightGBM.

    Use it for tables that are large or have many categories, because it is the fastest boosting
    model here; or to evaluate a model that LightGBM has saved as ``.txt``. Parameters have the
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
        The smallest sum of curvatures in a leaf.
    min_gain_to_split : float
        The smallest decrease of the loss by a split.
    max_delta_step : float
        The largest step of a leaf; 0 for no limit.
    lambda_l1, lambda_l2 : float
        Penalties of the sizes and of the squares of leaves.
    path_smooth : float
        How strongly leaves with few rows are pulled to the node above.
    bagging_fraction, bagging_freq : float, int
        Fraction of the rows that a tree sees, drawn again every so many rounds; 0 for never.
    feature_fraction, feature_fraction_bynode : float
        Fraction of the inputs that a tree, and a split, sees.
    extra_trees : bool
        Whether each input offers only one random split.
    max_bin, min_data_in_bin : int
        Bins of an input, and the fewest rows in one.
    max_cat_to_onehot, max_cat_threshold : int
        Up to so many categories, splits separate one from the others; the most categories on one
        side of a split.
    min_data_per_group : int
        The smallest number of rows per category.
    cat_smooth, cat_l2 : float
        How strongly categories with few rows are smoothed; the penalty of splits by category.
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
    library_title: ClassVar[str] = "LightGBM"
    ending: ClassVar[str] = ".txt"
    reads_in_batches: ClassVar[bool] = True
    own_activations: ClassVar[Mapping[str, str]] = {
        k.partition(" ")[0]: x for k, x in _ACTIVATIONS.items()
    }
    of_classes: ClassVar[tuple[str, ...]] = ("multiclass", "multiclassova")
    elsewhere: ClassVar[Mapping[str, str]] = decided.reasons_by_parameter(
        {
            decided.BY_LOSS: (
                "objective objective_type app application loss num_class num_classes "
                "reg_sqrt sigmoid"
            ),
            decided.BY_METRICS: "metric metrics metric_types eval_metric",
            decided.BY_ROUNDS: (
                "num_iterations num_iteration n_iter num_tree num_trees num_round "
                "num_rounds nrounds num_boost_round n_estimators max_iter"
            ),
            decided.BY_PATIENCE: (
                "early_stopping_round early_stopping_rounds early_stopping n_iter_no_change"
            ),
            decided.BY_SEED: (
                "seed random_seed random_state bagging_seed bagging_fraction_seed "
                "feature_fraction_seed extra_seed data_random_seed data_seed"
            ),
            decided.BY_THREADS: "num_threads num_thread nthread nthreads n_jobs",
            decided.BY_START: "boost_from_average init_score",
            decided.BY_WEIGHTS: "is_unbalance unbalance scale_pos_weight",
            decided.BY_CATEGORIES: "categorical_feature cat_feature",
            decided.BY_MISSING: "use_missing zero_as_missing",
            decided.BY_LOSSFW: "verbosity verbose verbose_eval",
            decided.BY_NAME: "shrinkage_rate eta",
            decided.FOR_BITS: "deterministic force_row_wise force_col_wise",
            decided.FOR_ROUNDS: "boosting boosting_type boost",
            "its leaves cannot include the start of a training": "linear_tree linear_trees",
        }
    )

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
    monotone_constraints: Constraints = Field(default_factory=list)

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        # The curvatures of some losses sum to little where targets are large.
        sampled = {"bagging_fraction": 0.7, "bagging_freq": 1, "feature_fraction": 0.7}
        return [{"min_sum_hessian_in_leaf": 1e-9}, {"min_sum_hessian_in_leaf": 1e-9, **sampled}]

    def refusal(self, loss: Loss) -> str | None:
        return None if self.own_objective else bridge_to("lightgbm").LightGBMBridge().refusal(loss)

    def outputs_refusal(self, loss: Loss, units: int) -> str | None:
        own = self.own_objective_refusal(loss, units) if self.own_objective else None
        return own or targets_refusal(self.name, loss, units)

    def refused_objective(self, objective: str) -> str | None:
        lgb = self.imported()
        classes = {"num_class": 2} if objective in self.of_classes else {}
        params = {"verbosity": -1, "objective": objective, **classes, **self.more}
        try:
            rows = lgb.Dataset(np.zeros((2, 1)), np.array([0.0, 1.0]), group=[2], params=params)
            lgb.Booster(params, rows)
        except lgb.basic.LightGBMError as error:
            return first_clause(str(error))
        return None

    def fit(self, leg: TrainingLeg) -> bytes:
        lgb = self.imported()
        training_rows = self.training_rows_of(leg)
        data = self._make_dataset(lgb, leg.data, training_rows)
        sets = [data]
        if (other := self.held_out_rows_of(leg)) is not None:
            sets.append(self._make_dataset(lgb, other, reference=data))
        # It would predict all earlier trees again.
        content, raws = leg.cache.get("raw", (b"", []))
        if leg.saved == content:
            for rows, raw in zip(sets, raws, strict=True):
                rows.raw_before = raw
        number, seen, last = leg.first, list[NDArray](), list[NDArray]()

        def keep_outputs(raw: NDArray, rows: Any) -> tuple[str, float, bool]:
            if leg.measures(number + 1) or number + 1 == leg.first + leg.rounds:
                # It writes the next round to the same array.
                seen.append(np.array(raw))
            return "seen", 0.0, False

        def report_outputs(environment: Any) -> None:
            nonlocal number
            number += 1
            last[:] = seen
            seen.clear()
            raw = last if leg.measures(number) else []
            if leg.report_round(*[*raw, None, None][:2]):
                raise lgb.callback.EarlyStopException(environment.iteration, [])

        params = {
            "num_threads": leg.threads,
            "seed": leg.seed,
            "verbosity": -1,
            # Otherwise the quicker way to add rows is found by the clock.
            "deterministic": True,
            "force_row_wise": True,
            **self.settings,
        }
        if leg.loss.takes_rows:
            params["num_class"] = leg.units
        if self.own_objective:
            return self._fit_own_objective(lgb, leg, params, data)
        with self.explain_errors(lgb.basic.LightGBMError):
            model = bridge_to("lightgbm").train(
                leg.loss,
                params,
                data,
                leg.rounds,
                curvature=self.curvature,
                target=training_rows.table,
                init_model=None if leg.saved is None else _read_model(leg.saved, lgb),
                valid_sets=sets,
                valid_names=["train", "held out"][: len(sets)],
                feval=keep_outputs,
                callbacks=[report_outputs],
            )
        if leg.saved is None and not model.feature_importance().any():
            self._warn_of_no_split(len(leg.data))
        content = _OF_LEG.sub("", model.model_to_string(num_iteration=-1)).encode()
        if last:
            leg.cache["raw"] = content, last
        return content

    def _fit_own_objective(
        self, lgb: Any, leg: TrainingLeg, params: dict[str, Any], rows: Any
    ) -> bytes:
        """Train a leg of an objective of the library, which tells no raw outputs meanwhile."""
        params |= {"objective": self.objective, "metric": "None"}
        before = None if leg.saved is None else _read_model(leg.saved, lgb)
        with self.explain_errors(lgb.basic.LightGBMError):
            model = lgb.train(params, rows, leg.rounds, init_model=before)
        content = _OF_LEG.sub("", model.model_to_string(num_iteration=-1)).encode()
        model = _read_model(content, lgb)
        parts = [leg.data] if leg.held_out is None else [leg.data, leg.held_out]
        kept = report_rounds(leg, (_outputs_by_round(model, part, leg) for part in parts))
        return content if kept == leg.first + leg.rounds else self.cut(content, kept)

    def cut(self, content: bytes, rounds: int) -> bytes:
        model = _read_model(content, self.imported())
        # 0 would be all of them.
        text: str = model.model_to_string(num_iteration=max(rounds, 1))
        return text.encode()

    def _warn_of_no_split(self, rows: int) -> None:
        warnings.warn(
            f"LightGBM found no split in {rows} rows: every leaf needs min_data_in_leaf = "
            f"{self.min_data_in_leaf} rows, and curvatures that sum to min_sum_hessian_in_leaf = "
            f"{self.min_sum_hessian_in_leaf:g}. Lower them, or choose curvature: one.",
            RuntimeWarning,
            stacklevel=3,
        )

    def unknown_parameters(self) -> list[str]:
        lgb = self.imported()
        # It writes warnings to standard output.
        with contextlib.redirect_stdout(io.StringIO()) as told:
            params = {"verbosity": 0, **self.more}
            lgb.Dataset(np.zeros((2, 1)), np.zeros(2), params=params).construct()
        passed_over = re.findall(r"Unknown parameter: (\S+)", told.getvalue())
        return [name for name in self.more if name in passed_over]

    def _make_dataset(
        self,
        lgb: Any,
        data: Dataset,
        training_rows: TrainingRows | None = None,
        reference: Any = None,
    ) -> Any:
        """Return rows as LightGBM takes them, with the labels of `training_rows` or any."""
        width_of(data)
        labels = np.zeros(len(data)) if training_rows is None else training_rows.labels
        return dataset_class(lgb)(
            rows_class(lgb)(data),
            labels,
            weight=None if training_rows is None else training_rows.weight,
            group=None if training_rows is None else training_rows.sizes,
            reference=reference,
            feature_name=input_names_of(data) or "auto",
            categorical_feature=sorted(data.codes) or "auto",
        )

    def load(self, content: bytes, card: Card | None) -> Predictor:
        lgb = self.imported()
        if not content.startswith(_BEGIN):
            raise self.unreadable_error(".txt", "it does not begin with the line `tree`")
        if _END not in content or (_PARAMETERS in content and _AFTER_THEM not in content):
            raise self.unreadable_error(".txt", "it was cut off")
        try:
            text = content.decode()
            self.raise_if_damaged(lightgbm_problem(text))
            booster = _read_model(content, lgb)
        except (lgb.basic.LightGBMError, UnicodeDecodeError) as error:
            raise self.unreadable_error(".txt", error) from None
        names = booster.feature_name()
        # The range of an input that is a category is a list of its numbers.
        infos = re.search(r"^feature_infos=(.*)$", text, re.MULTILINE)
        ranges = infos[1].split() if infos else []
        categories = [
            name
            for name, told in zip(names, ranges, strict=False)
            if told != "none" and not told.startswith("[")
        ]
        # Those of a table of pandas, in the order of its columns.
        labels = booster.pandas_categorical or []
        units = booster.num_model_per_iteration()
        rounds = booster.num_trees() // units

        # Raw scores of a random forest are the sum of its trees and not their mean.
        trees = rounds if _MEAN in text else 1

        def raw_outputs(block: NDArray) -> Any:
            return booster.predict(block, raw_score=True, num_threads=1) / trees

        self.rounds_that_count(None, rounds)
        return self.predictor(
            content,
            card,
            ModelShape(rounds, booster.num_feature(), units),
            raw_outputs,
            _activation_and_objective(text),
            categories=categories,
            labels=dict(zip(categories, labels, strict=True))
            if len(labels) == len(categories)
            else None,
            columns=() if all(map(_UNNAMED.fullmatch, names)) else tuple(names),
        )


def _outputs_by_round(model: Any, data: Dataset, leg: TrainingLeg) -> Iterator[NDArray]:
    """Yield the raw outputs of rows after each round of a leg: those of its trees, one by one."""
    inputs, options = np.asarray(data.inputs), {"raw_score": True, "num_threads": leg.threads}
    raw = np.zeros(1)
    if leg.first:
        raw = model.predict(inputs, num_iteration=leg.first, **options)
    for number in range(leg.first, model.current_iteration()):
        raw = raw + model.predict(inputs, start_iteration=number, num_iteration=1, **options)
        yield raw


def _read_model(content: bytes, lgb: Any) -> Any:
    return lgb.Booster(model_str=content.decode())


def _activation_and_objective(text: str) -> tuple[str | None, str]:
    """Return the output activation that a file tells, and its objective in words."""
    found = re.search(r"^objective=(.*)$", text, re.MULTILINE)
    if found is None:
        return None, "its objective was a custom function"
    told = re.sub(r" num_class:\d+", "", found[1])
    return _ACTIVATIONS.get(told), f"its objective is {found[1]}"
