"""Digests: the SHA-256 of everything that determines the results of a run or a training."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lossfw.components.component import Component
from lossfw.components.registry import Entry
from lossfw.config.schema.checked import CheckedConfig, require
from lossfw.config.schema.section_types import SCHEMA_VERSION
from lossfw.config.schema.sections import TrainSection
from lossfw.data.class_labels import are_indices
from lossfw.data.files import digest_arrays
from lossfw.data.source import file_fields
from lossfw.models import Model
from lossfw.models.predictions import Predictions
from lossfw.nn.dense import Network

if TYPE_CHECKING:
    # An evaluation starts without it.
    from lossfw.models.training.dense import DenseLearner


def digest_of(description: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a description, in hexadecimal.

    Examples
    --------
    >>> digest_of({"a": 1, "b": [2.0]}) == digest_of({"b": [2.0], "a": 1})
    True
    """
    text = json.dumps(description, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def without_files(component: Component) -> dict[str, Any]:
    """Return a component's configuration without file names, because only their content counts."""
    files = file_fields(type(component))
    return {key: value for key, value in component.to_config().items() if key not in files}


def plugin_versions(entries: Iterable[Entry]) -> dict[str, str]:
    """Return the version of each plugin whose components take part.

    An installed plugin has its label and version. A local file has its stem, and the digest of its
    content instead of a version.
    """
    found = {}
    for entry in entries:
        path = entry.plugin.path
        if path is None:
            found[entry.label] = entry.version
        else:
            found[path.stem] = hashlib.sha256(path.read_bytes()).hexdigest()
    return dict(sorted(found.items()))


def plan_digest(config: CheckedConfig) -> str:
    """Return the digest of what determines the results of a run (not the batch size)."""
    sections = require(config.sections)
    sample, seed = sections.evaluate.sample, {"seed": sections.seed}
    return digest_of(
        {
            "lossfw": SCHEMA_VERSION,
            "data": _data_description(config),
            **_outputs_description(config),
            "loss": [require(config.used_loss).to_config(), config.loss_form],
            "metrics": [require(metric).to_config() for metric in config.metrics],
            "sample": sample and seed | sample.model_dump(exclude_none=True),
            "plugins": plugin_versions(config.entries),
            **_report_description(config),
        }
    )


def _data_description(config: CheckedConfig) -> dict[str, Any]:
    """Return all that decides the rows."""
    recorded, spec = config.recorded, config.data_spec
    scale = recorded.standardisation
    return {
        "source": without_files(require(spec.source)),
        "digest": require(config.data).digest,
        "options": spec.options.to_config(),
        # Labels that are the numbers of outputs change nothing.
        "classes": [] if are_indices(recorded.classes) else recorded.classes,
        "categories": recorded.categories,
        "standardisation": scale and digest_arrays(*scale.arrays.values()),
    }


def _outputs_description(config: CheckedConfig) -> dict[str, Any]:
    """Return all that decides the outputs."""
    model, predictor, output_activation = (
        config.model,
        config.predictor,
        require(config.origin).output_activation,
    )
    after = output_activation and output_activation.to_config()
    if isinstance(model, Predictions):
        # Without an output activation it means the same as the short form, and has the same digest.
        saved = ["predictions", [], digest_arrays(config.outputs)]
        return {"network": [*saved, after] if after else saved}
    if model is not None:
        version = model.library_version if model.library else None
        parameters = {k: v for k, v in without_files(model).items() if k != "output_activation"}
        return {"model": [parameters, require(predictor).digest, after, version]}
    activations = [require(activation).to_config() for activation in config.activations]
    weights = predictor.arrays if isinstance(predictor, Network) else ()
    outputs = digest_arrays(*weights, config.outputs)
    return {"network": [require(config.network_section).form, activations, outputs]}


def _report_description(config: CheckedConfig) -> dict[str, Any]:
    """Return the options of reports that change results."""
    intervals, base = config.intervals, config.baseline
    return {
        "intervals": intervals
        and intervals.to_dict() | {"units": config.units and config.units.to_plain()},
        "baseline": base and [base.label, base.outputs is None or digest_arrays(base.outputs)],
        "slices": [[one.name, one.by, one.bins, one.largest] for one in config.slices],
    }


def training_identity(
    config: CheckedConfig, section: TrainSection, learner: Model | DenseLearner
) -> dict[str, str]:
    """Return the digest of each part that determines the result, by its place in the file.

    The number of rounds or epochs is included only if the schedule depends on it; otherwise a
    training may be resumed with more of them.
    """
    described = {
        "lossfw": SCHEMA_VERSION,
        "seed": require(config.sections).seed,
        "plugins": plugin_versions(config.entries),
        "data": _data_description(config),
        **_learner_description(config, section, learner),
        "loss": [require(config.used_loss).to_config(), config.loss_form],
        "evaluate.metrics": [require(metric).to_config() for metric in config.metrics],
        "train.hold_out": _held_out_description(config, section),
        "train.measure_every": section.measure_every or 1,
    }
    return {key: digest_of({"": value}) for key, value in described.items()}


def _learner_description(
    config: CheckedConfig, section: TrainSection, learner: Model | DenseLearner
) -> dict[str, Any]:
    """Return what learns, and how."""
    schedule = require(config.schedule)
    described: dict[str, Any]
    if isinstance(learner, Model):
        described = {"model": learner.identity(), "library": learner.library_version}
    else:
        activations = [require(activation).to_config() for activation in config.activations]
        described = {
            "network": [activations, digest_arrays(*learner.network.arrays)],
            "train.optimizer": learner.optimizer.to_config(),
        }
    if learner.training_mode == "epochs":
        described["train.schedule"] = schedule.to_config()
        described["train.batch_size"] = section.batch_size
    if schedule.needs_end:
        described["train.epochs"] = section.epochs
    return described


def _held_out_description(config: CheckedConfig, section: TrainSection) -> dict[str, Any] | None:
    """Return the rows that are held out."""
    if section.hold_out is None or config.held_out is None:
        return None
    spec = config.held_out_spec
    return section.hold_out.model_dump(exclude={"data", "repeats"}) | {
        "data": spec.source and without_files(spec.source),
        "digest": config.held_out.digest,
        "options": spec.options.to_config(),
    }
