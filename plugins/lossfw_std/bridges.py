"""The table of bridges, and the module by which a library's model is trained."""

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
    """Return the module of a bridge, or another of its modules; its library is imported on use."""
    if library not in BRIDGES:
        raise ArgumentError(f"there is no bridge to {library}, so lossfw cannot train its models.")
    return importlib.import_module(f"lossfw.bridges.{module or library}")
