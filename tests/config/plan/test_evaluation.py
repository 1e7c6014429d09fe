import shutil

import numpy as np
import pytest

from support.configs import SAVED, SHARPNESS

NETWORK = """\
lossfw: 1
seed: 0
data: {name: inline, inputs: [[1.0, 2.0], [3.0, 4.0]], targets: [0, 1]}
network:
  layers:
    - {units: 3, activation: sigmoid}
    - {units: 2, activation: softmax}
  weights: w.npz
loss: {name: cross_entropy}
evaluate: {batch_size: 1, metrics: [accuracy]}
"""


@pytest.fixture
def weights(folder):
    """Write weights of the network above."""

    def write(b1=0.0):
        layers = {"W1": np.ones((2, 3)), "W2": np.ones((3, 2)), "b2": np.zeros(2)}
        np.savez(folder / "w.npz", **layers, b1=np.full(3, b1))

    write()
    return write


LOGITS = SAVED.replace("predictions", "raw_outputs")
ON_LOGITS = NETWORK.replace("cross_entropy}", "cross_entropy, from_logits: true}")


def lossy(text, parameters):
    """Return a text in which the loss has parameters."""
    return text.replace("loss: cross_entropy", f"loss: {{name: cross_entropy, {parameters}}}")


@pytest.mark.parametrize(
    ("text", "at", "what", "hint"),
    [
        # Whether the loss takes what there is: predictions or logits.
        *((ON_LOGITS.replace("softmax", last), "7:30", f"the last activation {last}",
           ["activation: identity", "from_logits"]) for last in ("softmax", "sigmoid", "relu")),
        (LOGITS.replace("cross_entropy", "squared_error").replace("[0, 1]}", "[[0, 1], [1, 0]]}"),
         "3:11", "takes only predictions", "network.predictions"),
        *((lossy(LOGITS, f"{key}: {value}"), "4:29", f"the loss has {key}", f"leave {key} out")
          for key, value in (("fuse", "false"), ("delta", "1e-7"), ("guard", "none"))),
        (lossy(SAVED, "from_logits: true"), "3:11", "is configured to take logits",
         "network.raw_outputs"),
        (f"{LOGITS}plugins: [mine.py]\nevaluate: {{metrics: [accuracy, sharpness]}}\n", "6:32",
         "the metric sharpness takes predictions", ""),
        # Whether shapes fit.
        (NETWORK.replace("    - {units: 3, activation: sigmoid}\n", ""), "7:12",
         ["the network has 1 layer, but", "w.npz", "of 2"], ""),
        (NETWORK.replace("  weights", "  dtype: float32\n  weights"), "9:12", "float32", ""),
        (NETWORK.replace("inputs: [[1.0, 2.0], [3.0, 4.0]], ", ""), "3:7", "have no inputs", ""),
        (NETWORK.replace("cross_entropy", "squared_error"), "7:15", ["(2, 2)", "(2,)"], ""),
        (SAVED.replace("targets: [0, 1]", "targets: [0, 1, 1]"), "3:24", "3", ""),
        (SAVED.replace("[0, 1]", "[0.0, 1.0]").replace("cross_entropy", "squared_error"), "3:24",
         ["(2, 2)", "(2,)"], ""),
        (SAVED.replace("[0, 1]", "[]"), "2:7", "no rows", ""),
        *((SAVED.replace("[[0.25, 0.75], [0.5, 0.5]]", numbers), f"3:{column}",
           "network.predictions should be", "")
          for numbers, column in (("[[0.1], [0.2, 0.3]]", 25), ("[[1, b], [c, d]]", 29),
                                  ("[[1, 2], [3, null]]", 37))),
        # What is asked for.
        *((f"{SAVED}evaluate: {{{text}}}\n", f"5:{column}", what, hint)
          for text, column, what, hint in (
            ("sample: {count: 3}", 28, "3 rows cannot be drawn from 2", "replace: true"),
            ("slices: [tagret]", 21, "by should be one of target, prediction,", ""),
            ("slices: [{name: a, by: tagret}]", 35, "by should be one of target, prediction,", ""),
            ("slices: [{name: a}]", 21, "evaluate.slices.0.by is missing", ""),
            ("slices: [{name: a, by: loss}]", 21, "bins are needed for by: loss", ""),
            ("slices: [target, target]", 29, "two slices have the name 'target'", ""),
            ("slices: [3]", 21, "evaluate.slices.0 should be the value to slice by", ""),
            ("intervals: {level: 1}", 31, "evaluate.intervals.level should be less than 1", ""),
            ("intervals: {method: magic}", 32, "intervals.method should be 'jackknife'", ""),
            ("intervals: {replicates: 3}", 36, "intervals.replicates should be at least", ""),
            ("save_rows: csv", 23, "should be true or false, or one of jsonl, parquet", ""),
        )),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_at_its_place(text, at, what, hint, weights, folder, refused):
    (folder / "mine.py").write_text(SHARPNESS)
    refused(text, at=at, what=what, hint=hint)


@pytest.mark.parametrize(
    ("loss", "form"),
    [
        ("cross_entropy", "logits"),
        ("{name: cross_entropy, fuse: true}", "logits"),
        ("{name: cross_entropy, fuse: false}", "prediction"),
        ("{name: cross_entropy, delta: 1e-7}", "prediction"),
        ("{name: cross_entropy, guard: additive}", "prediction"),
        ("squared_error", "prediction"),
    ],
)
def test_a_loss_is_fused_with_its_own_activation(loss, form, weights, plan, problem):
    text = NETWORK.replace("{name: cross_entropy}", loss)
    if loss == "squared_error":
        text = text.replace("targets: [0, 1]", "targets: [[0, 1], [1, 0]]")
    made = plan(text)
    assert made.outputs_form == made.loss._input_form == form
    assert (made.rows, made.intervals, made.slices) == (False, None, ())


def test_another_activation_is_not_fused(weights, refused):
    # Predictions reach the loss, and those of a sigmoid are not distributions.
    hint = "predictions are the outputs of the last layer"
    refused(NETWORK.replace("softmax", "sigmoid"), what="lies outside SIMPLEX", hint=hint)


# Overrides, and whether they change the numbers.
CHANGES = {
    "evaluate.batch_size=2": False,
    "evaluate.save_rows=true": False,
    "network.dtype=float64": False,
    "loss=softmax_cross_entropy": False,
    "seed=1": False,
    "loss.delta=1e-6": True,
    "loss.fuse=false": True,
    "evaluate.metrics=[]": True,
    "evaluate.sample={count: 1}": True,
    "evaluate.intervals={}": True,
    "evaluate.slices=[target]": True,
    "data.targets=[1, 1]": True,
    "data.inputs=[[1.0, 2.0], [3.0, 5.0]]": True,
    "network.layers.0.activation=relu": True,
}


@pytest.mark.parametrize(("override", "changes"), CHANGES.items())
def test_the_digest_knows_what_changes_the_numbers(override, changes, weights, plan):
    assert (plan(NETWORK).digest != plan(NETWORK, override).digest) == changes


def test_the_weights_count_in_the_digest_and_their_place_does_not(weights, plan, folder):
    before = plan(NETWORK).digest
    (folder / "elsewhere").mkdir()
    shutil.copy(folder / "w.npz", folder / "elsewhere" / "other.npz")
    assert plan(NETWORK, "network.weights=elsewhere/other.npz").digest == before
    weights(b1=1.0)
    assert plan(NETWORK).digest != before
