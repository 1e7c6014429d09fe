"""XGBoost: a model of XGBoost, trained with any loss."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from lossfw import ArgumentError, Loss, NDArray, RunError
from lossfw.data import Batch, Dataset
from lossfw.models import Card, Predictor, TrainingLeg
from lossfw_std.bridges import bridge_to
from lossfw_std.models import decided
from lossfw_std.models.booster import (
    PART_ROWS,
    Bins,
    Booster,
    Constraints,
    ModelShape,
    Share,
    TrainingRows,
    first_clause,
    input_names_of,
    width_of,
)
from lossfw_std.models.tree_splits import xgboost_problem

# The output activations of the raw outputs of its own objectives, except of the one that is not
# known to be.
_OF_OTHERS: Final = {"reg:squarederror": ", a name that XGBoost also writes for a custom objective"}
_ACTIVATIONS: Final = {
    **dict.fromkeys(("reg:logistic", "binary:logistic", "binary:logitraw"), "sigmoid"),
    **dict.fromkeys(("multi:softprob", "multi:softmax"), "softmax"),
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie"), "exp"),
    **dict.fromkeys(("survival:cox", "survival:aft"), "exp"),
    **dict.fromkeys(("reg:squaredlogerror", "reg:pseudohubererror"), "identity"),
    **dict.fromkeys(("reg:absoluteerror", "reg:quantileerror", "binary:hinge"), "identity"),
    **dict.fromkeys(("rank:ndcg", "rank:map", "rank:pairwise"), "identity"),
}


class XGBoost(Booster):
    """Gradient boosting by XGBoost.

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
        The smallest sum of curvatures in a leaf.
    gamma : float
        The smallest decrease of the loss by a split.
    max_delta_step : float
        The largest step of a leaf; 0 for no limit.
    reg_lambda, reg_alpha : float
        Penalties of the squares and of the sizes of leaves.
    subsample : float
        Fraction of the rows that a tree sees.
    colsample_bytree, colsample_bylevel, colsample_bynode : float
        Fraction of the inputs that a tree, a level, and a split sees.
    num_parallel_tree : int
        Number of trees per round.
    tree_method : {"hist", "exact", "approx"}
        How splits are found; ``exact`` takes no categories.
    max_bin : int
        Bins of an input.
    max_cat_to_onehot, max_cat_threshold : int
        Below so many categories, splits separate one from the others; the most categories on one
        side of a split.
    multi_strategy : {"one_output_per_tree", "multi_output_tree"}
        Whether each raw output has its own trees.
    monotone_constraints : list of int
        For each input 1 (raw outputs grow with it), -1 or 0.
    device : {"cpu", "cuda", "auto"}
        Where trees grow; ``auto`` means a GPU if XGBoost finds one. On a GPU, results need not
        repeat to the bit. Predictions are computed on the CPU.

    Examples
    --------
    >>> XGBoost(max_depth=4, more={"max_cached_hist_node": 1000}).to_config()
    {'name': 'xgboost', 'max_depth': 4, 'more': {'max_cached_hist_node': 1000}}
    """

    name: ClassVar[str] = "xgboost"
    library: ClassVar[str] = "xgboost"
    extra: ClassVar[str] = "xgboost"
    library_title: ClassVar[str] = "XGBoost"
    ending: ClassVar[str] = ".ubj"
    reads_in_batches: ClassVar[bool] = True
    own_activations: ClassVar[Mapping[str, str]] = {**_ACTIVATIONS, "reg:squarederror": "identity"}
    of_classes: ClassVar[tuple[str, ...]] = ("multi:softprob", "multi:softmax")
    elsewhere: ClassVar[Mapping[str, str]] = decided.reasons_by_parameter(
        {
            decided.BY_LOSS: "objective num_class num_target",
            decided.BY_METRICS: "eval_metric custom_metric disable_default_eval_metric",
            decided.BY_ROUNDS: "num_boost_round n_estimators num_round",
            decided.BY_PATIENCE: "early_stopping_rounds",
            decided.BY_SEED: "seed random_state seed_per_iteration",
            decided.BY_THREADS: "nthread n_jobs",
            decided.BY_START: "base_score",
            decided.BY_WEIGHTS: "scale_pos_weight",
            decided.BY_CATEGORIES: "feature_types enable_categorical",
            decided.BY_MISSING: "missing",
            decided.BY_LOSSFW: "verbosity silent verbose_eval",
            decided.BY_NAME: "eta",
            decided.FOR_ROUNDS: "booster process_type",
        }
    )

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
    monotone_constraints: Constraints = Field(default_factory=list)
    device: Literal["cpu", "cuda", "auto"] = "cpu"

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        return [{}, {"subsample": 0.7, "colsample_bytree": 0.7, "max_depth": 3}]

    def identity(self) -> dict[str, Any]:
        """Return what determines a training, with the device that ``auto`` chose."""
        own = super().identity()
        return own if self.device == "cpu" else own | {"device": self._device()}

    def refusal(self, loss: Loss) -> str | None:
        return None if self.own_objective else bridge_to("xgboost").XGBoostBridge().refusal(loss)

    def outputs_refusal(self, loss: Loss, units: int) -> str | None:
        return self.own_objective_refusal(loss, units) if self.own_objective else None

    def refused_objective(self, objective: str) -> str | None:
        xgb = self.imported()
        rows = xgb.DMatrix(np.zeros((1, 1)), np.zeros(1))
        try:
            xgb.Booster({**self._trial_parameters(), **self.more}, [rows]).save_config()
        except xgb.core.XGBoostError as error:
            return first_clause(str(error))
        return None

    def fit(self, leg: TrainingLeg) -> bytes:
        xgb = self.imported()
        training_rows = self.training_rows_of(leg)
        with self.explain_errors(xgb.core.XGBoostError):
            data = self._matrix(xgb, leg.data, leg.threads, training_rows)
            held_out = None
            if (other := self.held_out_rows_of(leg)) is not None:
                held_out = self._matrix(xgb, other, leg.threads, reference=data)
        number = leg.first

        class RoundReporter(xgb.callback.TrainingCallback):  # type: ignore[misc, name-defined]
            def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
                nonlocal number
                number += 1
                if not leg.measures(number):
                    return leg.report_round(None, None)
                # Both are in its cache.
                raw = [
                    None if rows is None else model.predict(rows, output_margin=True)
                    for rows in (data, held_out)
                ]
                return leg.report_round(*raw)

        params = {
            "nthread": leg.threads,
            "seed": leg.seed,
            "verbosity": 0,
            **self.settings,
            "device": self._device(),
        }
        if self.monotone_constraints:
            # It takes a list only of inputs without names.
            params["monotone_constraints"] = f"({','.join(map(str, self.monotone_constraints))})"
        if leg.loss.has_columns or leg.loss.takes_groups:
            params |= {"num_target": leg.units} if leg.loss.takes_rows else {}
        elif leg.loss.takes_rows:
            params["num_class"] = leg.units
        saved = None if leg.saved is None else bytearray(leg.saved)
        options: dict[str, Any] = {
            "evals": [] if held_out is None else [(held_out, "held out")],
            "verbose_eval": False,
            "callbacks": [RoundReporter()],
        }
        with self.explain_errors(xgb.core.XGBoostError):
            if self.own_objective:
                params |= {"objective": self.objective, "disable_default_eval_metric": True}
                before = None if saved is None else xgb.Booster(model_file=saved)
                booster = xgb.train(params, data, leg.rounds, xgb_model=before, **options)
            else:
                booster = bridge_to("xgboost").train(
                    leg.loss,
                    params,
                    data,
                    leg.rounds,
                    curvature=self.curvature,
                    target=training_rows.table,
                    xgb_model=saved,
                    custom_metric=None,
                    **options,
                )
        return bytes(booster.save_raw("ubj"))

    def cut(self, content: bytes, rounds: int) -> bytes:
        booster = self.imported().Booster(model_file=bytearray(content))
        return bytes(booster[:rounds].save_raw("ubj"))

    def _device(self) -> str:
        """Return where trees grow, ``"cpu"`` or ``"cuda"``."""
        if self.device == "cpu":
            return "cpu"
        xgb = self.imported()
        # Without a card it goes back to the processor, and warns.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rows = xgb.DMatrix(np.zeros((1, 1)), np.zeros(1))
            state = json.loads(xgb.Booster({"device": "cuda"}, [rows]).save_config())
        found = str(state["learner"]["generic_param"]["device"]).partition(":")[0]
        if self.device == "cuda" and found == "cpu":
            raise ArgumentError("XGBoost does not find a GPU: write device: cpu, or auto.")
        return found

    def _trial_parameters(self) -> dict[str, Any]:
        """Return the parameters of its own objective for a trial, which knows others by it."""
        classes = {"num_class": 2} if self.objective in self.of_classes else {}
        return {"objective": self.objective, **classes} if self.own_objective else {}

    def unknown_parameters(self) -> list[str]:
        xgb = self.imported()
        rows = xgb.DMatrix(np.zeros((1, 1)), np.zeros(1))
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            xgb.Booster(
                {"verbosity": 1, **self._trial_parameters(), **self.more}, [rows]
            ).save_config()
        told = " ".join(str(warning.message) for warning in found if "not used" in str(warning))
        return [name for name in self.more if f'"{name}"' in told]

    def _matrix(
        self,
        xgb: Any,
        data: Dataset,
        threads: int,
        training_rows: TrainingRows | None = None,
        reference: Any = None,
    ) -> Any:
        """Return rows as XGBoost takes them; rows that stay in a file are never all in memory."""
        types = ["c" if column in data.codes else "q" for column in range(width_of(data))]
        of_inputs = {"feature_types": types, "feature_names": input_names_of(data)}
        weight = (
            None
            if training_rows is None or training_rows.sizes is not None
            else training_rows.weight
        )
        # Both ways have the same bits.
        if type(data.inputs) is np.ndarray or self.tree_method != "hist":
            inputs = np.asarray(data.inputs, np.float32)
            rows = xgb.DMatrix(inputs, weight=weight, nthread=threads, **of_inputs)
        else:
            parts = _part_iterator(xgb, data, weight, of_inputs)
            rows = xgb.QuantileDMatrix(parts, max_bin=self.max_bin, nthread=threads, ref=reference)
        if training_rows is not None:
            rows.set_label(training_rows.labels)
            if training_rows.sizes is not None:
                rows.set_group(training_rows.sizes)
                if training_rows.weight is not None:
                    # It has one for each group.
                    rows.set_weight(training_rows.weight[np.cumsum(training_rows.sizes) - 1])
        return rows

    def load(self, content: bytes, card: Card | None) -> Predictor:
        xgb = self.imported()
        try:
            booster = xgb.Booster({"nthread": 1}, model_file=bytearray(content))
        except (xgb.core.XGBoostError, ValueError) as error:
            raise self.unreadable_error(".ubj or .json", error) from None
        learner = json.loads(booster.save_config())["learner"]
        shape, objective = learner["learner_model_param"], learner["objective"]["name"]
        columns = tuple(booster.feature_names or ())
        width = int(booster.num_features())
        types = booster.feature_types or ["q"] * width
        inputs = columns or [f"input {number}" for number in range(width)]
        categories = [name for name, kind in zip(inputs, types, strict=True) if kind == "c"]

        self.raise_if_damaged(xgboost_problem(bytes(booster.save_raw("ubj")), width))
        best, total = _best_rounds(booster), booster.num_boosted_rounds()
        count = self.rounds_that_count(best, total)
        # A model of straight lines takes no range.
        limit = {} if count == total else {"iteration_range": (0, count)}

        def raw_outputs(block: NDArray) -> Any:
            try:
                rows = xgb.DMatrix(block, nthread=1)
                return booster.predict(rows, output_margin=True, validate_features=False, **limit)
            except xgb.core.XGBoostError as error:
                clause = first_clause(str(error))
                raise RunError(f"XGBoost cannot compute {len(block)} rows: {clause}.") from None

        units = max(1, int(shape["num_class"]), int(shape["num_target"]))
        return self.predictor(
            content,
            card,
            ModelShape(total, width, units),
            raw_outputs,
            (
                _ACTIVATIONS.get(objective),
                f"its objective is {objective}{_OF_OTHERS.get(objective, '')}",
            ),
            categories=categories,
            labels=_category_labels(booster, categories),
            best=best,
            dtype="float32",
            columns=columns,
        )


def _part_iterator(
    xgb: Any, data: Dataset, weight: NDArray | None, of_inputs: dict[str, Any]
) -> Any:
    """Return an iterator over rows that XGBoost passes over as often as it likes."""

    class PartIterator(xgb.DataIter):  # type: ignore[misc]
        batches: Iterator[Batch]

        def reset(self) -> None:
            self.batches = data.batches(PART_ROWS)

        def next(self, take: Any) -> bool:
            batch = next(self.batches, None)
            if batch is None:
                return False
            stop = batch.start + len(batch.targets)
            part = None if weight is None else weight[batch.start : stop]
            take(data=np.asarray(batch.inputs, np.float32), weight=part, **of_inputs)
            return True

    return PartIterator()


def _best_rounds(booster: Any) -> int | None:
    """Return the rounds up to the best one of early stopping; None where the file has none."""
    told = booster.attr("best_iteration")
    return int(told) + 1 if told is not None and re.fullmatch(r"\d{1,9}", told) else None


def _category_labels(booster: Any, categories: list[str]) -> dict[str, list[Any]]:
    """Return the labels that a file keeps of a table of the training, by name of the input."""
    if not categories:
        return {}
    try:
        found = booster.get_categories(export_to_arrow=True).to_arrow()
    except (ImportError, ValueError):
        return {}  # without pyarrow, or trained on numbers
    return {name: labels.to_pylist() for name, labels in found if labels is not None}
