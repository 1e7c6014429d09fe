"""CatBoost: a model of CatBoost, trained with any loss."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from lossfw import DataError, NDArray
from lossfw.models import Card, Predictor
from lossfw_std.models.booster import (
    BLOCK_ROWS,
    BY_CATEGORIES,
    BY_LOSS,
    BY_LOSSFW,
    BY_METRICS,
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

# The links of the raw outputs of its own objectives.
_LINKS: Final = {
    **dict.fromkeys(("Logloss", "CrossEntropy", "MultiLogloss", "MultiCrossEntropy"), "sigmoid"),
    "MultiClassOneVsAll": "sigmoid",
    "MultiClass": "softmax",
    **dict.fromkeys(("Poisson", "Tweedie", "LogLinQuantile"), "exp"),
    **dict.fromkeys(("RMSE", "MAE", "Quantile", "MultiQuantile", "Expectile"), "identity"),
    **dict.fromkeys(("Huber", "LogCosh", "Lq", "MAPE", "MultiRMSE", "SurvivalAft"), "identity"),
    **dict.fromkeys(("QueryRMSE", "PairLogit", "YetiRank", "LambdaMart", "Cox"), "identity"),
}
_OF_JSON: Final = b"{"


class CatBoost(Booster):
    """Gradient boosting of CatBoost.

    Use it when many inputs are categories, or its symmetric trees suit the data; or to evaluate
    a model that CatBoost has saved as ``.cbm`` or ``.json``. Parameters have the names and the
    defaults of CatBoost; those that are not listed here go into `more`. It learns from a loss of
    elements or of classes, and not from one of groups or of several columns.

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
        How much chance there is in the choice of splits.
    bootstrap_type : {"Bayesian", "Bernoulli", "MVS", "No"} or None
        How rows are sampled; None as CatBoost chooses.
    subsample : float or None
        Share of the rows that a tree sees, for Bernoulli and MVS.
    bagging_temperature : float or None
        How much the weights of rows vary, for Bayesian.
    rsm : float
        Share of the inputs that a split sees.
    border_count : int
        Borders between the bins of an input.
    one_hot_max_size : int or None
        Up to so many categories a split is one against the others.
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
    told_library: ClassVar[str] = "CatBoost"
    ending: ClassVar[str] = ".cbm"
    elsewhere: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("loss_function", "objective", "classes_count", "class_names"), BY_LOSS),
        **dict.fromkeys(("leaf_estimation_iterations", "target_border"), BY_LOSS),
        **dict.fromkeys(("eval_metric", "custom_metric", "custom_loss"), BY_METRICS),
        **dict.fromkeys(("iterations", "num_boost_round", "n_estimators"), BY_ROUNDS),
        "num_trees": BY_ROUNDS,
        **dict.fromkeys(("od_type", "od_wait", "od_pval", "use_best_model"), BY_PATIENCE),
        **dict.fromkeys(("early_stopping_rounds", "best_model_min_trees"), BY_PATIENCE),
        **dict.fromkeys(("random_seed", "random_state"), BY_SEED),
        "thread_count": BY_THREADS,
        **dict.fromkeys(("verbose", "verbose_eval", "silent", "logging_level"), BY_LOSSFW),
        **dict.fromkeys(("metric_period", "allow_writing_files", "train_dir"), BY_LOSSFW),
        **dict.fromkeys(("save_snapshot", "snapshot_file", "snapshot_interval"), BY_LOSSFW),
        "boost_from_average": BY_START,
        **dict.fromkeys(("class_weights", "auto_class_weights", "scale_pos_weight"), BY_WEIGHTS),
        **dict.fromkeys(("cat_features", "text_features", "embedding_features"), BY_CATEGORIES),
        "eta": BY_NAME,
        **dict.fromkeys(("model_shrink_rate", "langevin", "posterior_sampling"), FOR_ROUNDS),
        **dict.fromkeys(("task_type", "devices"), "only a processor computes a loss from outside"),
    }

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
    monotone_constraints: list[Literal[-1, 0, 1]] = Field(default_factory=list)

    def load(self, content: bytes, card: Card | None) -> Predictor:
        cat = self.imported()
        try:
            model = _model_in(content, cat)
        except (cat.CatBoostError, ValueError) as error:
            raise self.unreadable(".cbm or .json", error) from None
        names = tuple(model.feature_names_)
        if not names:
            raise self.unreadable(".cbm or .json", "it has no inputs")
        categories = model.get_cat_feature_indices()
        self._refuse_texts(model, names, categories, card)
        link, notes = self.meaning(card, *_objective(model))

        def raw(block: NDArray) -> Any:
            rows = pool(cat, block, categories)
            return model.predict(rows, prediction_type="RawFormulaVal", thread_count=1)

        one = np.asarray(raw(np.zeros((1, len(names)), np.float32)))
        return Predictor(
            f"catboost ({model.tree_count_} rounds)",
            content,
            (len(names),),
            one.size,
            raw,
            link,
            dtype="float32",
            block_rows=BLOCK_ROWS,
            columns=() if all(name == str(i) for i, name in enumerate(names)) else names,
            notes=notes,
        )

    def _refuse_texts(
        self, model: Any, names: tuple[str, ...], categories: list[int], card: Card | None
    ) -> None:
        """Raise `DataError` for a model of texts, which are not among the inputs of lossfw."""
        texts = [*model.get_text_feature_indices(), *model.get_embedding_feature_indices()]
        if card is None:
            texts += categories
        if texts:
            told = ", ".join(names[i] for i in sorted(texts))
            raise DataError(
                f"{self.file or 'the file'} takes texts ({told}), and keeps no list of them: "
                "lossfw evaluates such a model only if `lossfw train` has made it. Save its "
                "predictions, and evaluate these: model: {name: predictions, file: ...}."
            )


def pool(cat: Any, inputs: NDArray, categories: Any, **fields: Any) -> Any:
    """Return rows as CatBoost takes them: categories as the texts of their numbers."""
    rows: NDArray = inputs
    if len(categories):
        rows = inputs.astype(object)
        for column in categories:
            rows[:, column] = [f"{code:.0f}" for code in inputs[:, column]]
    return cat.Pool(rows, cat_features=list(categories) or None, thread_count=1, **fields)


def _model_in(content: bytes, cat: Any) -> Any:
    model = cat.CatBoost()
    if not content.startswith(_OF_JSON):
        return model.load_model(blob=content)
    # It reads JSON only from a file.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        path.write_bytes(content)
        return model.load_model(str(path), format="json")


def _objective(model: Any) -> tuple[str | None, str]:
    """Return the link that a file tells, and its objective in words."""
    try:
        objective = json.loads(model.get_metadata()["params"])["loss_function"]["type"]
    except (KeyError, TypeError, ValueError):
        return None, "it names no objective"
    if objective.startswith("PythonUserDefined"):
        return None, "its objective came from outside"
    return _LINKS.get(objective), f"its objective is {objective}"
