"""Provenance: the content of ``run.json``, with which a run can be repeated and compared."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from lossfw.components.plugin_choice import Plugins
from lossfw.components.registry import Entry
from lossfw.evaluation.plan import Plan
from lossfw.models import Predictor
from lossfw.runs.git import git_state
from lossfw.runs.records import Run
from lossfw.version import __version__


def provenance_of(run: Run, entries: Iterable[Entry], plugins: Plugins) -> dict[str, Any]:
    """Return the provenance of a run that is known before it starts."""
    return {
        **all_versions(entries),
        "seed": run.seed,
        "config": run.config,
        "overrides": list(run.overrides),
        "options": {
            "plugins": [str(Path(file).absolute()) for file in plugins.local],
            "disable": list(plugins.disable),
            "installed": plugins.installed,
        },
        "data": {
            "name": run.plan.data.name,
            "rows": len(run.plan.data),
            "digest": run.plan.data.digest,
            **({"rows_digest": chosen} if (chosen := run.plan.data.rows_digest) else {}),
            **({"inputs": inputs} if (inputs := run.plan.data.inputs_text) else {}),
        },
        "weights": weights_digest(run.plan),
        **_model_and_version(run.plan),
        "git": git_state(Path(run.config).absolute().parent),
        "digest": run.plan.digest,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def plugins_of_run(record: Mapping[str, Any], plugins: Plugins) -> Plugins:
    """Return the installed plugins of a run, and the plugin files that may be imported now."""
    told = record.get("options") or {}
    return replace(
        plugins,
        disable=tuple(told.get("disable", ())),
        installed=bool(told.get("installed", True)),
    )


def base_versions() -> dict[str, str]:
    """Return the versions of lossfw, Python and NumPy."""
    return {
        "lossfw": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def all_versions(entries: Iterable[Entry]) -> dict[str, Any]:
    """Return the versions of lossfw, Python, NumPy, the system and the plugins.

    A local plugin file has no version; the digest of its content takes its place.
    """
    numbers = {}
    for entry in entries:
        path = entry.plugin.path
        if path is None:
            numbers[entry.distribution] = entry.version
        else:
            numbers[path.stem] = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    return {
        **base_versions(),
        "platform": platform.platform(),
        "plugins": [{"name": name, "version": numbers[name]} for name in sorted(numbers)],
    }


def _model_and_version(plan: Plan) -> dict[str, Any]:
    """Return what made the predictions, and the version of its library; a network has none."""
    model = plan.model
    if not isinstance(model, Predictor):
        return {}
    return {"model": {"is": str(model), "library": model.library}}


def weights_digest(plan: Plan) -> str | None:
    """Return the digest of what determines a model's outputs; None without a model."""
    return None if plan.model is None else plan.model.digest
