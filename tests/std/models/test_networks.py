"""Networks of PyTorch and Keras as models: what holds for both, in legs, files and words."""

import os
import pickle

import numpy as np
import pytest

from lossfw.errors import DataError, ShapeError
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
