"""From a configuration to a plan: objects that fit each other, nothing computed."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from lossfw.config.plan.adapt import adapt_loss, load, standardised, with_options
from lossfw.config.plan.compatibility import check_columns, check_divisor
from lossfw.config.plan.digest import digest, versions, without_files
from lossfw.config.plan.first_rows import try_first_rows
from lossfw.config.plan.report_options import (
    read_report_options,
    read_slices,
    report_digest,
    row_columns,
)
from lossfw.config.plan.unused_keys import unused_keys
from lossfw.config.schema.check_config import build_components
from lossfw.config.schema.checked import CheckedConfig, known, read_config
from lossfw.config.schema.messages import indices_in
from lossfw.config.schema.output_origin import OutputOrigin
from lossfw.config.schema.section_types import SCHEMA_VERSION
from lossfw.config.text.reading import find_file
from lossfw.config.text.source import ConfigSource
from lossfw.config.text.tree import Node
from lossfw.data import Dataset, Source
from lossfw.data.arrays import read_array
from lossfw.data.data_record import DataRecord
from lossfw.data.files import digest_arrays
from lossfw.data.literals import numbers_array
from lossfw.data.options import DataOptions
from lossfw.data.selected_rows import taken
from lossfw.data.weights import read_weights
from lossfw.errors import MissingExtraError
from lossfw.evaluation.plan import Plan
from lossfw.models.predictions import Predictions
from lossfw.nn.dense import Network
from lossfw.numerics.arrays import NDArray

# Rows that were read already, by their source: the runs of a sweep share them.
# With them the names of columns that were read beside the arrays.
Loaded: TypeAlias = MutableMapping[tuple[Source, tuple[str, ...]], Dataset]


def build(source: ConfigSource) -> Plan:
    """Return the plan that a configuration describes.

    Every part is checked against the others before anything is computed. Where
    a part is wrong, those that do not depend on it are still checked.
    """
    return build_plan(read_config(source))


def build_plan(config: CheckedConfig, loaded: Loaded | None = None) -> Plan:
    """Return the plan of a configuration, and put the rows that it reads into `loaded`."""
    build_components(config)
    refuse_sweep(config)
    _read_outputs(config, given_outputs(config))
    _load_model(config)
    read_slices(config)
    _load_data(config, {} if loaded is None else loaded)
    # Nothing is known about a model that cannot be read.
    readable = config.predictor is not None or config.outputs is not None
    if config.data is not None and readable:
        check_columns(config, config.recorded.columns, config.data, ["data"])
        if config.predictor is not None:
            divisor = config.recorded.divisor
            check_divisor(config, config.data_source, config.data_options, ["data"], divisor)
        config.data = standardised(config, config.data)
    adapt_loss(config)
    read_report_options(config)
    config.problems.raise_if_any()
    plan = _plan(config)
    try_first_rows(config, plan)
    config.problems.raise_if_any()
    config.notes += unused_keys(config)
    return replace(plan, warnings=(*plan.warnings, *config.notes))


def build_data(source: ConfigSource, *, inputs: bool = False) -> Dataset:
    """Return the rows of a configuration; saved predictions read inputs only if `inputs` says so.

    Mistakes elsewhere do no harm: a loss, for instance, of a plugin file that is not imported.
    """
    config = read_config(source)
    build_components(config)
    _load_data(config, {}, inputs=inputs)
    if config.data is None:
        config.problems.raise_if_any()
    return known(config.data)


def _plan(config: CheckedConfig) -> Plan:
    evaluate = known(config.sections).evaluate
    return Plan(
        data=known(config.data),
        loss=known(config.used_loss),
        model=config.predictor,
        outputs=config.outputs,
        outputs_form=known(config.loss_form),
        link=known(config.origin).link if config.outputs is not None else None,
        metrics=tuple(map(known, config.metrics)),
        batch_size=evaluate.batch_size,
        sample=config.sample,
        rows=evaluate.rows,
        allow_nan=evaluate.allow_nan,
        intervals=config.intervals,
        slices=config.slices,
        columns=row_columns(config),
        digest=_digest(config),
        warnings=known(config.data).notes,
    )


def refuse_sweep(config: CheckedConfig) -> None:
    """Record a sweep where a single run is wanted."""
    if config.has("sweep"):
        config.add(
            ["sweep"],
            "a sweep describes several runs, and one is wanted here",
            "lossfw run makes them one by one, in Python lossfw.run_all or lossfw.train_all; for a "
            "single one leave sweep out: -o sweep-",
            key=True,
        )


def _load_data(config: CheckedConfig, loaded: Loaded, *, inputs: bool = False) -> None:
    source = config.data_source
    if source is None:
        return
    options, kept = config.data_options, tuple(sorted(row_columns(config)))
    columns = tuple(sorted({*kept, *options.extra_columns}))
    if config.origin is not None and config.origin.units is None and not inputs:
        source = source.without_inputs()
    if (source, columns) not in loaded:
        data = load(config, source, ["data"], options, kept)
        if data is None and columns and options.group_key is None:
            # Without the columns that slices name: one is not there, which has been reported.
            data = load(config, source, ["data"], DataOptions())
        if data is None:
            return
        loaded[source, columns] = data
    whole = loaded[source, columns]
    config.data = with_options(config, whole, options, ["data"], kept)
    if config.data is not None and config.selected is not None:
        _match_selected(config, config.data, whole)


def _match_selected(config: CheckedConfig, data: Dataset, whole: Dataset) -> None:
    """Take the saved outputs of the rows that are left, and see that classes keep their numbers."""
    if config.outputs is not None and config.outputs.shape[:1] == (len(whole),):
        config.outputs = taken(config.outputs, known(config.selected))
    lost = [label for label in whole.classes if label not in data.classes]
    by_label = config.recorded.classes or isinstance(config.data_options.classes, tuple)
    if lost and not by_label and config.data_options.map_targets is None:
        config.add(
            ["data", "rows"],
            f"no row that is left has the label {', '.join(lost)}, and classes are numbered by "
            "the labels of the rows",
            f"list all labels: data.classes: [{', '.join(whole.classes)}]",
        )


def given_outputs(config: CheckedConfig) -> Path | NDArray | None:
    """Return the file of weights or of saved outputs, or outputs that are written inline.

    The file's absolute name is put into `files`, unless it comes with a plugin.
    """
    for key in ("weights", "predictions", "logits"):
        node = config.root.find(["network", key])
        if node is None or not node.value:
            continue
        if isinstance(node.value, list):
            return _inline(config, key, node)
        if isinstance(node.value, str):
            return _file(config, key, node)
    return None


def _file(config: CheckedConfig, key: str, node: Node) -> Path | None:
    source = config.data_source
    # A source that is wrong itself may be the one that brings the weights.
    if key == "weights" and source is None:
        return None
    bundled = source.bundled if key == "weights" and source is not None else None
    path = find_file(node, config.problems, bundled=bundled)
    if path is not None and (bundled is None or path != bundled(node.value)):
        config.files["network", key] = str(path)
    return path


def _inline(config: CheckedConfig, key: str, node: Node) -> NDArray | None:
    try:
        return numbers_array(node.plain(), finite=False)
    except ValueError as error:
        what = f"network.{key} should be {error}"
        config.add(["network", key, *indices_in(str(error))], what)
        return None


def _read_outputs(config: CheckedConfig, given: Path | NDArray | None) -> None:
    """Read weights and check them against the layers, or read saved outputs."""
    form, section = config.network_form, config.network_section
    if given is None or form is None or section is None:
        return
    if not isinstance(given, Path):
        config.outputs = given
        return
    with config.at(["network", "weights" if form == "layers" else form]):
        if form != "layers":
            config.outputs = read_array(given, form)
        elif config.layers is not None:
            arrays = read_weights(given)
            config.recorded = DataRecord.read(given)
            config.network = Network.from_arrays(config.layers, arrays, str(given), section.dtype)
            config.predictor = config.network


def _load_model(config: CheckedConfig) -> None:
    """Load the model that has learnt, with what the card beside its file says of the data."""
    model = config.model
    if model is None:
        return
    if isinstance(model, Predictions):
        _read_predictions(config, model)
        return
    if model.file is None:
        hint = "name the file of a model that has learnt"
        if model.learns is not None:
            hint += f", which `lossfw train` writes: file: FOLDER/model{model.ending}"
        config.add(["model"], f"the model {model.name} has no file", hint)
        return
    predictor = None
    with config.at(["model", "file"]):
        try:
            predictor = model.loaded()
        except MissingExtraError as error:
            config.add(["model"], str(error).removesuffix("."))
    if predictor is None:
        return
    with config.at(["model"] if model.link is None else ["model", "link"]):
        predictor.find_link(known(config.registry))
        config.predictor = predictor
        config.origin = OutputOrigin.of_model(["model"], predictor.link, predictor.units)
    config.notes += predictor.notes
    card, config.recorded = predictor.card, DataRecord(columns=predictor.columns)
    if card is not None:
        config.recorded = card.record
        if model.link not in (None, card.link):
            config.add(
                ["model", "link"],
                f"the link of {model.file.name} is {card.link}, says the card beside it, and "
                f"model.link is {model.link}",
                "leave link out",
            )


def _read_predictions(config: CheckedConfig, model: Predictions) -> None:
    link = None
    with config.at(["model", "link"]):
        if model.link is not None:
            link = known(config.registry).create("activation", model.link)
    with config.at(["model", "file"]):
        config.outputs = model.read()
        config.origin = OutputOrigin.of_saved(["model", "file"], "prediction", link)


def described_data(config: CheckedConfig) -> list[Any]:
    """Return all that decides the rows, for a digest."""
    options = config.data_options.to_config()
    described = [without_files(known(config.data_source)), known(config.data).digest]
    # Data without such keys have the digest that they had before there were any.
    described += [options] if options else []
    recorded = config.recorded
    described += [{"recorded": recorded.classes}] if recorded.classes else []
    described += [{"categories": recorded.categories}] if recorded.categories else []
    if recorded.standardisation is not None:
        described.append(
            {"standardisation": digest_arrays(*recorded.standardisation.arrays.values())}
        )
    return described


def _described_maker(config: CheckedConfig) -> dict[str, Any]:
    """Return all that decides the outputs, for a digest."""
    model, link = config.model, known(config.origin).link
    if model is not None and isinstance(model, Predictions):
        # The short form without a link means the same, and has the same digest.
        outputs = digest_arrays(config.outputs)
        short = ["predictions", [], outputs]
        return {"network": short} if link is None else {"model": [*short, link.to_config()]}
    if model is not None:
        after, digest = None if link is None else link.to_config(), known(config.predictor).digest
        version = model.library_version if model.library else None
        parameters = {k: v for k, v in without_files(model).items() if k != "link"}
        return {"model": [parameters, digest, after, version]}
    activations = [known(activation).to_config() for activation in config.activations]
    weights = () if config.network is None else config.network.arrays
    outputs = digest_arrays(*weights, config.outputs)
    return {"network": [config.network_form, activations, outputs]}


def _digest(config: CheckedConfig) -> str:
    """Return the digest of all that decides the numbers; the batch size does not."""
    sections = known(config.sections)
    sample, seed = sections.evaluate.sample, {"seed": sections.seed}
    return digest(
        {
            "lossfw": SCHEMA_VERSION,
            "data": described_data(config),
            **_described_maker(config),
            "loss": [known(config.used_loss).to_config(), config.loss_form],
            "metrics": [known(metric).to_config() for metric in config.metrics],
            "sample": sample and seed | sample.model_dump(exclude_none=True),
            "plugins": versions(config.entries),
            **report_digest(config),
        }
    )
