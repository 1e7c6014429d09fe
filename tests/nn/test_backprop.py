"""The backward pass against differences of the forward pass, for every pair that makes sense."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw
from lossfw.components.spaces import CLASS_INDEX, COUNT, SIMPLEX, FiniteSpace
from lossfw.evaluation.predictor import one_blas_thread
from lossfw.nn.backprop import loss_and_gradients
from support.exact_gradient import (
    WRAPPED,
    components,
    draw_network,
    error,
    fits,
    gradients,
    true_gradients,
)

# Both sides are sums of some hundred float64 terms of size 1, each right to some
# 1e-16; a guard's constant of 1e-7 and a small probability take away a few digits.
TOLERANCE = 1e-10

ALL = {**components("loss"), **{spec["name"]: lossfw.loss(spec) for spec in WRAPPED}}
# Networks of groups and of other named columns than two numbers have tests of their own.
LOSSES = {
    name: loss
    for name, loss in ALL.items()
    if not loss.takes_groups
    and (not loss.has_columns or (loss.prediction_space.size == 2 and not loss._takes_target_rows))
}
ACTIVATIONS = components("activation")
# A row activation inside of a network is as good as any.
HIDDEN = sorted(ACTIVATIONS)
# What may stand before a loss and let it learn.
LASTS = {
    name: [
        a
        for a in ACTIVATIONS.values()
        if fits(a, loss) and not a.claims().gradient_zero_almost_everywhere
    ]
    for name, loss in LOSSES.items()
}
ROWS, WIDTH, UNITS = 2, 2, 2


def draw_targets(random, loss, shape):
    """Draw targets from the space that a loss declares."""
    space = loss.target_space
    if loss.takes_rows and not loss._takes_target_rows:
        shape = shape[:-1]
    if space in (CLASS_INDEX, SIMPLEX):
        return random.dirichlet(np.ones(shape[-1]), shape[:-1])
    if isinstance(space, FiniteSpace):
        return random.choice(space.members, shape)
    if space is COUNT:
        return random.integers(0, 4, shape).astype(float)
    normal = random.normal(size=shape)
    anywhere = (normal, np.exp(normal), 1 / (1 + np.exp(normal)))
    return next(numbers for numbers in anywhere if space.outside_or_none(numbers) is None)


def compare(random, loss, hidden, last, *, weighted=False):
    """Return the error of the backward pass for one drawn network, fused or not."""
    while True:
        network = draw_network(random, (WIDTH, 2, UNITS), (hidden, last))
        rows = random.normal(size=(ROWS, WIDTH))
        y, space = network.forward(rows), last.out_space
        # On the edge of its space a loss may be infinite.
        if (y > getattr(space, "low", 0)).all() and (y < getattr(space, "high", 1)).all():
            break
    targets = draw_targets(random, loss, (ROWS, UNITS))
    weight = random.uniform(0.5, 2, ROWS) if weighted else None
    expected = last.to_config() == {"name": loss._expected_activation()}
    used, form = (loss.on_raw_outputs(), "logits") if expected else (loss, loss._input_form)
    found = gradients(network, used, form, rows, targets, weight)
    return error(found, true_gradients(network, used, form, rows, targets, weight))


@pytest.mark.turns(3)
@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_loss_and_a_few_last_activations(name):
    compare_pairs(name, few=3)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(LOSSES))
def test_every_pair_of_a_loss_and_a_last_activation(name):
    compare_pairs(name)


def compare_pairs(name, few=None):
    """Compare gradients for each last activation that fits, or for a few, by turns."""
    loss = LOSSES[name]
    fitting = LASTS[name]
    assert fitting, f"no activation gives what {name} takes"
    first = sorted(LOSSES).index(name) % len(fitting)
    for last in [*fitting[first:], *fitting[:first]][:few]:
        random = np.random.default_rng(zlib.crc32(f"{name} {last.name}".encode()))
        hidden = ACTIVATIONS[HIDDEN[random.integers(len(HIDDEN))]]
        found = compare(random, loss, hidden, last)
        assert found < TOLERANCE, f"{hidden.name}, {last.name}, {loss}: {found}"


@given(
    seed=st.integers(0, 2**32 - 1),
    loss=st.sampled_from(sorted(LOSSES)),
    hidden=st.sampled_from(HIDDEN),
    weighted=st.booleans(),
    data=st.data(),
)
def test_drawn_networks(seed, loss, hidden, weighted, data):
    last = data.draw(st.sampled_from(LASTS[loss]))
    random = np.random.default_rng(seed)
    found = compare(random, LOSSES[loss], ACTIVATIONS[hidden], last, weighted=weighted)
    assert found < TOLERANCE


def test_a_row_of_weight_2_is_that_row_twice_and_one_of_0_is_not_there():
    random = np.random.default_rng(0)
    network = draw_network(random, (3, 4, 2), (ACTIVATIONS["sigmoid"], ACTIVATIONS["identity"]))
    rows, targets = random.normal(size=(5, 3)), random.normal(size=(5, 2))
    order, loss = [0, 2, 2, 3, 4], lossfw.loss("huber")
    weighted = gradients(network, loss, "prediction", rows, targets, np.array([1.0, 0, 2, 1, 1]))
    twice = gradients(network, loss, "prediction", rows[order], targets[order])
    assert weighted == pytest.approx(twice, rel=1e-12, abs=1e-15)
    assert (gradients(network, loss, "prediction", rows, targets, np.zeros(5)) == 0).all()


def test_the_value_is_the_loss_and_the_inputs_stay_as_they_are():
    random = np.random.default_rng(0)
    network = draw_network(random, (3, 2), (ACTIVATIONS["identity"],))
    rows, targets = random.normal(size=(700, 3)), random.normal(size=(700, 2))
    before = rows.copy(), targets.copy()
    loss = lossfw.loss("squared_error")
    with one_blas_thread():
        value, _ = loss_and_gradients(network, loss, "prediction", rows, targets)
    assert value == pytest.approx(loss(network.forward(rows), targets), rel=1e-14)
    assert (rows == before[0]).all()
    assert (targets == before[1]).all()


@pytest.mark.parametrize("place", [0, 1])
def test_nothing_before_a_step_has_a_gradient_and_all_behind_it_has(place):
    random = np.random.default_rng(0)
    activations = [ACTIVATIONS["sigmoid"]] * 3
    activations[place] = ACTIVATIONS["step"]
    network = draw_network(random, (6, 5, 4, 3), activations)
    rows, targets = random.normal(size=(50, 6)), random.uniform(size=(50, 3))
    with one_blas_thread():
        _, found = loss_and_gradients(network, lossfw.loss("mse"), "prediction", rows, targets)
    for number, layer in enumerate(found):
        for part in layer:
            assert (part == 0).all() == (number <= place)
