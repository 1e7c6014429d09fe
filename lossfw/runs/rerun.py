"""Run the configuration in a run folder again, and compare the results."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lossfw.components.plugin_choice import Plugins
from lossfw.config.schema.checked import read_config
from lossfw.config.text.source import ConfigSource
from lossfw.errors import DataError
from lossfw.evaluation.evaluate import Progress
from lossfw.runs.execute import carry_out
from lossfw.runs.files import RESULT_FILE, read_json, to_json
from lossfw.runs.folder import CONFIG_FILE, RECORD_FILE, RunFolder
from lossfw.runs.provenance import all_versions, plugins_of_run, weights_digest
from lossfw.runs.records import RunRequest, Warn

# Versions that are compared; the system's is shown where numbers differ.
_VERSIONS = ("lossfw", "python", "numpy")
_PLATFORM = "platform"


class RerunDifference(NamedTuple):
    """A number, version or digest that differs; a value is None where there is none."""

    kind: str
    what: str
    then: Any
    now: Any


def rerun(
    path: Path,
    *,
    progress: Progress | None = None,
    warn: Warn,
    plugins: Plugins = Plugins(),  # noqa: B008  # frozen
) -> list[RerunDifference]:
    """Run the configuration in a run folder again, and return the differences; write nothing."""
    folder = RunFolder(path)
    record, then = _read_done_run(folder)
    source = ConfigSource(str(path / CONFIG_FILE), plugins=plugins_of_run(record, plugins))
    request = RunRequest(read_config(source), name=path.name)
    outcome = carry_out(request, progress=progress, warn=warn)
    now = json.loads(to_json(outcome.result.to_dict()))
    plan = outcome.run.plan
    digests = {"data": plan.data.digest, "weights": weights_digest(plan), "run": plan.digest}
    was = {
        "data": record.get("data", {}).get("digest"),
        "weights": record.get("weights"),
        "run": record.get("digest"),
    }
    numbers = list(_differences("number", _flat_numbers(then), _flat_numbers(now)))
    present = all_versions(outcome.entries)
    keys = (*_VERSIONS, *((_PLATFORM,) if numbers else ()))
    return [
        *numbers,
        *_differences("version", _version_facts(record, keys), _version_facts(present, keys)),
        *_differences("digest", was, digests),
    ]


def _read_done_run(folder: RunFolder) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return record and numbers of a run that is done."""
    if not folder.path.is_dir():
        raise DataError(f"{folder.path} is not a folder; expected that of a run.")
    record, numbers = folder.record(), read_json(folder.path / RESULT_FILE)
    missing = [
        name
        for name in (RECORD_FILE, RESULT_FILE, CONFIG_FILE)
        if not (folder.path / name).is_file()
    ]
    if record is None or numbers is None or missing:
        raise DataError(
            f"{folder.path} is not a run folder: it has no {' and no '.join(missing)}. "
            "`lossfw run CONFIG --out DIR` writes one."
        )
    if folder.status != "done":
        raise DataError(
            f"{folder.path} holds a run that is not done (its status: {folder.status}): continue "
            "it by `lossfw run CONFIG --out DIR --resume`."
        )
    return record, numbers


def _version_facts(facts: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    own = {key: facts.get(key) for key in keys}
    plugins = {f"plugin {p['name']}": p["version"] for p in facts.get("plugins", ())}
    return own | plugins


def _flat_numbers(value: Any, name: str = "") -> dict[str, Any]:
    """Return every number and text of a result by its name."""
    if isinstance(value, Mapping):
        inner = {f"{name}.{key}" if name else str(key): item for key, item in value.items()}
    elif isinstance(value, list):
        inner = {f"{name}[{index}]": item for index, item in enumerate(value)}
    else:
        return {name: value}
    flat: dict[str, Any] = {}
    for key, item in inner.items():
        flat |= _flat_numbers(item, key)
    return flat


def _differences(
    kind: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[RerunDifference]:
    for key in dict.fromkeys((*before, *after)):
        # The digest of a run is compared once, among the digests.
        if before.get(key) != after.get(key) and not (kind == "number" and key == "digest"):
            yield RerunDifference(kind, key, before.get(key), after.get(key))
