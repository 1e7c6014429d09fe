"""The study of sensitivity: curves, jumps and zeros against the network itself."""

from dataclasses import replace

import numpy as np
import pytest

import lossfw
from lossfw.config.plan.sensitivity import find_parameter
from lossfw.data import Dataset
from lossfw.errors import ArgumentError
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.predictor import one_blas_thread
from lossfw.nn.backprop import loss_and_gradients
from lossfw.nn.sensitivity import GRADIENT, Study, bisect
from support.exact_gradient import draw_network

random = np.random.default_rng(0)
ROWS = 200
DATA = Dataset(
    "d",
    targets=random.integers(0, 3, ROWS),
    inputs=random.normal(size=(ROWS, 4)),
    sample_weight=random.uniform(0.5, 2, ROWS),
)
LOSS = lossfw.loss("cross_entropy", from_logits=True)
ACCURACY = lossfw.metric("accuracy")
WAYS = np.linspace(-4, 4, 41)
HERE = 20


def network(hidden="sigmoid"):
    activations = [lossfw.activation(name) for name in (hidden, hidden, "softmax")]
    return draw_network(np.random.default_rng(1), (4, 6, 5, 3), activations)


def study(name, net=None, *, data=DATA, loss=LOSS, form="logits", metrics=(ACCURACY,), ways=WAYS):
    """Return the result of a study along a parameter, or the gradient."""
    net = net or network()
    plan = Plan(data, loss, net, outputs_form=form, metrics=metrics)
    place = () if name == GRADIENT else find_parameter(name, net)
    return Study(plan, {"own": net, "step": network("step")}, name, place, ways).run()


def moved(net, name, way):
    """Return a network one parameter of which has moved, built anew."""
    arrays = [array.copy() for array in net.arrays]
    number, *place = find_parameter(name, net)
    arrays[number][tuple(place)] += way
    return net.with_arrays(arrays)


def right(net):
    return (net.forward(DATA.inputs).argmax(1) == DATA.targets).astype(float)


NAMES = ["layers.0.weights[2,3]", "layers.0.bias[5]", "layers.1.weights[0,4]", "layers.2.bias[1]"]


@pytest.mark.parametrize("name", NAMES)
def test_the_curves_are_those_of_the_network_with_the_parameter_changed(name):
    net, curve = network(), study(name)["curves"]["own"]
    for way, loss, accuracy in zip(WAYS, curve["loss"], curve["metrics"]["accuracy"], strict=True):
        z = moved(net, name, way).raw_outputs(DATA.inputs)
        weights = {"sample_weight": DATA.sample_weight}
        assert loss == pytest.approx(LOSS(z, DATA.targets, **weights), rel=1e-12)
        assert accuracy == ACCURACY(z, DATA.targets, **weights)


@pytest.mark.parametrize("hidden", ["sigmoid", "relu", "tanh"])
def test_gradients_are_those_of_the_backward_pass(hidden):
    net = network(hidden)
    with one_blas_thread():
        _, gradients = loss_and_gradients(
            net, LOSS, "logits", DATA.inputs, DATA.targets, DATA.sample_weight
        )
    arrays = [array for layer in gradients for array in layer]
    for name in NAMES:
        number, *place = find_parameter(name, net)
        derivative = study(name, net)["curves"]["own"]["derivative"][HERE]
        assert derivative == pytest.approx(arrays[number][tuple(place)], rel=1e-10, abs=1e-14)
    # Uphill along the gradient the derivative is its length.
    length = np.sqrt(sum(np.sum(array**2) for array in arrays))
    found = study(GRADIENT, net)
    assert found["curves"]["own"]["derivative"][HERE] == pytest.approx(length, rel=1e-10)
    assert list(found["curves"]) == ["own"]


@pytest.mark.parametrize("name", NAMES)
def test_jumps_are_between_neighbouring_floats_and_add_up(name):
    net, stairs = network(), study(name)["curves"]["own"]["stairs"]["accuracy"]
    for jump in stairs["jumps"]:
        assert np.nextafter(jump["last"], np.inf) == jump["at"]
        assert {jump["before"], jump["after"]} == {0.0, 1.0}
    first, last = (right(moved(net, name, way)) for way in (WAYS[0], WAYS[-1]))
    for jump in stairs["jumps"]:
        first[jump["row"]] += jump["after"] - jump["before"]
    assert (first == last).all()
    low, high = stairs["flat"]
    assert low <= 0 <= high
    for way in random.uniform(low, high, 20):
        assert (right(moved(net, name, way)) == right(net)).all()


def test_bisection_ends_at_neighbours_also_at_0_and_between_huge_numbers():
    for edge in (0.0, 1.0, -1e300, 5e-324, 3.7):
        low, high = bisect(lambda at, edge=edge: at >= edge, -1.5e300, 1.5e300)
        assert (low, high) == (np.nextafter(edge, -np.inf), edge)


class TestZeros:
    def test_before_the_last_step_every_gradient_is_exactly_0(self):
        found = study(NAMES[0])
        zeros, curve = found["zeros"], found["curves"]["step"]
        assert set(curve["derivative"]) == {0.0}
        assert len(set(curve["loss"])) > 1
        assert zeros["step"]["parameters"] == [4 * 6 + 6, 6 * 5 + 5, 5 * 3 + 3]
        # Behind a unit that is never 1 the last layer has no gradient either.
        assert zeros["step"]["loss"] == [30, 35, zeros["step"]["unseen"][2]]
        assert zeros["step"]["unseen"][2] < 15
        assert zeros["own"]["loss"] == [0, 0, 0]

    def test_inputs_that_are_always_0_are_told_apart(self):
        data = Dataset("d", DATA.targets, DATA.inputs * [1, 0, 1, 0])
        zeros = study("layers.2.bias[0]", data=data, metrics=())["zeros"]["own"]
        assert zeros["unseen"] == zeros["loss"] == [12, 0, 0]


@pytest.mark.parametrize(
    "name",
    ["layers.3.weights[0,0]", "layers.0.weights[4,0]", "layers.0.weights[0]", "layers.0.bias[0,0]",
     "layers.-1.bias[0]", "W1[0,0]", ""],
)  # fmt: skip
def test_a_parameter_that_is_not_there_gets_a_list_of_those_that_are(name):
    with pytest.raises(ArgumentError) as caught:
        find_parameter(name, network())
    told = str(caught.value)
    assert "a name is layers.0.weights[1,2]" in told
    assert "layers.0.weights (4, 6), layers.0.bias (6,)" in told
    assert "layers.2.weights (5, 3), layers.2.bias (3,)" in told


def test_a_gradient_of_0_has_no_direction():
    weights = replace(DATA, sample_weight=np.zeros(ROWS))
    with pytest.raises((ArgumentError, lossfw.EmptyReductionError), match=r"length 0|weight"):
        study(GRADIENT, data=weights)


def test_a_loss_of_groups_and_one_of_columns_have_their_curves():
    net = draw_network(random, (4, 1), [lossfw.activation("identity")])
    times = np.arange(ROWS) + 1.0
    group = np.arange(ROWS) // 7
    for name, column, given in (("cox", np.arange(ROWS) % 2, group), ("aft", times + 1, None)):
        loss, targets = lossfw.loss(name), np.stack([times, column], axis=1)
        data = replace(DATA, targets=targets, sample_weight=None, groups=group)
        metrics = (lossfw.metric("concordance"),) if name == "cox" else ()
        plan = Plan(data, loss, net, outputs_form="prediction", metrics=metrics)
        parameter = "layers.0.weights[2,0]"
        ways = np.array([-0.5, 0.0, 0.5])
        of = Study(plan, {"own": net}, parameter, find_parameter(parameter, net), ways)
        curve = of.run()["curves"]["own"]
        y = net.forward(DATA.inputs)[:, 0]
        assert curve["loss"][1] == pytest.approx(loss(y, targets, group=given), rel=1e-12)
        gradient = loss.gradient(y, targets, group=given) @ DATA.inputs[:, 2]
        assert curve["derivative"][1] == pytest.approx(gradient, rel=1e-10)
