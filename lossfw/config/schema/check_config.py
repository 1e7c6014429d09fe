"""Check the sections and keys of a configuration, then each component; report mistakes together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from lossfw.components.naming import nearest_name
from lossfw.config.schema.check_components import ComponentMaker
from lossfw.config.schema.check_training import check_hold_out, check_learning
from lossfw.config.schema.checked import CheckedConfig, ConfigPath
from lossfw.config.schema.code_files import check_model_files, registry_with_plugins
from lossfw.config.schema.messages import add_problem, to_one_line
from lossfw.config.schema.output_origin import OutputOrigin
from lossfw.config.schema.section_types import SCHEMA_VERSION, slice_mapping
from lossfw.config.schema.sections import SECTIONS, NetworkSection, RootSection, SliceSection
from lossfw.config.schema.stand_ins import expand_stand_ins
from lossfw.config.text.tree import Node, format_path
from lossfw.losses.base import Form
from lossfw.losses.loss import Loss
from lossfw.metrics import LossMetric
from lossfw.nn.initializers import INITIALIZERS
from lossfw.nn.schedules import SCHEDULES

# By a key of other programs, where its meaning stands here.
_ELSEWHERE: Mapping[str, str] = {
    "learning_rate": "train.optimizer.learning_rate",
    "lr": "train.optimizer.learning_rate",
    "momentum": "train.optimizer.momentum",
    "early_stopping": "train.hold_out.patience",
    "validation_split": "train.hold_out.fraction",
}
_OUTPUTS = ("layers", "predictions", "raw_outputs")


def build_components(config: CheckedConfig, *, training: bool = False) -> None:
    """Check the sections and make every component, to train or to evaluate."""
    config.root = expand_stand_ins(config.root, config.problems)
    check_sections(config, training=training)
    config.registry, whole = registry_with_plugins(config)
    maker = ComponentMaker(config, config.registry, whole)
    config.data_spec = maker.data_spec(config.data_spec.path)
    config.loss = maker.make(["loss"], "loss")
    model = maker.make(["model"], "model")
    config.model = model if model is None or check_model_files(config, model) else None
    config.activations = maker.make_each(["network", "layers"], "activation", below=["activation"])
    config.origin = _network_origin(config)
    metrics = maker.make_each(["evaluate", "metrics"], "metric", or_else="loss")
    config.metrics = tuple(LossMetric(of=m) if isinstance(m, Loss) else m for m in metrics)
    if config.loss is not None:
        loss = config.loss
        config.model = config.model and config.model.for_loss(loss)
        config.metrics = tuple(m and m.for_loss(loss) for m in config.metrics)
    _refuse_duplicate_metrics(config)
    config.optimizer = maker.make(["train", "optimizer"], "optimizer")
    config.held_out_spec = maker.data_spec(config.held_out_spec.path)
    config.study_activations = maker.make_each(["sensitivity", "activations"], "activation")
    config.schedule = maker.make_from_table(["train", "schedule"], "schedule", SCHEDULES)
    config.initializer = maker.make_from_table(
        ["train", "initializer"], "initializer", INITIALIZERS
    )
    check_learning(config, training=training)


def _network_origin(config: CheckedConfig) -> OutputOrigin | None:
    """Return where the outputs of a network come from; a model tells it when it is loaded."""
    section = config.network_section
    if section is None:
        return None
    if section.layers is None:
        form: Form = "prediction" if section.form == "predictions" else "logits"
        return OutputOrigin.from_saved(["network", section.form], form)
    last = config.activations[-1] if config.activations else None
    number = len(section.layers) - 1
    return OutputOrigin.from_layers(["network", "layers", number], section.layers[-1].units, last)


def _refuse_duplicate_metrics(config: CheckedConfig) -> None:
    """Record a metric that stands there twice, and would be reported once."""
    for index, metric in enumerate(config.metrics):
        first = config.metrics.index(metric)
        if metric is not None and first < index:
            path: ConfigPath = ["evaluate", "metrics", index]
            config.add(
                path,
                f"this metric is the same as evaluate.metrics.{first}",
                "leave one of them out",
            )


def check_sections(config: CheckedConfig, *, training: bool = False) -> None:
    """Check sections and keys; fill `sections`, or only `network_section` if others are wrong.

    A training needs a section `train`, and its layers need no weights.
    """
    if not isinstance(config.root.value, dict):
        config.add([], "a configuration is a mapping", "it begins with 'lossfw: 1'")
        return
    network = _check_one_model(config) and _check_network(config, training)
    sound = check_hold_out(config) and network
    if training and not config.has_value("train"):
        hint = "write train: {rounds: 100}; a model that trains in epochs has epochs"
        if config.has_value("network"):
            hint = "write train: {epochs: 10, optimizer: sgd}"
        config.add([], "the section train is missing", hint)
        sound = False
    try:
        sections = RootSection.model_validate(config.root.to_plain())
    except ValidationError as error:
        for item in error.errors(include_url=False):
            add_problem(config.problems, config.root, item, hint=_section_hint(item))
        config.network_section = _read_network_section(config.root) if network else None
        return
    config.sections = sections if sound else None
    config.network_section = sections.network if network else None


def _read_network_section(root: Node) -> NetworkSection | None:
    """Return the section `network`, None if something in it is wrong; another section is."""
    node = root.find(["network"])
    try:
        return None if node is None else NetworkSection.model_validate(node.to_plain())
    except ValidationError:
        return None


def slice_section(node: Node) -> SliceSection | None:
    """Return one item of `evaluate.slices`; None if something in it is wrong."""
    try:
        return SliceSection.model_validate(slice_mapping(node.to_plain()))
    except (ValidationError, PydanticCustomError):
        return None


def _section_hint(item: Mapping[str, Any]) -> str:
    """Return a hint for an unknown or a missing key, or for a value that has to be enclosed."""
    path = [step for step in item["loc"] if isinstance(step, str)]
    if item["type"] == "model_type":
        return _section_key_hint(item["input"], tuple(path))
    if item["type"] == "missing" and path == ["lossfw"]:
        return f"write 'lossfw: {SCHEMA_VERSION}', the version of the configuration's keys"
    if item["type"] == "missing" and path[-1] == "name":
        return _name_hint(item["input"])
    if item["type"] != "extra_forbidden":
        return ""
    *inside, key = path
    return _unknown_key_hint(key, tuple(inside))


def _name_hint(value: Any) -> str:
    """Return how a component is written that stands as {NAME: {PARAMETER: VALUE}}."""
    if not isinstance(value, dict) or len(value) != 1:
        return ""
    ((name, parameters),) = value.items()
    if not isinstance(parameters, dict | None):
        return ""
    return f"write {to_one_line({'name': name, **(parameters or {})})}"


def _section_key_hint(value: Any, path: tuple[str, ...]) -> str:
    """Return the key of a section that takes a value which stands in place of the section."""
    fields = SECTIONS[path].model_fields
    for key, field in fields.items():
        if value in get_args(field.annotation):
            return f"write {to_one_line({key: value})}"
    return f"its keys are {', '.join(fields)}"


def _unknown_key_hint(key: str, section_path: tuple[str, ...]) -> str:
    if key in _ELSEWHERE:
        return f"did you mean {_ELSEWHERE[key]}?"
    known = SECTIONS[section_path].model_fields
    match = nearest_name(key, known)
    if match:
        return f"did you mean {match!r}?"
    elsewhere = [path for path, section in SECTIONS.items() if key in section.model_fields]
    if elsewhere:
        return f"did you mean {format_path([*elsewhere[0], key])}?"
    return f"the keys here are {', '.join(known)}"


def _check_one_model(config: CheckedConfig) -> bool:
    """See that either a model or a network makes the predictions."""
    given = [key for key in ("network", "model") if config.has_value(key)]
    if len(given) > 1:
        what = "give network or model, not both"
        config.add(["network"], what, "leave one of them out", key=True)
    elif not given:
        hint = "name a model, as model: {name: onnx, file: net.onnx}, or give a network"
        config.add([], "the configuration has neither a model nor a network", hint)
    return len(given) == 1


def _check_network(config: CheckedConfig, training: bool) -> bool:
    """See that a network is layers with weights, or predictions, or raw outputs."""
    network = config.root.find(["network"])
    if network is None or not isinstance(network.value, dict):
        return True  # pydantic says so
    there = {key for key, node in network.value.items() if node.value is not None}
    given = [key for key in _OUTPUTS if key in there]
    if len(given) != 1:
        got = f"got {' and '.join(given)}" if given else "none of them is given"
        what = f"network should have one of {', '.join(_OUTPUTS)}; {got}"
        config.add(["network"], what, key=True)
        return False
    if training and given != ["layers"]:
        what = f"network has {given[0]}, so there are no weights to train"
        config.add(["network", given[0]], what, "give layers", key=True)
        return False
    return training or _check_beside_outputs(config, there, given[0])


def _check_beside_outputs(config: CheckedConfig, keys: set[str], outputs_key: str) -> bool:
    if outputs_key == "layers" and "weights" not in keys:
        hint = "give the .npz file with the arrays W1, b1, W2 ..."
        if config.has_value("train"):
            hint += ", which `lossfw train` writes to the folder of --out"
        config.add(["network", "layers"], "network.weights is missing", hint, key=True)
        return False
    unused = [key for key in ("weights", "dtype") if key in keys and outputs_key != "layers"]
    for key in unused:
        config.add(["network", key], f"network.{key} cannot be used with {outputs_key}", key=True)
    return not unused
