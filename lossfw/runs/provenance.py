"""Provenance: the content of ``run.json``, with which a run can be repeated and compared."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
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
from lossfw.runs.records import Run
from lossfw.version import __version__

# git answers at once, except on a dead network drive: wait so many seconds at most.
_GIT_SECONDS = 10


def provenance_of(run: Run, entries: Iterable[Entry], plugins: Plugins) -> dict[str, Any]:
    """Return the provenance of a run that is known before it begins."""
    return {
        **versions(entries),
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
        },
        "weights": weights_digest(run.plan),
        **_model_of(run.plan),
        "git": git_state(Path(run.config).absolute().parent),
        "digest": run.plan.digest,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def chosen_of(record: Mapping[str, Any], given: Plugins) -> Plugins:
    """Return the installed plugins of a run, and the plugin files that may be imported now."""
    told = record.get("options") or {}
    return replace(
        given,
        disable=tuple(told.get("disable", ())),
        installed=bool(told.get("installed", True)),
    )


def versions(entries: Iterable[Entry]) -> dict[str, Any]:
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
        "lossfw": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
        "plugins": [{"name": name, "version": numbers[name]} for name in sorted(numbers)],
    }


def _model_of(plan: Plan) -> dict[str, Any]:
    """Return what made the predictions, and the version of its library; a network has none."""
    model = plan.model
    if not isinstance(model, Predictor):
        return {}
    return {"model": {"is": str(model), "library": model.library}}


def weights_digest(plan: Plan) -> str | None:
    """Return the digest of what decides a model's outputs, None without a model."""
    return None if plan.model is None else plan.model.digest


def git_state(folder: Path) -> Mapping[str, Any] | None:
    """Return commit and cleanness of the git checkout of a folder, if it is in one.

    Files that git does not know make a checkout no less clean.
    """
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return None
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit.strip(), "dirty": changes is None or bool(changes.strip())}


def _git(folder: Path, *command: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603  # the words are ours
            ["git", *command],  # noqa: S607  # whichever git the user has
            cwd=folder,
            # Read only: git must neither wait for the index nor write it.
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
