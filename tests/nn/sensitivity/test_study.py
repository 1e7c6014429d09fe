"""The study of sensitivity: curves, stairs and zeros against the network itself."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import lossfw
from lossfw.data import Dataset
from lossfw.errors import ArgumentError
from lossfw.evaluation.predictor import one_blas_thread
from lossfw.metrics import LossMetric
from lossfw.nn.backprop import loss_and_gradients
from lossfw.nn.dense import Dense, Network
from lossfw.nn.sensitivity.breakpoints import Jump, Staircase, bisect
from lossfw.nn.sensitivity.crossings import LogitGaps, find_hidden_changes
from lossfw.nn.sensitivity.directions import along, along_parameter, drawn, find_parameter
from lossfw.nn.sensitivity.study import Study, study_sensitivity
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


def network(hidden="sigmoid"):
    activations = [lossfw.activation(name) for name in (hidden, hidden, "softmax")]
    return draw_network(np.random.default_rng(1), (4, 6, 5, 3), activations)


def study(*directions, **changes):
    net = changes.pop("network", network())
    parts = {"metrics": (ACCURACY,), "variants": {"own": net}, **changes}
    return Study(DATA, net, LOSS, "logits", directions=directions, offsets=WAYS, **parts)


def curve_of(name):
    """Return the curve of the network along a parameter."""
    net = network()
    return study_sensitivity(study(along_parameter(find_parameter(name, net), net))).curves[0]


def moved(net, name, way):
    """Return a network one parameter of which has moved, built anew."""
    parameter = find_parameter(name, net)
    layers = [
        Dense(layer.weight.copy(), layer.bias.copy(), layer.activation) for layer in net.layers
    ]
    layer = layers[parameter.layer]
    (layer.weight if parameter.part == "weights" else layer.bias)[parameter.place] += way
    return Network(tuple(layers))


def right(net):
    return (net.forward(DATA.inputs).argmax(1) == DATA.targets).astype(float)


NAMES = ["layers.0.weights[2,3]", "layers.0.bias[5]", "layers.1.weights[0,4]", "layers.2.bias[1]"]
LAST = ["layers.2.weights[4,0]", "layers.2.weights[0,2]", "layers.2.bias[1]"]


@pytest.mark.parametrize("name", [*NAMES, *LAST])
def test_the_curves_are_those_of_the_network_with_the_parameter_changed(name):
    net, curve = network(), curve_of(name)
    for way, loss, accuracy in zip(WAYS, curve.loss, curve.metrics["accuracy"], strict=True):
        other = moved(net, name, way)
        z = other.logits(DATA.inputs)
        assert loss == pytest.approx(
            LOSS(z, DATA.targets, sample_weight=DATA.sample_weight), rel=1e-12
        )
        assert accuracy == ACCURACY(z, DATA.targets, sample_weight=DATA.sample_weight)


@pytest.mark.parametrize("hidden", ["sigmoid", "relu", "tanh"])
def test_slopes_are_those_of_the_backward_pass(hidden):
    net = network(hidden)
    with one_blas_thread():
        _, slopes = loss_and_gradients(
            net, LOSS, "logits", DATA.inputs, DATA.targets, DATA.sample_weight
        )
    here = int(np.flatnonzero(WAYS == 0)[0])
    directions = [along("gradient", slopes), *drawn(net, 3, seed=5)]
    directions += [along_parameter(find_parameter(name, net), net) for name in NAMES]
    result = study_sensitivity(study(*directions, network=net))
    for direction, curve in zip(directions, result.curves, strict=True):
        wanted = sum(
            np.sum(slope * move)
            for layer, moves in zip(slopes, direction.layers, strict=True)
            if moves is not None
            for slope, move in zip(layer, moves, strict=True)
        )
        assert curve.slope[here] == pytest.approx(wanted, rel=1e-10, abs=1e-14)
    # Uphill along the gradient the slope is its length.
    length = np.sqrt(sum(np.sum(part**2) for layer in slopes for part in layer))
    assert result.curves[0].slope[here] == pytest.approx(length, rel=1e-10)


def test_a_slope_is_the_change_of_the_loss_over_the_whole_way():
    # The trapezoid rule over the slopes gives back the loss, to the square of the step.
    for name in NAMES:
        curve = curve_of(name)
        grown = np.trapezoid(curve.slope, WAYS)
        scale = np.abs(curve.slope).max() * (WAYS[-1] - WAYS[0])
        assert curve.loss[-1] - curve.loss[0] == pytest.approx(grown, abs=1e-2 * scale)


@pytest.mark.parametrize("name", [*NAMES, *LAST])
def test_jumps_are_between_neighbouring_floats_and_add_up(name):
    net, stairs = network(), curve_of(name).stairs["accuracy"]
    for jump in stairs.jumps:
        assert np.nextafter(jump.last, np.inf) == jump.at
        assert {jump.before, jump.after} == {0.0, 1.0}
    first, last = (right(moved(net, name, way)) for way in (WAYS[0], WAYS[-1]))
    for jump in stairs.jumps:
        first[jump.row] += jump.after - jump.before
    assert (first == last).all()


@pytest.mark.parametrize("name", LAST)
def test_between_two_jumps_of_the_last_layer_nothing_changes(name):
    net, jumps = network(), curve_of(name).stairs["accuracy"].jumps
    assert jumps
    state = right(moved(net, name, WAYS[0]))
    edges = [WAYS[0], *(jump.at for jump in jumps), WAYS[-1]]
    for number, (low, high) in enumerate(pairwise(edges)):
        if number:
            state[jumps[number - 1].row] = jumps[number - 1].after
        for way in random.uniform(low, high, 1):
            if low + 1e-9 < way < high - 1e-9:  # the network itself rounds otherwise
                assert (right(moved(net, name, way)) == state).all()


def test_the_flat_interval_holds_the_value_and_nothing_changes_in_it():
    net = network()
    for name in NAMES:
        low, high = curve_of(name).stairs["accuracy"].flat
        assert low <= 0 <= high
        state = right(net)
        for way in random.uniform(low, high, 20):
            assert (right(moved(net, name, way)) == state).all()


@pytest.mark.slow
def test_a_coarse_grid_finds_the_jumps_of_a_fine_one(monkeypatch):
    seed = 1
    activations = [lossfw.activation(name) for name in ("sigmoid", "tanh", "softmax")]
    net = draw_network(np.random.default_rng(seed), (4, 6, 5, 3), activations)

    def jumps(points):
        ways = np.linspace(-24, 24, points)
        job = Study(DATA, net, LOSS, "logits", (ACCURACY,), tuple(drawn(net, 2, seed)), ways)
        curves = study_sensitivity(job).curves
        return [
            {(jump.row, round(jump.at, 6)) for jump in curve.stairs["accuracy"].jumps}
            for curve in curves
        ]

    coarse, fine = jumps(41), jumps(801)
    assert coarse == fine
    # It is the closer look that finds them: without it a row that jumps twice is not seen.
    nowhere = np.empty(0, int), np.empty(0)
    monkeypatch.setattr("lossfw.nn.sensitivity.study.find_hidden_changes", lambda *_: nowhere)
    assert sum(map(len, jumps(41))) < sum(map(len, coarse))


def test_a_dip_and_two_meetings_are_found_and_nothing_else():
    # Four rows of three units, the target being unit 0: row 0 dips, row 1 meets one
    # logit after the other, row 2 meets a single one, row 3 none.
    def ask(ways, rows):
        x = np.broadcast_to(ways, rows.shape)
        a = np.array([(x - 0.41) ** 2 - 1e-6, x - 0.3, x - 0.5, x + 3])[rows, np.arange(rows.size)]
        b = np.array([x + 9, 0.4 - x, x + 9, x + 3])[rows, np.arange(rows.size)]
        da = np.where(rows == 0, 2 * (x - 0.41), 1.0)
        db = np.where(rows == 1, -1.0, 1.0)
        zero = np.zeros_like(a)
        return LogitGaps(np.stack([zero, a, b], 1), np.stack([zero, da, db], 1))

    every = np.arange(4)
    ends = (ask(np.full(4, end), every) for end in (0.0, 1.0))
    rows, ways = find_hidden_changes(ask, 0.0, 1.0, *ends)
    assert rows.tolist() == [0, 1]
    assert ways == pytest.approx([0.41, 0.35], abs=1e-3)


def test_shares_of_the_way():
    jumps = (Jump(0.5, np.nextafter(0.5, 0), 7, 0.0, 1.0), Jump(1.0, np.nextafter(1.0, 0), 8, 1, 0))
    stairs = Staircase(jumps, (0.0, np.nextafter(0.5, 0)), (-1.0, 3.0))
    assert stairs.pieces == ((-1.0, np.nextafter(0.5, 0)), (0.5, np.nextafter(1.0, 0)), (1.0, 3.0))
    assert stairs.longest == (1.0, 3.0)
    assert stairs.jumping == (2.0**-54 + 2.0**-53) / 4
    assert stairs.to_dict()["flat_share"] == np.nextafter(0.5, 0) / 4
    assert Staircase((), (-1.0, 3.0), (-1.0, 3.0)).longest == (-1.0, 3.0)


def test_a_halving_ends_at_neighbours_also_at_0_and_between_huge_numbers():
    edge = np.array([0.0, 1.0, -1e300, 5e-324, 3.7])
    ends = np.full(5, 1.5e300)
    low, high, new = bisect(
        lambda ways, items: (ways >= edge[items]).astype(float),
        -ends,
        ends,
        np.zeros(5),
        np.ones(5),
    )
    assert (high == edge).all()
    assert (low == np.nextafter(edge, -np.inf)).all()
    assert (new == 1).all()


@pytest.fixture(scope="module")
def result():
    """A study of the network and of one with steps in the place of its sigmoids."""
    net = network()
    parameter = find_parameter("layers.0.weights[2,3]", net)
    variants = {"sigmoid": net, "step": network("step")}
    direction = along_parameter(parameter, net)
    return study_sensitivity(study(direction, variants=variants, parameter=parameter))


class TestSteps:
    def test_before_the_last_layer_every_derivative_is_exactly_0(self, result):
        zeros = result.zeros
        assert zeros["step"].parameters == (4 * 6 + 6, 6 * 5 + 5, 5 * 3 + 3)
        # Behind a unit that is never 1 the last layer has no slope either.
        assert zeros["step"].loss == (30, 35, zeros["step"].unseen[2])
        assert zeros["step"].unseen[2] < 15
        assert zeros["sigmoid"].loss == (0, 0, 0)

    def test_the_loss_jumps_and_its_slope_is_0(self, result):
        curve = result.variants["step"]
        assert (curve.slope == 0).all()
        assert len(set(curve.loss.tolist())) > 1

    def test_accuracy_has_no_derivative_but_0_with_either(self, result):
        zeros = result.zeros
        assert zeros["sigmoid"].moved == (25, 25, 18)
        assert zeros["sigmoid"].metrics["accuracy"] == (25, 25, 18)
        assert zeros["step"].metrics["accuracy"] == (25, 25, 18)
        # Of a step that is not known for the parameters that were not moved.
        steady = [zeros[name].steady["accuracy"] for name in ("sigmoid", "step")]
        assert steady == [True, False]

    def test_a_tie_is_no_steady_row(self):
        net = network()
        last = net.layers[-1]
        even = Dense(np.zeros_like(last.weight), np.zeros_like(last.bias), last.activation)
        tied = Network((*net.layers[:-1], even))
        direction = along_parameter(find_parameter("layers.2.bias[0]", net), net)
        zeros = study_sensitivity(study(direction, network=tied)).zeros["own"]
        assert zeros.steady == {"accuracy": False}
        # Every weight and bias of the last layer decides between equal classes.
        assert zeros.metrics["accuracy"][2] == 0


def test_inputs_that_are_always_0_are_told_apart():
    data = Dataset("d", DATA.targets, DATA.inputs * [1, 0, 1, 0])
    net = network()
    direction = along_parameter(find_parameter("layers.2.bias[0]", net), net)
    job = Study(data, net, LOSS, "logits", (), (direction,), WAYS, {"own": net})
    zeros = study_sensitivity(job).zeros["own"]
    assert zeros.unseen == zeros.loss == (12, 0, 0)


def test_a_loss_among_the_metrics_has_its_slope_too():
    net = network()
    direction = along_parameter(find_parameter("layers.1.weights[0,4]", net), net)
    metrics = (LossMetric(of={"name": "cross_entropy", "guard": "none"}), ACCURACY)
    curve = study_sensitivity(study(direction, metrics=metrics)).curves[0]
    assert curve.metrics["cross_entropy"] == pytest.approx(curve.loss.tolist(), rel=1e-9)
    assert curve.slopes["cross_entropy"] == pytest.approx(curve.slope.tolist(), rel=1e-7)
    assert list(curve.slopes) == ["cross_entropy"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("layers.3.weights[0,0]", "there is no layers.3"),
        ("layers.0.weights[4,0]", "weights of layers.0 have shape (4, 6)"),
        ("layers.0.weights[0]", "weights of layers.0 have shape (4, 6)"),
        ("layers.0.bias[0,0]", "bias of layers.0 have shape (6,)"),
        ("layers.0.weight[0,0]", "did you mean 'weights'"),
        ("layers.0.gain[0]", "weights and bias are"),
        ("layers.-1.bias[0]", "a name is layers.0.weights[1,2]"),
        ("W1[0,0]", "a name is layers.0.weights[1,2]"),
        ("", "a name is layers.0.weights[1,2]"),
    ],
)
def test_a_parameter_that_is_not_there_gets_a_list_of_those_that_are(name, why):
    with pytest.raises(ArgumentError) as caught:
        find_parameter(name, network())
    told = str(caught.value)
    assert why in told
    assert "layers.0.weights (4, 6), layers.0.bias (6,)" in told
    assert "layers.2.weights (5, 3), layers.2.bias (3,)" in told


def test_a_gradient_of_0_is_no_direction():
    net = network()
    still = [
        type(slope)(slope.weight * 0, slope.bias * 0)
        for slope in loss_and_gradients(net, LOSS, "logits", DATA.inputs, DATA.targets)[1]
    ]
    with pytest.raises(ArgumentError, match=r"the gradient has length 0\.0"):
        along("gradient", still)


def test_a_loss_of_groups_and_one_of_columns_have_their_curves():
    network = draw_network(random, (4, 1), [lossfw.activation("identity")])
    times = np.arange(ROWS) + 1.0
    group = np.arange(ROWS) // 7
    parameter = find_parameter("layers.0.weights[2,0]", network)
    for name, column, given in (("cox", np.arange(ROWS) % 2, group), ("aft", times + 1, None)):
        loss, targets = lossfw.loss(name), np.stack([times, column], axis=1)
        data = replace(DATA, targets=targets, sample_weight=None, groups=group)
        metrics = (lossfw.metric("concordance"),) if name == "cox" else ()
        along, ways = (along_parameter(parameter, network),), np.array([-0.5, 0.0, 0.5])
        job = Study(data, network, loss, "prediction", metrics, along, ways, parameter=parameter)
        (curve,) = study_sensitivity(job).curves
        y = network.forward(DATA.inputs)[:, 0]
        assert curve.loss[1] == pytest.approx(loss(y, targets, group=given), rel=1e-12)
        slope = loss.gradient(y, targets, group=given) @ DATA.inputs[:, 2]
        assert curve.slope[1] == pytest.approx(slope, rel=1e-10)
