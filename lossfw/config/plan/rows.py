"""The rows of a configuration: read, filtered, and in the form that the model takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lossfw.components.naming import shortlist
from lossfw.components.spaces import SIGN
from lossfw.config.plan.report_options import place_of_column
from lossfw.config.schema import suggestions
from lossfw.config.schema.checked import CheckedConfig, DataSpec, require
from lossfw.data import ColumnError, Dataset, Source
from lossfw.data.categories import category_labels, encode_categories
from lossfw.data.files import digest_arrays
from lossfw.data.input_summary import category_warnings, describe_inputs
from lossfw.data.lazy_arrays import is_file_backed
from lossfw.data.options import DataOptions
from lossfw.data.selected_rows import Selection, SelectionError, select_filtered
from lossfw.data.standardisation import MEAN, SCALE
from lossfw.errors import DataError
from lossfw.models import Predictor
from lossfw.models.predictions import Predictions
from lossfw.numerics.arrays import NDArray


def load_rows(
    config: CheckedConfig, spec: DataSpec, columns: Sequence[str] = ()
) -> Selection | None:
    """Return the rows of a source that pass its filter, with the columns of slices and groups.

    It is None if they cannot be read.
    """
    rows, group = spec.options.row_filter, spec.options.group_key
    kept = tuple(sorted({*columns, *filter(None, [group])}))
    with config.errors_at(spec.path):
        try:
            source = spec.options.without_groups(require(spec.source))
            if rows is not None and (found := source.load_selected(rows, kept)) is not None:
                return found._replace(data=require_dataset(source, found.data))
            read = kept if rows is None else tuple(sorted({*kept, *rows.columns}))
            data = require_dataset(source, source.load_with(read) if read else source.load())
            return Selection(data, len(data)) if rows is None else select_filtered(data, rows, kept)
        except SelectionError:
            with config.errors_at([*spec.path, "where"]):
                raise
        except ColumnError as error:
            with config.errors_at(place_of_column(config, error.column, spec)):
                raise
    return None


def require_dataset(source: Source, data: object) -> Dataset:
    """Return what a source loaded, after a check that it is a data set."""
    if not isinstance(data, Dataset):
        raise DataError(
            f"load() of the source {source.name!r} returned {type(data).__name__}; expected "
            "a lossfw.data.Dataset."
        )
    if data.digest:
        return data
    # Two runs of other rows would pass for one.
    return replace(data, digest=digest_arrays(data.inputs, data.targets, data.sample_weight))


def apply_options(
    config: CheckedConfig,
    selection: Selection,
    spec: DataSpec,
    columns: Sequence[str] = (),
    *,
    train: bool = False,
) -> Dataset | None:
    """Return the rows of a source, changed by the keys next to its parameters.

    Labels are numbered as in the weights. Inputs are not standardised here; see
    `standardise_inputs`. The categories of training rows also apply to later rows.
    """
    path, options, data = spec.path, spec.options, selection.data
    unfiltered = options.row_filter is not None and selection.numbers is None
    if unfiltered or not data.columns.keys() >= {*filter(None, [options.group_key])}:
        return None  # a column that is not there has been reported
    with config.errors_at([*path, "group_key"]):
        data = options.add_groups(data, columns)
    if not config.recorded.categories and not _is_saved(config):
        _note_doubtful_categories(config, data, spec)
    text = _inputs_text(config, data, options)
    if train and not config.recorded.categories:
        # Rows that are held out have the inputs of those to learn from.
        config.recorded = replace(config.recorded, categories=category_labels(data))
    fitting = _encode_for_model(config, data, spec)
    if fitting is None:
        return None
    with config.errors_at(path):
        as_signs = config.loss is not None and config.loss.target_space is SIGN
        labels = config.recorded.classes
        options = options.with_label_order(labels, fitting, as_signs=as_signs)
        made = options.apply(fitting, config.output_columns)
        if (note := _labels_note(config, fitting, options)) is not None:
            config.notes.append(note)
        return replace(made, inputs_text=text)
    return None


def _labels_note(config: CheckedConfig, data: Dataset, options: DataOptions) -> str | None:
    """Return what a person has to know of classes where the file of a model has no labels.

    Raises
    ------
    DataError
        If the data have fewer or more labels than the model has outputs.
    """
    model = config.predictor
    if not isinstance(model, Predictor) or config.recorded.classes or config.loss is None:
        return None
    if options.classes is not None or options.map_targets is not None:
        return None  # the configuration says it
    if data.classes:
        if model.units > 1 and len(data.classes) != model.units and config.loss.takes_classes:
            raise DataError(
                f"data {data.name!r} have the {len(data.classes)} labels "
                f"{shortlist(data.classes)}, but the model has {model.units} outputs and does not "
                "say which label belongs to which output: list all labels of the training, in its "
                "order, in data.classes."
            )
        return (
            "the model does not say which output is which class: the labels of the data are "
            f"numbered in ascending order, {shortlist(data.classes)}. Compare this with the "
            "training, and list them in its order in data.classes."
        )
    targets = data.targets
    if not config.loss.takes_classes or is_file_backed(targets) or targets.size != len(targets):
        return None
    if len(targets) == 0 or targets.min() < 1 or model.units < 2:
        return None
    return (
        "the model has no labels of classes, so the targets are taken for numbers of its outputs "
        f"from 0 on, and none of them is 0. If the training had the labels 1 to {model.units}, "
        "list these in data.classes."
    )


def _is_saved(config: CheckedConfig) -> bool:
    """Tell whether outputs are saved, also where only the data are built and no file is read."""
    of_file = isinstance(config.model, Predictions)
    return of_file or (config.origin is not None and config.origin.is_saved)


def _inputs_text(config: CheckedConfig, data: Dataset, options: DataOptions) -> str:
    """Return the inputs in words, as a model gets them; empty where there is none."""
    if _is_saved(config):
        return ""
    known_labels = config.recorded.categories or category_labels(data)
    one_hot = not _takes_codes(config)
    return describe_inputs(data, known_labels, flatten=options.flatten, one_hot=one_hot)


def _takes_codes(config: CheckedConfig) -> bool:
    """Tell whether the model takes categories as they are; a network has an input for each."""
    # Also a file may have been fitted on texts, such as a pipeline that encodes them.
    of_file = isinstance(config.predictor, Predictor) and config.predictor.categories
    return bool(of_file) or (
        config.model is not None and "categories" in config.model.accepted_inputs
    )


def _note_doubtful_categories(config: CheckedConfig, data: Dataset, spec: DataSpec) -> None:
    """Note the columns of categories that seem to be something else."""
    named = getattr(spec.source, "inputs_key", None) is not None
    leave_out = "take it out of inputs_key" if named else "leave it out with exclude: [{}]"
    config.notes += category_warnings(data.categories, leave_out)


def _encode_for_model(config: CheckedConfig, data: Dataset, spec: DataSpec) -> Dataset | None:
    """Return data whose categories are inputs; None if the model does not take these inputs.

    Categories are codes for a model that takes some, and numbered like those of its training.
    """
    model, path, options = config.model, spec.path, spec.options
    if _is_saved(config) or (model is None and config.has_value("model")):
        return data  # nothing looks at the inputs, or nobody knows which ones a model takes
    takes = frozenset() if model is None else model.accepted_inputs
    who = "a network" if model is None else f"the model {model.name}"
    for key, given in (("missing", data.missing), ("unknown", options.unknown == "missing")):
        if given and "missing" not in takes and (data.categories or data.inputs is not None):
            others = suggestions.models_for_missing(require(config.registry))
            value = "keep" if key == "missing" else "missing"
            config.add(
                [*path, key] if config.has_value(*map(str, path), key) else path,
                f"{key}: {value} leaves NaN among the inputs, which {who} does not take",
                f"{others} take missing values; or leave such rows out, with missing: drop",
            )
            return None
    codes = _takes_codes(config)
    with config.errors_at(path):
        if data.categories and codes and (options.scale is not None or options.standardize):
            key = "scale" if options.scale is not None else "standardize"
            raise DataError(f"{key} changes every input, but categories are codes: leave it out.")
        if data.categories and options.scale is not None:
            raise DataError(
                "scale divides every input, but those of categories are 0 and 1: write "
                "standardize: true in place of scale."
            )
        if data.missing and options.standardize:
            raise DataError(
                "standardize takes the mean of every input, but some may be missing: leave it out, "
                "or write missing: drop."
            )
        unknown = options.unknown == "missing"
        return encode_categories(
            data, config.recorded.categories, as_codes=codes, unknown_is_missing=unknown
        )
    return None


def standardise_inputs(config: CheckedConfig, data: Dataset) -> Dataset:
    """Return rows with inputs standardised by the numbers of the training, if it did so.

    It is a mistake if only weights or only rows have such numbers.
    """
    known_numbers, wanted = config.recorded.standardisation, config.data_spec.options.standardize
    if wanted and known_numbers is None:
        config.add(
            ["data", "standardize"],
            f"standardize needs the numbers of a training, {MEAN} and {SCALE} in the "
            + (".npz of network.weights" if config.model is None else "card beside the model")
            + ", which are missing",
            "a training with standardize: true stores them there",
        )
    elif known_numbers is not None and not wanted:
        config.add(
            ["data"],
            f"{config.trained_subject} trained with standardised inputs, but these inputs are not "
            "standardised",
            "write data.standardize: true",
        )
    elif known_numbers is not None:
        with config.errors_at(["data", "standardize"]):
            return known_numbers.apply(data)
    return data


def require_inputs(data: Dataset) -> NDArray:
    """Return the inputs, and raise an error if there are none."""
    if data.inputs is None:
        raise DataError(
            f"the data {data.name!r} have no inputs, but a model needs them: give them, or "
            "give predictions in place of the model"
        )
    return data.inputs
