"""The section `train` of a configuration: what it makes, and what it refuses, each in its place."""

import numpy as np
import pytest

from lossfw.errors import ConfigError
from support import configs
from support.tables import read_npz
from support.training_text import CONFIG


def test_the_defaults(build):
    training = build()
    assert (training.total, training.batch_size, training.seed) == (3, 100, 0)
    assert training.model.schedule.name == "constant"
    assert training.network.dtype == np.float32
    assert [layer.weight.shape for layer in training.network.layers] == [(2, 4), (4, 2)]
    assert training.held_out is None
    # Three units for two classes are not a mistake.
    build("network.layers.1.units=3")
    # Fused with the softmax before it.
    assert (training.form, training.loss.from_logits) == ("logits", True)


def test_every_key_arrives(build, folder):
    training = build(
        "seed=7",
        "network.dtype=float64",
        "train.batch_size=10",
        "train.schedule={name: stairs, every: 2}",
        "train.initializer={name: normal, scale: 0.5}",
        "train.hold_out={fraction: 0.25, patience: 4}",
        "evaluate.metrics=[accuracy, cross_entropy]",
    )
    assert (training.seed, training.batch_size, training.patience) == (7, 10, 4)
    assert training.model.schedule.every == 2
    assert (len(training.data), len(training.held_out)) == (150, 50)
    assert training.network.layers[0].weight.dtype == np.float64
    assert [metric.label for metric in training.metrics] == ["accuracy", "cross_entropy"]


@pytest.mark.parametrize(
    ("rule", "spread"), [("xavier", np.sqrt(2 / 402)), ("he", np.sqrt(2 / 2)), ("normal", 0.01)]
)
def test_weights_are_drawn_with_the_spread_of_their_rule(rule, spread, build):
    training = build(f"train.initializer={rule}", "network.layers.0.units=400")
    first = training.network.layers[0]
    # The spread of 800 draws is known to 2.5 percent; five times that is not chance.
    assert first.weight.std() == pytest.approx(spread, rel=0.125)
    assert not first.bias.any()


def weights():
    """Return arrays for the layers of `CONFIG`."""
    return {"W1": np.ones((2, 4)), "b1": np.ones(4), "W2": np.ones((4, 2)), "b2": np.zeros(2)}


def test_weights_from_a_file_and_rows_of_their_own_held_out(build, folder):
    np.savez(folder / "w.npz", **weights())
    training = build(
        "train.initializer={name: file, file: w.npz}",
        "train.hold_out={data: {name: arrays, file: data.npz}, patience: 2}",
    )
    assert (training.network.layers[0].weight == 1).all()
    assert training.network.dtype == np.float32
    assert (len(training.data), len(training.held_out), training.patience) == (200, 200, 2)


def test_the_digest_holds_what_decides_the_result(build):
    base = build()
    assert build().digest == base.digest
    for change in (
        "seed=1",
        "train.epochs=4",
        "train.batch_size=7",
        "train.optimizer.momentum=0.8",
        "train.schedule=linear",
        "train.initializer=he",
        "train.hold_out={fraction: 0.5}",
        "network.layers.0.activation=relu",
        "network.dtype=float64",
        "loss={name: cross_entropy, label_smoothing: 0.1}",
        "evaluate.metrics=[]",
    ):
        assert build(change).digest != base.digest, change
    assert build("evaluate.batch_size=5").digest == base.digest


# Override, the place of the message, the message, the hint.
WRONG = [
    ("train.batch_size=0", "-o", "train.batch_size should be greater than 0, got 0", ""),
    ("train.epochs=1.5", "-o", "train.epochs should be a whole number, got 1.5", ""),
    ("train.optimizer.lerning_rate=1", "-o", "has no parameter", "did you mean 'learning_rate'?"),
    ("train.optimizer=adm", "-o", "There is no optimizer 'adm'", "did you mean 'adam'?"),
    ("train.schedule=linaer", "-o", "There is no schedule 'linaer'", "did you mean 'linear'?"),
    ("train.schedule=qqqq", "-o", "There is no schedule", "is one of constant, linear, cosine"),
    ("train.schedule={name: stairs}", "-o", "stairs needs the parameter 'every'", ""),
    ("train.initializer=xavir", "-o", "There is no initializer 'xavir'", "did you mean 'xavier'?"),
    ("train.initializer={name: file, file: no.npz}", "-o", "no file 'no.npz'", "looked in"),
    ("train.hold_out={fraction: 1}", "-o", "should be less than 1", ""),
    ("train.hold_out={patience: 3}", "-o", "data, folds; none of them is given", ""),
    ("train.hold_out={fraction: 0.1, data: digits}", "-o", "folds; got fraction and data", ""),
    ("train.hold_out={data: digits}", "-o", "inputs have shape (597, 64)", ""),
    ("train.epoch=3", "-o", "unknown key 'train.epoch'", "did you mean 'epochs'?"),
    ("train.allow_untrainable=yes", "-o", "should be true or false", "write true or false"),
    ("evaluate.sample={count: 3}", "-o", "a training uses all rows", "leave it out"),
    ("network={predictions: [[1, 2]]}", "-o", "no weights to train", "give layers"),
]


@pytest.mark.parametrize(("change", "where", "what", "hint"), WRONG, ids=[w[0] for w in WRONG])
def test_a_mistake_is_told_at_its_place(change, where, what, hint, problem):
    found = problem(change)
    assert found[0].startswith(where)
    assert what in found[1]
    assert hint in found[2]


def test_mistakes_of_a_file_have_line_and_column_and_are_told_together(problem, build, config):
    where, what, hint = problem(text=CONFIG.replace("momentum", "momentun"))
    assert (where, hint) == ("train.yaml:8:46", "did you mean 'momentum'?")
    assert what == "sgd has no parameter 'momentun'"
    where, what, hint = problem(text=CONFIG.partition("train:")[0])
    assert (where, what) == ("train.yaml:1:1", "the section train is missing")
    assert "train: {epochs: 10, optimizer: sgd}" in hint
    with pytest.raises(ConfigError) as caught:
        build("train.epochs=-1", "train.schedule=x", "train.optimizer=y", "loss=z")
    assert len(caught.value.problems) == 4
    # An evaluation checks the section too, and needs weights.
    with pytest.raises(ConfigError) as caught:
        configs.build(config(), ["train.schedule=linaer"])
    told = [problem.message for problem in caught.value.problems]
    assert told == ["network.weights is missing", "There is no schedule 'linaer'"]


@pytest.fixture
def change(folder):
    """Write the file of data again, with some rows of an array, or all of it, replaced."""

    def write(name, value, rows=slice(None)):
        data = read_npz(folder / "data.npz")
        if np.ndim(value):
            data[name] = value
        else:
            data[name][rows] = value
        np.savez(folder / "data.npz", **data)

    return write


def test_data_that_do_not_fit_are_found_before_any_training(problem, change):
    change("targets", 2, 17)
    where, what, hint = problem()
    assert where == "train.yaml:3:58"
    assert hint == "write units: 3, one for each class"
    assert "target[17] = 2 is not a class" in what
    change("targets", 1, 17)
    change("inputs", np.zeros((200, 2, 3)))
    assert "flatten" in problem()[1].lower()
    change("inputs", np.ones((1, 2)))
    change("targets", np.zeros(1, int))
    change("same", np.zeros(1, int))
    _, what, _ = problem("train.hold_out={fraction: 0.5}", "train.allow_untrainable=true")
    assert "none can be held out" in what


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_weights_of_a_file_that_are_not_finite(wrong, problem, folder):
    arrays = weights()
    arrays["W2"][1, 1] = wrong
    np.savez(folder / "w.npz", **arrays)
    where, what, _ = problem("train.initializer={name: file, file: w.npz}")
    assert where.startswith("-o train.initializer")
    assert "W2[1, 1]" in what


def test_a_data_set_with_one_class(problem, build, change):
    change("targets", 1)
    where, what, hint = problem()
    assert where == "train.yaml:2:7"
    assert "all 200 rows" in what
    assert "have class 1: expected at least two classes" in what
    assert hint == "train.allow_untrainable: true trains anyway"
    build("train.allow_untrainable=true")


MARGINS = """\
lossfw: 1
data: {name: arrays, file: margins.npz}
network: {layers: [{units: 3, activation: tanh}, {units: 1, activation: identity}]}
loss: zero_one
train: {epochs: 1, optimizer: sgd}
"""


class TestRefusal:
    def test_a_loss_without_gradient_names_losses_with_one(self, problem, build, folder):
        targets = np.where(np.arange(6) % 2, 1.0, -1.0).reshape(-1, 1)
        np.savez(folder / "margins.npz", inputs=np.ones((6, 2)), targets=targets)
        where, what, hint = problem(text=MARGINS)
        assert where == "train.yaml:4:7"
        assert "its derivative is 0 wherever it exists" in what
        assert "hinge" in hint
        assert "logistic" in hint
        assert "train.allow_untrainable: true" in hint
        build("train.allow_untrainable=true", text=MARGINS)

    def test_a_step_names_activations_with_a_gradient(self, problem, build):
        where, what, hint = problem("network.layers.0.activation=step")
        assert where.startswith("-o network.layers.0.activation")
        assert "layers.0 would not change" in what
        assert "sigmoid" in hint
        build("network.layers.0.activation=step", "train.allow_untrainable=true")

    def test_a_metric_in_the_place_of_the_loss(self, problem):
        where, what, hint = problem("loss=accuracy")
        assert where == "-o loss=accuracy"
        assert "accuracy" in what
        assert "cross_entropy" in hint
        assert "evaluate.metrics" in hint
