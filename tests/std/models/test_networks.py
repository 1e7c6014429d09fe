"""Networks of PyTorch and Keras as models: what holds for both, in legs, files and words."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

import lossfw
from lossfw.errors import DataError, DivergenceError, ShapeError
from support.models import fitted, growing_targets, leg_by_leg, network_model

os.environ.setdefault("KERAS_BACKEND", "torch")

# Keras hands its tensors to NumPy in the way of NumPy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

TWEEDIE = {"name": "tweedie_deviance", "power": 1.5}


@pytest.fixture(scope="module")
def data():
    return growing_targets()


@pytest.fixture(scope="module", params=["torch", "keras"])
def library(request):
    pytest.importorskip("safetensors" if request.param == "torch" else "keras")
    pytest.importorskip("torch")
    return request.param


@pytest.fixture(scope="module")
def make(library):
    """Make the network of a library."""
    return lambda name=None, **parameters: network_model(library, name, **parameters)


@pytest.fixture(scope="module")
def legs(data, make):
    """Bytes of each epoch of a training with dropout and statistics of batches."""
    return leg_by_leg(make(), data, TWEEDIE, 4)


def test_a_training_repeats_and_resumes_to_the_same_bytes(library, make, data, legs):
    # What the process draws elsewhere does not count, nor what an earlier leg has compiled.
    if library == "torch":
        import torch

        torch.manual_seed(99)
    else:
        import keras

        keras.utils.set_random_seed(99)
    assert leg_by_leg(make(), data, TWEEDIE, 4, saved=legs[1], first=2) == legs[2:]
    assert leg_by_leg(make(), data, TWEEDIE, 1)[0] == legs[0]


def test_the_state_of_the_optimizer_counts_and_is_cut_at_the_end(make, data, legs):
    model = make()
    forgot = model.cut(legs[1], 2)
    assert leg_by_leg(model, data, TWEEDIE, 3, saved=forgot, first=2)[0] != legs[2]
    made = (
        model.load_predictor(content).run_block(data.inputs[:30]) for content in (forgot, legs[1])
    )
    np.testing.assert_array_equal(*(outputs.predictions for outputs in made))


def test_a_row_has_the_same_bits_in_any_company_and_on_a_worker(make, data):
    # So wide that a product of few rows has other bits.
    model = make(arguments={"hidden": 256})
    predictor = model.load_predictor(fitted(model, data, TWEEDIE, 1).content)
    rows = data.inputs[:256]
    whole = predictor.run_block(rows).predictions
    for part in (slice(0, 1), slice(5, 18), slice(255, 256), slice(None, None, -1)):
        np.testing.assert_array_equal(predictor.run_block(rows[part]).predictions, whole[part])
    np.testing.assert_array_equal(predictor.run_block(np.asfortranarray(rows)).predictions, whole)
    again = pickle.loads(pickle.dumps(predictor))
    np.testing.assert_array_equal(again.run_block(rows).predictions, whole)
    assert again.digest == predictor.digest


# Parameters, and the words of PyTorch and of Keras where they differ.
REFUSED = {
    "another name": ({"name": "numbr"}, ["'numbr'. Did you mean 'number'?"]),
    "a misspelt argument": ({"arguments": {"hiden": 5}}, ["Did you mean 'hidden'?"]),
    "an argument out of range": ({"arguments": {"hidden": -1}}, ["cannot be made with"]),
    "what is not a network": (
        {"name": "number"},
        ["number made int; expected a torch.nn.Module", "made int; expected a keras.Model"],
    ),
    "other inputs": (
        {"arguments": {"width": 4}},
        ["cannot take inputs of shape (2, 3)", "takes rows of shape (4,), but those of"],
    ),
    "other outputs": ({"arguments": {"units": 2}}, ["makes 2 outputs per row, but the loss"]),
    "no module": ({"module": None}, ["write module: net.py:Net", "write module: net.py:build"]),
    "a misspelt optimizer": ({"optimizer": "AdamWW"}, ["no optimizer 'AdamWW'"]),
    "an optimizer without a name": ({"optimizer": {"lr": 1}}, ["the optimizer has no name"]),
    "a misspelt argument of it": (
        {"optimizer": {"name": "SGD", "momentun": 0.9}},
        ["Did you mean 'momentum'?"],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_mistake_is_told_in_words(case, library, make, data):
    parameters, words = REFUSED[case]
    with pytest.raises((DataError, ShapeError)) as refusal:
        fitted(make(**parameters), data, TWEEDIE, 1)
    assert words[0 if library == "torch" else -1] in str(refusal.value)


def test_other_files_and_weights_of_another_network_are_refused(make, legs):
    with pytest.raises(DataError, match=r"is not a (state dict|Keras weights file)"):
        make().load_predictor(b"junk")
    with pytest.raises(DataError, match=r"does not fit (net|keras_net)\.py:(Net|build)"):
        make(arguments={"hidden": 5}).load_predictor(legs[-1])


def test_what_cannot_be_trained_is_refused(library, make, data):
    assert "no model can be trained" in make().refusal(lossfw.loss("zero_one"))
    told = make().refusal(lossfw.loss("listmle"))
    assert told is None if library == "torch" else "torch, which takes whole groups" in told
    with pytest.raises(DivergenceError, match=r"epoch \d, batch \d: the loss is (inf|nan)"):
        fitted(make(learning_rate=1e30), data, "squared_error", 2)


def test_a_network_gets_the_number_of_inputs(library, request):
    lossfw_cli = request.getfixturevalue("lossfw")
    name, ending = (
        ("net.py:Wide", "safetensors")
        if library == "torch"
        else ("keras_net.py:wide", "weights.h5")
    )
    code = Path(__file__).parent / name
    Path("d.csv").write_text(
        "k,x,y\n" + "".join(f"{'abc'[n % 3]},{n},{n % 5}\n" for n in range(30))
    )
    Path("c.yaml").write_text(
        "lossfw: 1\ndata: {name: arrays, file: d.csv, targets_key: y, categories: found}\n"
        f"model: {{name: {library}, module: '{code}'}}\nloss: squared_error\ntrain: {{epochs: 1}}\n"
    )
    trained = lossfw_cli("train", "c.yaml", "--out", "t")
    assert trained.exit_code == 0, trained.output
    assert "as 4 inputs" in trained.stdout
    for model in (f"model.file=t/model.{ending}", "model={name: trained, folder: t}"):
        run = lossfw_cli("run", "c.yaml", "-o", model)
        assert run.exit_code == 0, run.output
        assert "4 inputs, 1 raw output" in run.stdout
    # Without the card of the training only safetensors say what a row is.
    Path("t/model.json").unlink()
    run = lossfw_cli(
        "run",
        "c.yaml",
        "-o",
        f"model.file=t/model.{ending}",
        "-o",
        "model.output_activation=identity",
    )
    if library == "torch":
        assert run.exit_code == 0, run.output
    else:
        assert run.exit_code == 2
        assert "arguments: {inputs: 23}" in run.output
    given = lossfw_cli("validate", "c.yaml", "--trust", "-o", "model.arguments={inputs: 5}")
    assert given.exit_code == 2
