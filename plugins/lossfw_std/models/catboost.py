"""CatBoost: a model of CatBoost, trained with any loss."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from lossfw import DataError, Loss, NDArray, RunError
from lossfw.data import Dataset
from lossfw.models import Card, Predictor, TrainingLeg, temporary_folder
from lossfw_std.bridges import bridge_to
from lossfw_std.models import decided
from lossfw_std.models.booster import (
    BLOCK_ROWS,
    Bins,
    Booster,
    Constraints,
    ModelShape,
    Share,
    TrainingRows,
    first_clause,
    input_names_of,
    report_rounds,
    several_outputs_refusal,
    width_of,
)
from lossfw_std.models.class_labels import labels_of

# The output activations of the raw outputs of its own objectives.
_ACTIVATIONS: Final = {
    **dict.fromkeys(("Logloss", "CrossEntropy", "MultiLogloss", "MultiCrossEntropy"), "sigmoid"),
    "MultiClassOneVsAll": "sigmoid",
    "MultiClass": "softmax",
    **dict.fromkeys(("Poisson", "Tweedie", "LogLinQuantile"), "exp"),
    **dict.fromkeys(("RMSE", "MAE", "Quantile", "MultiQuantile", "Expectile"), "identity"),
    **dict.fromkeys(("Huber", "LogCosh", "Lq", "MAPE", "MultiRMSE", "SurvivalAft"), "identity"),
    **dict.fromkeys(("QueryRMSE", "PairLogit", "YetiRank", "LambdaMart", "Cox"), "identity"),
}
# Those whose targets are labels.
_OF_CLASSES: Final = ("Logloss", "MultiClass", "MultiClassOneVsAll")
_OF_JSON: Final = b"{"
# How a .cbm begins, with the number of bytes that follow it. CatBoost reads beyond the end of a
# file that was cut off, and ends the process.
_MAGIC: Final = b"CBM1"
_HEADER: Final = struct.Struct("<4sI")


class CatBoost(Booster):
    """Gradient boosting of CatBoost.

    Use it when many inputs are categories, or its symmetric trees suit the data; or to evaluate a
    model that CatBoost has saved as ``.cbm`` or ``.json``. Parameters have the names and the
    defaults of CatBoost; those that are not listed here go into `more`. It trains with losses of
    elements or of classes, not with losses of groups or of several columns.

    Parameters
    ----------
    learning_rate : float
        The factor of each tree.
    depth : int
        Levels of a tree.
    grow_policy : {"SymmetricTree", "Depthwise", "Lossguide"}
        Whether all nodes of a level have the same split, or a tree grows level by level, or where
        the loss falls most.
    max_leaves : int or None
        Leaves of a tree, for Lossguide.
    min_data_in_leaf : int
        The fewest rows in a leaf, except for SymmetricTree.
    l2_leaf_reg : float
        Penalty of the squares of leaves.
    random_strength : float
        Amount of randomness in the choice of splits.
    bootstrap_type : {"Bayesian", "Bernoulli", "MVS", "No"} or None
        How rows are sampled; None lets CatBoost choose.
    subsample : float or None
        Fraction of the rows that a tree sees, for Bernoulli and MVS.
    bagging_temperature : float or None
        How much the weights of rows vary, for Bayesian.
    rsm : float
        Fraction of the inputs that a split sees.
    border_count : int
        Borders between the bins of an input.
    one_hot_max_size : int or None
        Up to so many categories, splits separate one category from the others.
    monotone_constraints : list of int
        For each input 1 (raw outputs grow with it), -1 or 0.

    Examples
    --------
    >>> CatBoost(depth=4, more={"max_ctr_complexity": 2}).to_config()
    {'name': 'catboost', 'depth': 4, 'more': {'max_ctr_complexity': 2}}
    """

    name: ClassVar[str] = "catboost"
    library: ClassVar[str] = "catboost"
    extra: ClassVar[str] = "catboost"
    library_title: ClassVar[str] = "CatBoost"
    ending: ClassVar[str] = ".cbm"
    own_activations: ClassVar[Mapping[str, str]] = _ACTIVATIONS
    of_classes: ClassVar[tuple[str, ...]] = ("MultiClass", "MultiClassOneVsAll")
    elsewhere: ClassVar[Mapping[str, str]] = decided.reasons_by_parameter(
        {
            decided.BY_LOSS: (
                "loss_function objective classes_count class_names target_border "
                "leaf_estimation_iterations"
            ),
            decided.BY_METRICS: "eval_metric custom_metric custom_loss",
            decided.BY_ROUNDS: "iterations num_boost_round n_estimators num_trees",
            decided.BY_PATIENCE: (
                "od_type od_wait od_pval use_best_model early_stopping_rounds best_model_min_trees"
            ),
            decided.BY_SEED: "random_seed random_state",
            decided.BY_THREADS: "thread_count",
            decided.BY_START: "boost_from_average",
            decided.BY_WEIGHTS: "class_weights auto_class_weights scale_pos_weight",
            decided.BY_CATEGORIES: "cat_features text_features embedding_features",
            decided.BY_LOSSFW: (
                "verbose verbose_eval silent logging_level metric_period "
                "allow_writing_files train_dir save_snapshot snapshot_file "
                "snapshot_interval"
            ),
            decided.BY_NAME: "eta",
            decided.FOR_ROUNDS: "model_shrink_rate langevin posterior_sampling",
            "only a CPU computes a custom loss": "task_type devices",
        }
    )

    learning_rate: PositiveFloat = 0.03
    depth: Annotated[int, Field(ge=1, le=16)] = 6
    grow_policy: Literal["SymmetricTree", "Depthwise", "Lossguide"] = "SymmetricTree"
    max_leaves: Bins | None = None
    min_data_in_leaf: PositiveInt = 1
    l2_leaf_reg: NonNegativeFloat = 3.0
    random_strength: NonNegativeFloat = 1.0
    bootstrap_type: Literal["Bayesian", "Bernoulli", "MVS", "No"] | None = None
    subsample: Share | None = None
    bagging_temperature: NonNegativeFloat | None = None
    rsm: Share = 1.0
    border_count: PositiveInt = 254
    one_hot_max_size: PositiveInt | None = None
    monotone_constraints: Constraints = Field(default_factory=list)

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        return [{}, {"depth": 4, "learning_rate": 0.2, "rsm": 0.7}]

    def outputs_refusal(self, loss: Loss, units: int) -> str | None:
        own = self.own_objective_refusal(loss, units) if self.own_objective else None
        return own or several_outputs_refusal(self.name, loss, units)

    def refusal(self, loss: Loss) -> str | None:
        return None if self.own_objective else super().refusal(loss)

    def refused_objective(self, objective: str) -> str | None:
        catboost = self.imported()
        quiet = {"iterations": 1, "thread_count": 1, "verbose": False, "allow_writing_files": False}
        try:
            model = catboost.CatBoost(quiet | {"loss_function": objective})
            model.fit(catboost.Pool([[0.0], [1.0]], label=[0.0, 1.0], group_id=[0, 0]))
        except catboost.CatBoostError as error:
            return first_clause(str(error))
        return None

    def unknown_parameters(self) -> list[str]:
        catboost = self.imported()
        quiet = {"iterations": 1, "thread_count": 1, "verbose": False, "allow_writing_files": False}
        try:
            # It looks at options when it trains.
            catboost.CatBoost(quiet | self.more).fit(
                catboost.Pool([[0.0], [1.0]], label=[0.0, 1.0])
            )
        except catboost.CatBoostError as error:
            return re.findall(r"Unknown option \{(.+?)\}", str(error))
        return []

    def fit(self, leg: TrainingLeg) -> bytes:
        catboost = self.imported()
        training_rows = self.training_rows_of(leg)
        data = _make_pool(catboost, leg.data, leg.threads, training_rows)
        held_out = None
        if (other := self.held_out_rows_of(leg)) is not None:
            held_out = _make_pool(catboost, other, leg.threads)
        params = {
            "iterations": leg.rounds,
            "random_seed": leg.seed,
            "thread_count": leg.threads,
            "verbose": False,
            "allow_writing_files": False,
            **self.settings,
        }
        if leg.loss.takes_rows:
            params["classes_count"] = leg.units
        before = None if leg.saved is None else _read_model(leg.saved, catboost)
        with self.explain_errors(catboost.CatBoostError):
            if self.own_objective:
                # It would choose a rate by the data, and cannot find a start for a later leg.
                params |= {"loss_function": self.objective, "learning_rate": self.learning_rate}
                params |= {} if before is None else {"boost_from_average": False}
                model = catboost.CatBoost(params).fit(data, init_model=before)
            else:
                model = bridge_to("catboost").train(
                    leg.loss, params, data, curvature=self.curvature, init_model=before
                )
        pools = [data] if held_out is None else [data, held_out]
        kept = report_rounds(leg, (_outputs_by_round(model, pool, leg) for pool in pools))
        if kept < leg.first + leg.rounds:
            model.shrink(ntree_end=kept)
        return _file_content(model)

    def cut(self, content: bytes, rounds: int) -> bytes:
        model = _read_model(content, self.imported())
        model.shrink(ntree_end=rounds)
        return _file_content(model)

    def load(self, content: bytes, card: Card | None) -> Predictor:
        catboost = self.imported()
        if content.startswith(_MAGIC) and _stated_size(content) > len(content):
            raise self.unreadable_error(".cbm or .json", "it was cut off")
        try:
            return self._load_model(_read_model(content, catboost), content, card)
        except DataError:
            raise
        # A damaged file shows at any of its parts, also in a trial.
        except (
            catboost.CatBoostError,
            ValueError,
            TypeError,
            LookupError,
            RecursionError,
        ) as error:
            raise self.unreadable_error(".cbm or .json", error) from None

    def _load_model(self, model: Any, content: bytes, card: Card | None) -> Predictor:
        """Return a model that CatBoost has read."""
        names = tuple(model.feature_names_)
        if not names:
            raise self.unreadable_error(".cbm or .json", "it has no inputs")
        categories = list(model.get_cat_feature_indices())
        self._refuse_strings(model, names, categories, card)
        best, total = model.best_iteration_, model.tree_count_
        best = None if best is None else int(best) + 1
        count = self.rounds_that_count(best, total)
        errors = self.imported().CatBoostError

        def compute_block(block: NDArray) -> Any:
            # It copies by column: together with this copy in half the time that it takes by row.
            rows = np.asfortranarray(_codes_to_strings(block, categories))
            kind = "RawFormulaVal"
            return model.predict(rows, prediction_type=kind, ntree_end=count, thread_count=1)

        def raw_outputs(block: NDArray) -> Any:
            try:
                return compute_block(block)
            except errors as error:
                raise RunError(
                    f"CatBoost cannot compute {len(block)} rows: {first_clause(str(error))}."
                ) from None

        one = np.asarray(compute_block(np.zeros((1, len(names)))))
        return self.predictor(
            content,
            card,
            ModelShape(total, len(names), one.size),
            raw_outputs,
            _activation_and_objective(model),
            best=best,
            # Blocks of 4,096 rows take 1.5 times the time of one call, these 1.1 times.
            block_rows=4 * BLOCK_ROWS,
            classes=_classes(model, one.size),
            columns=() if all(name == str(i) for i, name in enumerate(names)) else names,
        )

    def _refuse_strings(
        self, model: Any, names: tuple[str, ...], categories: list[int], card: Card | None
    ) -> None:
        """Raise `DataError` for a model of texts, which are not among the inputs of lossfw."""
        texts = [*model.get_text_feature_indices(), *model.get_embedding_feature_indices()]
        if card is None:
            texts += categories
        if texts:
            told = ", ".join(names[i] for i in sorted(texts))
            raise DataError(
                f"{self.file or 'the file'} takes strings ({told}), but does not list them: lossfw "
                "evaluates such a model only if `lossfw train` has trained it. Save its "
                "predictions, and evaluate them: model: {name: predictions, file: ...}."
            )


def _codes_to_strings(inputs: NDArray, categories: Sequence[int]) -> NDArray:
    """Return rows as CatBoost takes them: categories as the texts of their numbers."""
    if not categories:
        return inputs
    rows: NDArray = inputs.astype(object)
    for column in categories:
        rows[:, column] = [f"{code:.0f}" for code in inputs[:, column]]
    return rows


def _stated_size(content: bytes) -> int:
    """Return how many bytes a file has at least, by what it says itself."""
    header = content[: _HEADER.size].ljust(_HEADER.size, b"\xff")
    return _HEADER.size + int(_HEADER.unpack(header)[1])


def _make_pool(
    catboost: Any, data: Dataset, threads: int, training_rows: TrainingRows | None = None
) -> Any:
    """Return rows as CatBoost takes them, with the labels and weights of `training_rows`."""
    width_of(data)
    categories = sorted(data.codes)
    return catboost.Pool(
        _codes_to_strings(np.asarray(data.inputs), categories),
        label=None if training_rows is None else training_rows.labels,
        weight=None if training_rows is None else training_rows.weight,
        cat_features=categories or None,
        feature_names=input_names_of(data),
        thread_count=threads,
    )


def _outputs_by_round(model: Any, pool: Any, leg: TrainingLeg) -> Iterator[NDArray]:
    """Yield the raw outputs of rows after each round of a leg."""
    # `predict` adds the bias last, and its stages add it first: by other roundings.
    _, bias = model.get_scale_and_bias()
    trees = model.copy()
    trees.set_scale_and_bias(1.0, np.zeros_like(bias).tolist())
    stages = trees.staged_predict(pool, prediction_type="RawFormulaVal", thread_count=leg.threads)
    for raw in islice(stages, leg.first, None):
        yield raw + bias


def _file_content(model: Any) -> bytes:
    """Return the file of a model, without what says when and in which legs it was trained."""
    metadata = model.get_metadata()
    for key, empty in (("model_guid", ""), ("train_finish_time", ""), ("training", "{}")):
        metadata[key] = empty
    metadata["params"] = json.dumps(_drop_leg_options(json.loads(metadata["params"])))
    with temporary_folder() as folder:
        path = folder / "model.cbm"
        model.save_model(str(path))
        return path.read_bytes()


def _drop_leg_options(options: dict[str, Any]) -> dict[str, Any]:
    """Return options without those of a leg, at any depth."""
    return {
        key: _drop_leg_options(value) if isinstance(value, dict) else value
        for key, value in options.items()
        if key not in ("iterations", "random_seed", "thread_count")
    }


def _read_model(content: bytes, catboost: Any) -> Any:
    model = catboost.CatBoost()
    if not content.startswith(_OF_JSON):
        return model.load_model(blob=content)
    # It reads JSON only from a file, and takes one that was cut off.
    json.loads(content)
    with temporary_folder() as folder:
        path = folder / "model.json"
        path.write_bytes(content)
        return model.load_model(str(path), format="json")


def _activation_and_objective(model: Any) -> tuple[str | None, str]:
    """Return the output activation that a file tells, and its objective in words."""
    try:
        objective = json.loads(model.get_metadata()["params"])["loss_function"]["type"]
    except (KeyError, TypeError, ValueError):
        return None, "it does not name an objective"
    if objective.startswith("PythonUserDefined"):
        return None, "its objective was a custom function"
    return _ACTIVATIONS.get(objective), f"its objective is {objective}"


def _classes(model: Any, units: int) -> tuple[str, ...]:
    """Return the labels of the classes in the order of the outputs; none where it has none."""
    try:
        metadata = model.get_metadata()
        objective = json.loads(metadata["params"])["loss_function"]["type"]
        has_labels = bool(json.loads(metadata["class_params"])["class_names"])
    except (KeyError, TypeError, ValueError):
        return ()
    if objective not in _OF_CLASSES or not has_labels:
        return ()
    return labels_of(model.classes_, units)
