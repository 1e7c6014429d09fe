"""The door to bridges: their table, and the module by which a model of a library learns."""

from __future__ import annotations

import importlib
from typing import Any

from lossfw import ArgumentError

# Each imports its library on use.
BRIDGES: dict[str, str] = {
    "catboost": "lossfw.bridges.catboost:CatBoostBridge",
    "jax": "lossfw.bridges.jax:JaxBridge",
    "keras": "lossfw.bridges.keras_bridge:KerasBridge",
    "lightgbm": "lossfw.bridges.lightgbm:LightGBMBridge",
    "sklearn": "lossfw.bridges.sklearn:SklearnBridge",
    "torch": "lossfw.bridges.torch:TorchBridge",
    "xgboost": "lossfw.bridges.xgboost:XGBoostBridge",
}


def bridge_to(library: str, module: str = "") -> Any:
    """Return the module of a bridge, or another module of it; its library is imported on use."""
    if library not in BRIDGES:
        raise ArgumentError(f"there is no bridge to {library}, so lossfw cannot train its models.")
    return importlib.import_module(f"lossfw.bridges.{module or library}")
