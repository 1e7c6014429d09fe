"""Digests: the SHA-256 of everything that decides the numbers of a run or of a training."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lossfw.components.component import Component
from lossfw.components.registry import Entry
from lossfw.config.schema.checked import CheckedConfig, known
from lossfw.config.schema.section_types import SCHEMA_VERSION
from lossfw.config.schema.sections import HOLD_OUT_OF_FOLDS, TrainSection
from lossfw.data.class_labels import are_indices
from lossfw.data.files import digest_arrays
from lossfw.data.source import file_fields
from lossfw.evaluation.intervals.units import Units
from lossfw.evaluation.slices import DEFAULT_LARGEST
from lossfw.models import Model
from lossfw.models.predictions import Predictions
from lossfw.nn.dense import Network

if TYPE_CHECKING:
    # An evaluation starts without it.
    from lossfw.models.training.dense import DenseLearner


def digest(described: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a description, in hexadecimal.

    Examples
    --------
    >>> digest({"a": 1, "b": [2.0]}) == digest({"b": [2.0], "a": 1})
    True
    """
    text = json.dumps(described, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def without_files(component: Component) -> dict[str, Any]:
    """Return a component's configuration without the names of files: their content counts."""
    files = file_fields(type(component))
    return {key: value for key, value in component.to_config().items() if key not in files}


def versions(entries: Iterable[Entry]) -> dict[str, str]:
    """Return the version of each plugin whose components take part.

    An installed plugin goes by its label and version. A local file has no
    version: it goes by its stem, and by the digest of its content.
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
    """Return the digest of all that decides the numbers of a run; the batch size does not."""
    sections = known(config.sections)
    sample, seed = sections.evaluate.sample, {"seed": sections.seed}
    return digest(
        {
            "lossfw": SCHEMA_VERSION,
            "data": _data(config),
            **_outputs(config),
            "loss": [known(config.used_loss).to_config(), config.loss_form],
            "metrics": [known(metric).to_config() for metric in config.metrics],
            "sample": sample and seed | sample.model_dump(exclude_none=True),
            "plugins": versions(config.entries),
            **_report(config),
        }
    )


def _data(config: CheckedConfig) -> list[Any]:
    """Return all that decides the rows."""
    options = config.data_spec.options.to_config()
    described = [without_files(known(config.data_spec.source)), known(config.data).digest]
    # Data without such keys have the digest that they had before there were any.
    described += [options] if options else []
    recorded = config.recorded
    # Labels that are the numbers of outputs change nothing.
    if recorded.classes and not are_indices(recorded.classes):
        described.append({"recorded": recorded.classes})
    described += [{"categories": recorded.categories}] if recorded.categories else []
    if recorded.standardisation is not None:
        described.append(
            {"standardisation": digest_arrays(*recorded.standardisation.arrays.values())}
        )
    return described


def _outputs(config: CheckedConfig) -> dict[str, Any]:
    """Return all that decides the outputs."""
    model, predictor, link = config.model, config.predictor, known(config.origin).link
    if isinstance(model, Predictions):
        # The short form without a link means the same, and has the same digest.
        short = ["predictions", [], digest_arrays(config.outputs)]
        return {"network": short} if link is None else {"model": [*short, link.to_config()]}
    if model is not None:
        after = None if link is None else link.to_config()
        version = model.library_version if model.library else None
        parameters = {k: v for k, v in without_files(model).items() if k != "link"}
        return {"model": [parameters, known(predictor).digest, after, version]}
    activations = [known(activation).to_config() for activation in config.activations]
    weights = predictor.arrays if isinstance(predictor, Network) else ()
    outputs = digest_arrays(*weights, config.outputs)
    return {"network": [known(config.network_section).form, activations, outputs]}


def _report(config: CheckedConfig) -> dict[str, Any]:
    """Return the options of reports that change results."""
    options: dict[str, Any] = {}
    if config.intervals is not None:
        options["intervals"] = config.intervals.to_dict()
        if config.units == Units():
            # What rows are by themselves: such runs have the digest of before there were units.
            del options["intervals"]["units"]
    if (base := config.baseline) is not None:
        values = [] if base.outputs is None else [digest_arrays(base.outputs)]
        options["baseline"] = [base.label, *values]
    if config.slices:
        options["slices"] = [
            [one.name, one.by, list(one.bins)]
            + ([] if one.largest == DEFAULT_LARGEST else [one.largest])
            for one in config.slices
        ]
    return options


def training_identity(
    config: CheckedConfig, section: TrainSection, learner: Model | DenseLearner
) -> dict[str, str]:
    """Return the digest of each part that decides the result, by its place in the file.

    The number of rounds or epochs is one only where the schedule depends on it: else a
    training may be resumed with more of them. A key that came later is left out where it is
    not given, so that the identity of an older training stays.
    """
    described: dict[str, Any] = {
        "lossfw": SCHEMA_VERSION,
        "seed": known(config.sections).seed,
        "plugins": versions(config.entries),
        "data": _data(config),
        **_learner(config, section, learner),
        "loss": [known(config.used_loss).to_config(), config.loss_form],
        "evaluate.metrics": [known(metric).to_config() for metric in config.metrics],
        "train.hold_out": _hold_out(config, section),
    }
    if section.measure is not None and section.measure > 1:
        described["train.measure"] = section.measure
    return {key: digest({"": value}) for key, value in described.items()}


def _learner(
    config: CheckedConfig, section: TrainSection, learner: Model | DenseLearner
) -> dict[str, Any]:
    """Return what learns, and how."""
    schedule = known(config.schedule)
    described: dict[str, Any]
    if isinstance(learner, Model):
        described = {"model": learner.identity(), "library": learner.library_version}
    else:
        activations = [known(activation).to_config() for activation in config.activations]
        described = {
            "network": [activations, digest_arrays(*learner.network.arrays)],
            "train.optimizer": learner.optimizer.to_config(),
        }
    if learner.learns == "epochs":
        described["train.schedule"] = schedule.to_config()
        described["train.batch_size"] = section.batch_size
    if schedule.needs_end:
        described["train.epochs"] = section.epochs
    return described


def _hold_out(config: CheckedConfig, section: TrainSection) -> dict[str, Any] | None:
    """Return the rows that are held out."""
    if section.hold_out is None or config.held_out is None:
        return None
    spec = config.held_out_spec
    described = section.hold_out.model_dump(include={"share", "patience"})
    # Trainings without these keys have the identity that they had before there were any.
    described |= section.hold_out.model_dump(include=set(HOLD_OUT_OF_FOLDS), exclude_none=True)
    described |= {
        "data": spec.source and without_files(spec.source),
        "digest": config.held_out.digest,
    }
    if options := spec.options.to_config():
        described["options"] = options
    return described
