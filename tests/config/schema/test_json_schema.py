"""The JSON schema takes every configuration that is right, and refuses what is wrong."""

import contextlib
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lossfw.components.registry import Registry, registry
from lossfw.config.schema.json_schema import json_schema
from lossfw.config.text.tree import Origin, Problems
from lossfw.config.text.yaml import CoreLoader, parse, split_lines
from lossfw.errors import ConfigError
from support.any_config import GOOD as GOOD_TREE
from support.any_config import GOOD_TEXT as GOOD
from support.any_config import changed, paths, values
from support.configs import build


def plain(text):
    problems = Problems()
    root = parse(text, Origin("x", Path("/"), split_lines(text)), problems, loader=CoreLoader)
    problems.raise_if_any()
    return root.to_plain()


@pytest.fixture(scope="module")
def schema():
    return json_schema(registry())


@pytest.fixture(scope="module")
def mistakes(schema):
    """Return (path, message) of what a schema finds in a text."""
    validator = jsonschema.Draft7Validator(schema)

    def find(text):
        errors = validator.iter_errors(plain(text))
        return [(".".join(map(str, e.absolute_path)), e.message) for e in errors]

    return find


def each(schema):
    """Yield every schema inside of a schema."""
    yield schema
    for value in schema.values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                yield from each(item)


def test_it_is_a_schema(schema):
    jsonschema.Draft7Validator.check_schema(schema)


def dangling(schema):
    """Return the references that lead nowhere."""
    found = []
    for one in each(schema):
        if "$ref" in one:
            target = schema
            for step in one["$ref"].removeprefix("#/").split("/"):
                target = target.get(step.replace("~1", "/"), {})
            if not target and target is not schema:
                found.append(one["$ref"])
    return found


NETWORK = "network: {predictions: [[0.25, 0.75]]}"
TRAIN = "{epochs: 1, optimizer: sgd, schedule: cosine, initializer: {name: he}}"
LAYERS = "{layers: [{units: 1, activation: relu}], weights: w.npz}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("squared_error", "lossfw/mse"),
        ("squared_error", "{name: squared_error, fuse: false}"),
        ("squared_error", "{name: sum, of: [mse, {name: huber, scale: 2}]}"),
        ("squared_error", "{name: scaled, scale: 2, of: {name: sum, of: [mse, mae]}}"),
        ("squared_error", "${env:LOSS}"),
        ("metrics: []", "metrics: [accuracy, {name: brier}, {name: huber, delta: 2}]"),
        ("metrics: []", "save_rows: parquet"),
        ("metrics: []", "intervals: {level: 0.9, method: bootstrap, replicates: 200}"),
        ("metrics: []", "slices: [target, {name: a, by: prediction.max, bins: [0.5]}]"),
        ("lossfw: 1", "lossfw: '${env:VERSION}'"),
        ("{predictions: [[0.25, 0.75]]}", LAYERS),
        ("{predictions: [[0.25, 0.75]]}", "{raw_outputs: y.npy}"),
        ("lossfw: 1", "lossfw: 1\nplugins: [a.py]\nseed: 3"),
        ("lossfw: 1", "lossfw: 1\nsweep: {seeds: 3, grid: {loss.factor: [1, 2]}}"),
        (GOOD, "extends: base.yaml\nloss: {factor: 2}\nnetwork: {weights: w.npz}"),
        (GOOD, "extends: base.yaml\nseed: null\nnetwork: {layers: null, raw_outputs: y.npy}"),
        (NETWORK, "model: {name: xgboost, file: m.ubj}"),
        (
            NETWORK,
            "model: xgboost\ntrain: {rounds: 9, hold_out: {fraction: 0.2}, measure_every: 5}",
        ),
        (NETWORK, "model: {name: xgboost, max_depth: 3, more: {a: 1}}\ntrain: {rounds: 20}"),
        (NETWORK, f"network: {LAYERS.replace(', weights: w.npz', '')}\ntrain: {TRAIN}"),
    ],
)
def test_what_is_right_is_taken(old, new, mistakes):
    assert mistakes(GOOD.replace(old, new)) == []


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("lossfw: 1", "lossfw: 2", "lossfw"),
        ("lossfw: 1", "lossfw: 1\nsed: 1", ""),
        ("squared_error", "sqared_error", "loss"),
        ("squared_error", "3", "loss"),
        ("squared_error", "{name: sqared_error}", "loss.name"),
        ("squared_error", "{name: squared_error, factr: 2}", "loss"),
        ("squared_error", "{name: squared_error, factor: two}", "loss.factor"),
        ("squared_error", "{name: huber, delta: 0}", "loss.delta"),
        ("squared_error", "{name: sum}", "loss"),
        ("squared_error", "{name: sum, of: [mse, {name: huber, delt: 2}]}", "loss.of.1"),
        ("squared_error", "${environment:LOSS}", "loss"),
        ("name: inline, targets: [[0.0, 1.0]]", "name: inline", "data"),
        ("batch_size: 7", "batch_size: 0", "evaluate.batch_size"),
        ("metrics: []", "metrics: accuracy", "evaluate.metrics"),
        ("metrics: []", "save_rows: csv", "evaluate.save_rows"),
        ("metrics: []", "intervals: {level: 2}", "evaluate.intervals"),
        ("metrics: []", "slices: [{name: a, by: tagret}]", "evaluate.slices.0.by"),
        ("predictions: [[0.25, 0.75]]", "predictions: y.npy, raw_outputs: y.npy", "network"),
        ("{predictions: [[0.25, 0.75]]}", LAYERS.replace(", weights: w.npz", ""), "network"),
        ("{predictions: [[0.25, 0.75]]}", LAYERS.replace("relu", "rleu"), "network"),
        ("{predictions: [[0.25, 0.75]]}", f"{LAYERS}\ntrain: {{epochs: 3}}", "train"),
        (NETWORK, "model: {name: xgbost, file: m.ubj}", "model.name"),
        (NETWORK, "model: {name: xgboost, subsample: 2}", "model.subsample"),
        (NETWORK, "model: {name: predictions}", "model"),
        (NETWORK, "model: xgboost\ntrain: {rounds: many}", "train.rounds"),
        ("lossfw: 1", "lossfw: 1\nsweep: {gird: {a: [1]}}", "sweep"),
        (GOOD, "extends: base.yaml\nloss: {name: hubber}", "loss.name"),
        (GOOD, "extends: base.yaml\nevaluate: {sample: {seed: x}}", "evaluate"),
    ],
)
def test_what_is_wrong_is_refused_in_its_place(old, new, where, mistakes):
    found = mistakes(GOOD.replace(old, new))
    assert found
    assert all(path.startswith(where) for path, _ in found), found


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.sampled_from(sorted(paths(GOOD_TREE), key=str)), values)
def test_what_lossfw_takes_the_schema_takes(folder, schema, path, value):
    text = yaml.safe_dump(changed(GOOD_TREE, path, value), allow_unicode=True)
    (folder / "run.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    with contextlib.suppress(ConfigError):
        build("run.yaml")
        jsonschema.Draft7Validator(schema).validate(plain(text))


PLUGIN = '''
from enum import Enum
from pydantic import BaseModel, PositiveFloat
from lossfw import DistanceLoss, hookimpl

class Odd:
    """No type that JSON knows."""

class Side(str, Enum):
    LEFT = "left"
    RIGHT = "right"

class Point(BaseModel):
    title: str = ""
    x: float = 0.0

class MyFair(DistanceLoss):
    """Fair's robust loss.

    Parameters
    ----------
    c : float
        Where it turns from a square to a line.
    """

    model_config = {"arbitrary_types_allowed": True}
    c: PositiveFloat = 1.0
    odd: Odd | None = None
    side: Side = Side.LEFT
    points: list[Point] = []
    pair: tuple[int, str] = (1, "a")

    def value(self, xp, r):
        return xp.abs(r)

class Mse(MyFair):
    """Another one."""

@hookimpl
def lossfw_losses():
    return {"my_fair": MyFair, "mse": Mse}
'''


def test_a_plugin_is_described_like_the_rest(folder):
    (folder / "mine.py").write_text(PLUGIN)
    schema = json_schema(Registry.discover(local=["mine.py"], plugins=False))
    described = schema["definitions"]["loss.mine/my_fair"]
    assert described["description"] == "Fair's robust loss."
    assert described["properties"]["c"]["description"] == "Where it turns from a square to a line."
    assert set(dangling(schema)) <= {"#/definitions/loss.mine~1my_fair/properties/odd"}
    validator = jsonschema.Draft7Validator(schema)
    validator.validate(plain(GOOD.replace("squared_error", "{name: my_fair, c: 2}")))
    full = "{name: my_fair, side: left, pair: [1, b], points: [{title: a, x: 1}]}"
    validator.validate(plain(GOOD.replace("squared_error", full)))
    for wrong in ("side: middle", "points: [{x: one}]", "pair: [b, 1]"):
        text = GOOD.replace("squared_error", f"{{name: my_fair, {wrong}}}")
        assert not validator.is_valid(plain(text)), wrong
    assert not validator.is_valid(plain(GOOD.replace("squared_error", "{name: my_fair, d: 2}")))
    # Two offer this name, so that it needs one of them in front.
    assert not validator.is_valid(plain(GOOD.replace("squared_error", "mse")))
    validator.validate(plain(GOOD.replace("squared_error", "mine/mse")))
    validator.validate(plain(GOOD.replace("squared_error", "lossfw/mse")))
    validator.validate(plain(GOOD))
