"""XGBoost, LightGBM and CatBoost behind one interface: trainings, estimators, saved models."""

from pathlib import Path
from typing import Any, ClassVar

import catboost as cat
import lightgbm as lgb
import numpy as np
import xgboost as xgb

from lossfw.bridges import catboost, lightgbm, xgboost

ROUNDS = 5


def are_labels(y: Any) -> bool:
    """Tell whether targets are the labels of two or three classes."""
    return bool(y.dtype.kind in "iu" and y.max() < 3)


class Library:
    """A library with small trees, on one thread."""

    bridge: Any
    name: str
    objective = "objective"  # the parameter with the objective
    continued = "init_model"  # the argument of a training with a model to continue
    # What `source` makes of a model to continue.
    sources: tuple[str, ...] = ("memory", "estimator", "file")
    params: ClassVar[dict[str, Any]]  # of a training
    common: ClassVar[dict[str, Any]]  # of an estimator
    regressor: Any
    classifier: Any

    def __init__(self, groups: Any = None) -> None:
        self.groups = groups

    def with_groups(self, groups: Any) -> Any:
        """Return the library with data sets of groups of these sizes, and weights for each."""
        return type(self)(groups)

    def train(
        self, loss: Any, x: Any, y: Any, w: Any = None, rounds: int = ROUNDS,
        params: Any = (), model: Any = None, **kwargs: Any
    ) -> Any:  # fmt: skip
        """Return a model that the bridge has trained, or continued."""
        params = {**self.params, **dict(params)}
        kwargs[self.continued] = model
        if np.ndim(y) == 2:
            kwargs["target"] = y
        return self.bridge.train(loss, params, self.data(x, y, w), rounds, **kwargs)

    def estimator_params(self, loss: Any, y: Any, w: Any = None, **kwargs: Any) -> Any:
        """Return the parameters of an estimator for a loss."""
        face = "classifier" if are_labels(y) else "regressor"
        return self.bridge.estimator_params(loss, y, w, estimator=face, **kwargs)

    def estimator(self, y: Any, parameters: Any) -> Any:
        """Return an estimator for targets."""
        kind = self.classifier if are_labels(y) else self.regressor
        return kind(**{**self.common, **parameters})

    def estimator_of(self, loss: Any, y: Any, w: Any = None, **parameters: Any) -> Any:
        """Return an estimator with a loss."""
        return self.estimator(y, {**self.estimator_params(loss, y, w), **parameters})

    def booster(self, model: Any) -> Any:
        """Return the model inside an estimator."""
        return model

    def source(self, model: Any, how: str, folder: Path) -> Any:
        """Return what a model is continued from."""
        path = str(folder / f"{id(model)}.ubj")
        if how == "file":
            self.booster(model).save_model(path)
        return {"file": path, "estimator": model}.get(how, self.booster(model))


class XGBoost(Library):
    name, bridge = "xgboost", xgboost
    continued = "xgb_model"
    sources = ("memory", "estimator", "file", "bytes")
    params: ClassVar = {"max_depth": 3, "nthread": 1}
    common: ClassVar = {"n_estimators": ROUNDS, "max_depth": 3, "n_jobs": 1}
    regressor, classifier = xgb.XGBRegressor, xgb.XGBClassifier

    def data(self, x, y=None, w=None):
        if np.ndim(y) == 2:  # limits of times, for ours by the number of the row
            bounds = {"label_lower_bound": y[:, 0], "label_upper_bound": y[:, 1]}
            return xgb.DMatrix(x, np.arange(len(y)), weight=w, **bounds)
        if self.groups is None:
            return xgb.DMatrix(x, y, weight=w)
        data = xgb.DMatrix(x, y)
        data.set_group(self.groups)
        if w is not None:
            data.set_weight(w)
        return data

    def train_own(self, own, x, y, w=None, rounds=ROUNDS, model=None):
        model = self.booster(model)
        return xgb.train({**self.params, **own}, self.data(x, y, w), rounds, xgb_model=model)

    def estimator_params(self, loss, y, w=None, curvature="auto", **kwargs):
        own = super().estimator_params(loss, y, w, **kwargs)
        return {"objective": xgboost.objective(loss, curvature=curvature), **own}

    def raw(self, model, x, rounds=None):
        data, first = xgb.DMatrix(x), (0, rounds or 0)
        booster = self.booster(model)
        return booster.predict(data, output_margin=True, iteration_range=first).astype(float)

    def booster(self, model):
        return model.get_booster() if isinstance(model, xgb.XGBModel) else model

    def source(self, model, how, folder):
        if how == "bytes":
            return self.booster(model).save_raw()
        return super().source(model, how, folder)


class LightGBM(Library):
    name, bridge = "lightgbm", lightgbm
    params: ClassVar = {"verbosity": -1, "num_threads": 1, "num_leaves": 8}
    common: ClassVar = {"n_estimators": ROUNDS, "num_leaves": 8, "verbosity": -1, "n_jobs": 1}
    regressor, classifier = lgb.LGBMRegressor, lgb.LGBMClassifier

    def data(self, x, y=None, w=None):
        return lgb.Dataset(x, y, weight=w, group=self.groups)

    def train_own(self, own, x, y, w=None, rounds=ROUNDS, model=None):
        model = self.booster(model)
        return lgb.train({**self.params, **own}, self.data(x, y, w), rounds, init_model=model)

    def raw(self, model, x, rounds=None):
        return model.predict(x, raw_score=True, num_iteration=rounds)

    def booster(self, model):
        return model.booster_ if isinstance(model, lgb.LGBMModel) else model


class CatBoost(Library):
    name, bridge = "catboost", catboost
    objective = "loss_function"
    sources = ("memory", "file")
    common: ClassVar = {
        "iterations": ROUNDS, "depth": 3, "learning_rate": 0.1,
        "thread_count": 1, "verbose": False, "allow_writing_files": False
    }  # fmt: skip
    params: ClassVar = common
    regressor, classifier = cat.CatBoostRegressor, cat.CatBoostClassifier

    def data(self, x, y=None, w=None):
        return cat.Pool(x, y, weight=w)

    def train(self, loss, x, y, w=None, rounds=ROUNDS, params=(), model=None, **kwargs):
        params = {**self.params, "iterations": rounds, **dict(params)}
        return catboost.train(loss, params, self.data(x, y, w), init_model=model, **kwargs)

    def train_own(self, own, x, y, w=None, rounds=ROUNDS, model=None):
        params = {**self.params, "iterations": rounds, **own}
        return cat.CatBoost(params).fit(self.data(x, y, w), init_model=model)

    def raw(self, model, x, rounds=None):
        return model.predict(x, prediction_type="RawFormulaVal", ntree_end=rounds or 0)


LIBRARIES: dict[str, Any] = {one.name: one for one in (XGBoost(), LightGBM(), CatBoost())}
