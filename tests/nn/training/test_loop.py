"""Training: it learns, to the same bits each time, and stops where it should."""

import math

import numpy as np
import pytest

import lossfw
from lossfw.data import Dataset
from lossfw.errors import ArgumentError, DivergenceError, DomainError, DtypeError, RunError
from lossfw.models.training import checkpoint
from lossfw.models.training.loop import train
from lossfw.nn.optimizer import Optimizer
from lossfw.nn.schedules import SCHEDULES
from lossfw.nn.seeding import held_out_units

# A network that predicts one number as it is.
ONE_NUMBER = {"units": (1,), "activations": ("identity",), "metrics": (), "form": "prediction"}


class StoppedError(Exception):
    pass


def sgd(**parameters):
    return lossfw.registry().create("optimizer", "sgd", **parameters)


class Returning(Optimizer):
    what: str

    def initial_state(self, parameter):
        return np.zeros_like(parameter) if self.what == "start" else ()

    def update(self, parameter, gradient, memory, step):
        moved = parameter - step.rate * gradient
        return {
            "bare": moved,
            "state": (moved, moved),
            "single": (moved.astype("f4"), ()),
            # Infinite after three epochs.
            "late": (moved if step.number <= 3 * 19 else moved * np.inf, ()),
        }.get(self.what)


def arrays(network):
    return list(network.named_arrays.values())


def same(first, second):
    """Tell whether two trainings gave the same bits."""
    pairs = zip(arrays(first.network), arrays(second.network), strict=True)
    return first.to_dict() == second.to_dict() and all((a == b).all() for a, b in pairs)


def until(epoch, kept):
    """Return a `save` that keeps states and interrupts after an epoch."""

    def save(state):
        kept.append(state)
        if state.done == epoch:
            raise StoppedError

    return save


def test_it_learns(training, two_rings):
    trained = train(training(epochs=30))
    first, last = trained.history[0].train, trained.history[-1].train
    assert last.loss < 0.2 * first.loss
    assert last.metrics["accuracy"] > 0.97
    assert [epoch.number for epoch in trained.history] == list(range(31))
    assert (trained.kept_epoch, trained.stopped) == (30, "epochs")
    y = trained.network.forward(two_rings.inputs)
    exact = lossfw.loss("cross_entropy", guard="none")(y, two_rings.targets)
    assert last.loss == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("batch_size", [1, 7, 600, 10_000])
def test_any_batch_size_sees_every_row_once_in_an_epoch(batch_size, training):
    job = training(batch_size=batch_size, epochs=1)
    seen = []
    train(job, progress=lambda done, total: seen.append((done, total)))
    assert len(seen) == math.ceil(600 / batch_size)
    assert seen[-1] == (600, 600)
    assert seen[0] == (min(batch_size, 600), 600)


def test_a_training_repeats_itself_and_the_seed_changes_it(training, two_rings, tmp_path):
    first = train(training())
    np.save(tmp_path / "x.npy", two_rings.inputs)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    data = Dataset("rings", targets=two_rings.targets, inputs=mapped)
    assert same(first, train(training(data=data)))
    assert not same(first, train(training(seed=1)))


def test_the_number_of_threads_changes_no_bit(training):
    found = []
    for count in (1, 3):
        with lossfw.threads(count):
            found.append(train(training(batch_size=600 * 2, epochs=3)))
    assert same(*found)


def test_one_batch_of_all_rows_is_plain_gradient_descent(training, two_rings):
    job = training(
        optimizer=sgd(learning_rate=0.3),
        epochs=1,
        batch_size=600,
        units=(2,),
        activations=("softmax",),
    )
    trained = train(job)
    layer = job.network.layers[0]
    y = job.network.forward(two_rings.inputs)
    gradient = (y - np.eye(2)[two_rings.targets]) / 600
    w, b = arrays(trained.network)
    assert w == pytest.approx(layer.weight - 0.3 * two_rings.inputs.T @ gradient, rel=1e-12)
    assert b == pytest.approx(layer.bias - 0.3 * gradient.sum(0), rel=1e-12)
    moves = (np.abs(w - layer.weight).max(), np.abs(b - layer.bias).max())
    assert trained.moved == (max(moves),)


def test_a_row_of_weight_0_teaches_nothing(training, two_rings):
    weight = np.ones(600)
    weight[300:] = 0
    inputs = two_rings.inputs.copy()
    jobs = []
    for wild in (0.0, 1e3):
        inputs[300:] = wild
        data = Dataset("d", two_rings.targets, inputs.copy(), weight)
        jobs.append(train(training(data=data, epochs=2)))
    assert same(*jobs)


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine", "exponential"])
def test_the_rate_follows_the_schedule(schedule, training):
    trained = train(training(schedule=SCHEDULES[schedule](), batch_size=600, epochs=4))
    wanted = {
        "constant": [1, 1, 1, 1],
        "linear": [1, 0.75, 0.5, 0.25],
        "cosine": [(1 + math.cos(math.pi * i / 4)) / 2 for i in range(4)],
        "exponential": [0.95**i for i in range(4)],
    }[schedule]
    rates = [epoch.rate for epoch in trained.history]
    assert rates == pytest.approx([0, *(0.02 * factor for factor in wanted)])


class TestResume:
    @pytest.mark.turns(5)
    @pytest.mark.parametrize("stop", [0, 1, 5])
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"optimizer": sgd(learning_rate=0.1, momentum=0.9)},
            {"patience": 2},
            {"schedule": SCHEDULES["cosine"]()},
        ],
        ids=str,
    )
    def test_it_ends_with_the_bits_of_an_undisturbed_run(
        self, stop, changes, training, two_rings, tmp_path
    ):
        if "patience" in changes:
            held = held_out_units(600, 0, fraction=0.3)
            rest = np.setdiff1d(np.arange(600), held)
            changes = {**changes, "held_out": two_rings.take(held), "data": two_rings.take(rest)}
        job = training(**changes)
        kept = []
        with pytest.raises(StoppedError):
            train(job, save=until(stop, kept))
        file = tmp_path / "checkpoint.npz"
        file.write_bytes(checkpoint.to_bytes(job, kept[-1]))
        assert same(train(job, start=checkpoint.read(file, job)), train(job))


class TestPatience:
    def job(self, training, two_rings, **changes):
        # Held-out targets are drawn by lot: soon there is nothing to gain on them.
        random = np.random.default_rng(1)
        held = Dataset("lots", random.integers(0, 2, 200), two_rings.inputs[:200])
        return training(held_out=held, epochs=60, **changes)

    def test_it_stops_and_keeps_the_best(self, training, two_rings):
        job = self.job(training, two_rings, patience=3)
        trained = train(job)
        losses = [epoch.held_out.loss for epoch in trained.history]
        assert trained.stopped == "patience"
        assert trained.kept_epoch == int(np.argmin(losses))
        assert len(losses) - 1 == trained.kept_epoch + 3
        y = trained.network.forward(job.held_out.inputs)
        exact = lossfw.loss("cross_entropy", guard="none")(y, job.held_out.targets)
        assert exact == pytest.approx(min(losses), rel=1e-12)

    def test_a_share_has_at_least_one_row_and_not_all_and_follows_the_seed(self):
        for rows, share in ((2, 0.01), (2, 0.99), (10, 0.25), (597, 0.5)):
            held = held_out_units(rows, 3, fraction=share)
            assert 0 < len(set(held.tolist())) < rows
            assert set(held.tolist()) <= set(range(rows))
        first, second = (held_out_units(100, seed, fraction=0.2).tolist() for seed in (0, 1))
        assert first != second


class TestDivergence:
    def test_a_rate_of_1e9_stops_at_once_with_all_that_is_known(self, training):
        kept = []
        with pytest.raises(DivergenceError) as caught:
            train(training(optimizer=sgd(learning_rate=1e9)), save=kept.append)
        told = str(caught.value)
        assert "epoch 1, batch 1: the loss is " in told
        assert "in layer" in told
        assert "Lower the learning rate" in told
        assert [state.done for state in kept] == [0]

    def test_the_last_good_epoch_is_kept(self, training):
        job, kept = training(optimizer=Returning(learning_rate=0.1, what="late")), []
        with pytest.raises(DivergenceError, match=r"in epoch 4, batch 1: .* weight is (inf|nan)"):
            train(job, save=kept.append)
        assert [state.done for state in kept] == [0, 1, 2, 3]
        assert all(
            np.isfinite(array).all() for array in arrays(job.model.load_predictor(kept[-1].content))
        )

    def test_a_loss_that_is_infinite_before_any_step(self, training):
        data = Dataset("d", targets=np.ones((4, 1)), inputs=-np.ones((4, 1)))
        job = training(data=data, loss=lossfw.loss("exponential"), **ONE_NUMBER)
        job.network.layers[0].weight[...] = 1e4
        with pytest.raises(DivergenceError, match="before any step is inf"):
            train(job)


@pytest.mark.parametrize(
    ("bias", "error", "when"),
    [
        (0.1, RunError, "After epoch 1, a prediction is outside of its space: "),
        (2.0, DomainError, ""),
    ],
)
def test_a_prediction_that_leaves_its_space_says_when(bias, error, when, training):
    data = Dataset("d", targets=np.full((8, 1), 0.5), inputs=np.ones((8, 1)))
    loss = lossfw.loss("binary_cross_entropy")
    job = training(data=data, loss=loss, optimizer=sgd(learning_rate=1e3), **ONE_NUMBER)
    job.network.layers[0].weight[...] = 0.1
    job.network.layers[0].bias[...] = bias
    with pytest.raises(error, match=rf"^{when}.*lies outside UNIT.* Give the last layer"):
        train(job)


@pytest.mark.parametrize(
    ("what", "error", "message"),
    [
        ("single", DtypeError, "optimizer returning made float32"),
        ("start", ArgumentError, "optimizer returning returned a ndarray; expected a tuple of"),
        ("nothing", ArgumentError, "update of the optimizer returning returned None; expected"),
        ("bare", ArgumentError, "returned a ndarray; expected the moved"),
        ("state", ArgumentError, r"returned \(ndarray, ndarray\); expected the moved"),
    ],
)
def test_what_an_optimizer_returns_is_told_in_words(what, error, message, training):
    with pytest.raises(error, match=message):
        train(training(optimizer=Returning(learning_rate=0.1, what=what)))
