"""`lossfw train` of a model of a plugin file: legs, history, patience, resuming, mistakes."""

import json

import numpy as np
import pytest

import lossfw as lossfw_package
from lossfw.errors import ArgumentError, ConfigError
from lossfw.models.training import loop
from models.conftest import CONFIG, measured
from support.configs import build_training
from support.tables import read_npz

pytestmark = pytest.mark.usefixtures("written")

FILES = ("lines.json", "model.json", "training.json")


def test_the_saved_model_has_the_last_numbers_to_the_bit(train, lossfw, folder):
    trained = train("a", "train.hold_out=null")
    assert measured(trained["epochs"]) == list(range(26))
    end = trained["kept"], trained["stopped"], trained["training_mode"]
    assert end == (25, "rounds", "rounds")
    assert trained["model"] == {"name": "lines", "learning_rate": 0.2}
    card = json.loads((folder / "a/model.json").read_text())
    assert (card["output_activation"], card["units"], card["library"]) == ("exp", 1, "lines")
    run = lossfw("run", "t.yaml", "-o", "model.file=a/lines.json", "--json")
    last = trained["epochs"][-1]["train"]
    found = json.loads(run.stdout)
    assert found["loss"]["value"] == last["loss"]
    assert found["metrics"]["mae"]["value"] == last["metrics"]["mae"]
    # Round 0 is the constant of least loss: the mean.
    targets = read_npz(folder / "d.npz")["targets"]
    first = trained["epochs"][0]["train"]["metrics"]["mae"]
    assert first == pytest.approx(np.abs(targets - targets.mean()).mean(), rel=1e-12)


def test_measure_changes_nothing_but_the_history(train, folder):
    every = train("a", "train.hold_out.patience=12", "train.rounds=40")
    each = {epoch["epoch"]: epoch for epoch in every["epochs"]}
    tenth = train("b", "train.measure_every=10", "train.rounds=25")
    assert measured(tenth["epochs"]) == [0, 10, 20, 25]
    assert [each[number] for number in (0, 10, 20)] == tenth["epochs"][:3]


def test_patience_counts_measured_rounds_and_keeps_the_best(train, folder, lossfw):
    trained = train("a", "train.rounds=400", "train.measure_every=3", "train.hold_out.patience=4")
    losses = {epoch["epoch"]: epoch["held_out"]["loss"] for epoch in trained["epochs"]}
    best = min(losses, key=losses.get)
    assert (trained["kept"], trained["stopped"]) == (best, "patience")
    assert max(losses) == best + 4 * 3
    assert len(json.loads((folder / "a/lines.json").read_text())["rounds"]) == best


@pytest.mark.parametrize("stop", [1, 10, 11, 25])
def test_a_training_that_stops_at_any_round_goes_on_to_the_same_bytes(
    stop, train, interrupted, folder
):
    whole = train("whole")
    interrupted(stop)
    assert train("a", resume=True) == whole
    for name in (*FILES, "checkpoint.npz", "config.yaml"):
        assert (folder / "a" / name).read_bytes() == (folder / "whole" / name).read_bytes(), name


def test_a_finished_training_is_returned_and_not_made_again(train, folder, monkeypatch):
    first = train("a", "train.rounds=14")
    with monkeypatch.context() as patch:
        patch.setattr(loop._Leg, "state", None)
        assert train("a", "train.rounds=14", resume=True) == first
    # Another file in the place of the model is not its model.
    (folder / "a/lines.json").write_text("[1.0, 3, []]")
    assert train("a", "train.rounds=14", resume=True) == first
    assert (folder / "a/lines.json").read_text() != "[1.0, 3, []]"


def test_more_rounds_are_those_of_one_training(train, folder):
    # The first one ends in the middle of a leg.
    train("a", "train.rounds=14")
    assert train("a", "train.rounds=31", resume=True) == train("b", "train.rounds=31")
    assert (folder / "a/lines.json").read_bytes() == (folder / "b/lines.json").read_bytes()


# Overrides, what is wrong, and the hint.
WRONG = [
    (["train={epochs: 5}"], "train.epochs cannot be used with lines, which is trained in rounds",
     "write rounds"),
    (["train={measure_every: 2}"], "train.rounds is missing", "rounds: 100"),
    (["train.rounds=0"], "train.rounds should be greater than 0", ""),
    (["train.optimizer=sgd"], "train.optimizer cannot be used with lines", "learning_rate"),
    (["train.batch_size=5"], "train.batch_size cannot be used with lines", "leave it out"),
    (["train.schedule=cosine"], "train.schedule cannot be used", "leave it out"),
    (["loss=zero_one"], "the gradient of zero_one is 0 almost everywhere", "logistic or hinge"),
    (["model.learning=1"], "lines has no parameter 'learning'", ""),
    (["model.output_activation=sigmoid"], "the loss tweedie_deviance is trained with exp",
     "leave output_activation out"),
    (["network={layers: [{units: 1, activation: exp}]}"], "give network or model, not both",
     "leave"),
    (["data={name: inline, inputs: [[1], [2]], targets: [1, 2], sample_weight: [0, 0]}"],
     "every training row has weight 0", "weights above 0"),
    (["model=line"], "There is no model 'line'", "did you mean 'lines'?")
]  # fmt: skip


@pytest.mark.parametrize(("changes", "what", "hint"), WRONG, ids=[w[0][0] for w in WRONG])
def test_a_mistake_is_told_with_its_cure(changes, what, hint):
    with pytest.raises(ConfigError) as caught:
        build_training("t.yaml", changes)
    (problem,) = caught.value.problems
    assert what in problem.message
    assert hint in problem.hint


def test_another_model_is_refused_by_the_checkpoint(train, lossfw):
    train("a")
    options = ("-o", "model.share=0.6", "--out", "a", "--resume")
    result = lossfw("train", "t.yaml", *options)
    assert result.exit_code == 2
    assert "the checkpoint of another training: model differs" in result.stderr


def test_a_divergence_is_told_with_a_cure(lossfw, folder):
    changes = ("-o", "model.learning_rate=1e12", "-o", "loss=squared_error")
    result = lossfw("train", "t.yaml", "--out", "a", *changes)
    assert result.exit_code == 1
    assert "The training diverged in round 1" in result.stderr
    assert "Lower model.learning_rate" in result.stderr
    left = sorted(path.name for path in (folder / "a").iterdir())
    assert left == ["checkpoint.npz", "config.yaml", "error.txt", "status"]
    assert (folder / "a/status").read_text() == "failed\n"
    assert (folder / "a/error.txt").read_text().startswith("The training diverged")


AUTHOR = '''
from lossfw.models import Model


class Text(Model):
    """Its file is a text, and it does not load."""

    ending = ".txt"
    training_mode = "once"

    def fit(self, work):
        return "text"
'''


def test_what_an_author_forgets_is_told(lossfw, folder):
    (folder / "text.py").write_text(AUTHOR)
    (folder / "t.yaml").write_text(
        CONFIG.replace("drawn.py", "text.py")
        .replace("lines, learning_rate: 0.2", "text, file: text.py")
        .replace("rounds: 25, ", "")
    )
    told = lossfw("train", "t.yaml", "--out", "a", "-o", "model.file=null").stderr
    assert "fit() of the model text returned str; expected bytes" in told
    told = lossfw("run", "t.yaml", "--out", "b").stderr
    assert "t.yaml:4:8: error: Text.load(content, card) is not implemented" in told


def test_the_report_says_rounds_and_model(lossfw, folder):
    text = lossfw("train", "t.yaml", "--out", "a", "-o", "train.measure_every=20").stdout
    lines = [line.split() for line in text.splitlines()]
    assert [line[0] for line in lines if line and line[0].isdecimal()] == ["0", "20", "25"]
    assert "model   lines (learning_rate: 0.2)\n" in text
    assert "all rounds done; the model is that of round 25" in text
    assert "a/lines.json" in text


def test_trainings_of_rounds_and_of_epochs_are_compared(lossfw, folder, train):
    train("a", "train.measure_every=10")
    layers = "{layers: [{units: 1, activation: exp}]}"
    learning = {"epochs": 3, "optimizer": "sgd", "hold_out": {"fraction": 0.25}}
    changes = ("-o", f"network={layers}", "-o", "model-", "-o", f"train={json.dumps(learning)}")
    assert lossfw("train", "t.yaml", "--out", "b", *changes).exit_code == 0
    found = json.loads(lossfw("compare", "a", "b", "--json").stdout)
    assert [one["measured"] for one in found["trainings"]] == [[0, 10, 20, 25], [0, 1, 2, 3]]
    assert "round or epoch" in lossfw("compare", "a", "b").stdout


def test_python_has_the_predictor_and_its_predictions(folder):
    trained = lossfw_package.train("t.yaml", overrides=["train.rounds=12"], out="p")
    assert trained.content == (folder / "p/lines.json").read_bytes()
    assert repr(trained).startswith(
        "TrainingResult(TweedieDeviance(power=1.5, link='log'), round 12"
    )
    assert "the model of round 12" in trained._repr_html_()
    inputs = read_npz(folder / "d.npz")["inputs"]
    outputs = trained.predictor.run_block(inputs[:50])
    assert np.array_equal(trained.predict(inputs)[:50], outputs.predictions)
    assert outputs.predictions == pytest.approx(np.exp(outputs.raw_outputs), rel=1e-15)
    with pytest.raises(ArgumentError, match="use predictor or predict"):
        trained.network  # noqa: B018
    every = lossfw_package.train_all("t.yaml", overrides=["sweep={seeds: 2}", "train.rounds=3"])
    assert [one.kept_epoch for one in every.values()] == [3, 3]
    assert "<svg" in every._repr_html_()
