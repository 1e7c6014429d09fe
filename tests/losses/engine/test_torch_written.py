"""Losses in PyTorch: the engine's digits on the processor, and functions that are written out."""

import copy
import io
import pickle

import numpy as np
import pytest

import lossfw
from lossfw import REAL, Columns, DistanceLoss, PointwiseLoss, Vector
from lossfw.bridges import torch as bridge
from support.author_columns import COLUMNS, Burr, Preference
from support.author_losses import ELEMENTS, ROWS
from support.column_members import OF_COLUMNS, drawn_members

torch = pytest.importorskip("torch")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402  # imports PyTorch

from lossfw.losses.engine import torch_fast_path, torch_written  # noqa: E402  # imports PyTorch

CALLS = torch_written._CALLS + 1


@pytest.fixture(autouse=True)
def _forget():
    torch_written._table.clear()


class Operations(TorchDispatchMode):
    """Counts operations, as on an accelerator, where the engine cannot compute."""

    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += 1
        return function(*args, **(kwargs or {}))


def step(call, y, *t):
    y = y.clone().requires_grad_()
    with Operations() as operations:
        value = call(y, *t)
        value.backward()
    return value.detach(), y.grad, operations.count


def assert_same(found, expected):
    for one, other in zip(found[:2], expected[:2], strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def arguments(rows, columns=10):
    rng = np.random.default_rng(1)
    y = torch.softmax(torch.tensor(rng.normal(size=(rows, columns)), dtype=torch.float32), -1)
    return y, torch.tensor(rng.integers(0, columns, rows))


@pytest.mark.parametrize("loss", [pair[0]() for pair in (*ELEMENTS, *ROWS)], ids=repr)
def test_a_step_launches_fewer_operations_and_has_the_same_bits(loss):
    y, t = arguments(64) if loss.takes_rows else (torch.randn(64), torch.randn(64))
    criterion = bridge.module(loss, fuse=False)
    steps = [step(criterion, y, t) for _ in range(CALLS)]
    for found in steps:
        assert_same(found, steps[0])
    assert steps[-1][2] < steps[0][2]
    # Another size needs no other function.
    for rows in (1, 200):
        y, t = arguments(rows) if loss.takes_rows else (torch.randn(rows), torch.randn(rows))
        found = step(criterion, y, t)
        torch_written._table.clear()
        assert_same(found, step(criterion, y, t))


class ByValues(DistanceLoss):
    def value(self, xp, r):
        return r * r if bool((r > 0).any()) else -r


class ByLibrary(PointwiseLoss):
    def value(self, xp, y, t):
        return (y - t) ** 2 * (1.0 if isinstance(y, torch.Tensor) or hasattr(y, "value") else 1.1)


class Demanding(PointwiseLoss):
    def value(self, xp, y, t):
        if isinstance(y, torch.Tensor) and bool(torch.isinf(y).any()):
            raise OverflowError
        return (y - t) ** 2


@pytest.mark.parametrize("loss", [ByValues(), ByLibrary(), Demanding()], ids=repr)
def test_a_body_without_a_faithful_graph_runs_itself(loss):
    criterion = bridge.module(loss)
    y, t = torch.randn(64), torch.randn(64)
    steps = [step(criterion, y, t) for _ in range(CALLS)]
    assert steps[0][2] == steps[-1][2]
    assert_same(steps[0], steps[-1])


def test_a_module_with_a_written_function_is_copied_and_saved():
    criterion = bridge.module(ELEMENTS[0][0]())
    y, t = torch.randn(64), torch.randn(64)
    expected = [step(criterion, y, t) for _ in range(CALLS)][-1]
    file = io.BytesIO()
    torch.save(criterion, file)
    file.seek(0)
    saved = torch.load(file, weights_only=False)
    for again in (copy.deepcopy(criterion), pickle.loads(pickle.dumps(criterion)), saved):
        assert_same(step(again, y, t), expected)


class Shifted(DistanceLoss):
    shift: float = 0.0

    def value(self, xp, r):
        return xp.square(r - self.shift)


def test_the_table_does_not_grow_without_end(monkeypatch):
    monkeypatch.setattr(torch_written, "_MOST", 5)
    for shift in range(12):
        step(bridge.module(Shifted(shift=shift)), torch.randn(4), torch.randn(4))
        assert len(torch_written._table) <= 5


# Losses of named columns.


def members(loss, dtype="float64", rows=60):
    """Return tensors of members without infinities, of which losses and derivatives are finite."""
    y, t = drawn_members(loss, dtype)
    with np.errstate(all="ignore"):
        derivatives = loss.gradient(y, t, reduction="none").reshape(len(y), -1)
        sizes = np.abs(
            np.concatenate([x.reshape(len(x), -1) for x in (y, t, derivatives)], axis=-1)
        )
    usual = np.flatnonzero((sizes < 1e4).all(axis=-1))[:rows]
    return torch.from_numpy(y[usual]), torch.from_numpy(t[usual])


def fast(loss, y, t, *, mean=True):
    return torch_fast_path.compute(loss, y, t, mean=mean, checked=True)


def derivatives_of(value, y, **options):
    return torch.autograd.grad(value, y, **options)[0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", [*OF_COLUMNS, *(kind() for kind in COLUMNS)], ids=repr)
def test_the_processor_has_the_digits_of_numpy(loss, dtype):
    y, t = members(loss, dtype)
    for reduction in ("mean", "sum"):
        value, gradient = loss.value_and_gradient(y.numpy(), t.numpy(), reduction=reduction)
        leaf = y.clone().requires_grad_()
        found = fast(loss, leaf, t, mean=reduction == "mean")
        assert found.dtype == y.dtype
        assert "Engine" in found.grad_fn.name()
        assert found.item() == y.new_tensor(value).item()
        np.testing.assert_array_equal(derivatives_of(found, leaf).numpy(), gradient)
        assert fast(loss, y, t, mean=reduction == "mean").item() == found.item()


# Vectors of one size have an axis of their own.
@pytest.mark.parametrize(
    "loss", [Preference(), Burr(), *map(lossfw.loss, ("triplet_margin", "aft", "crps_normal"))]
)
@pytest.mark.parametrize("mean", [True, False])
def test_second_derivatives_are_those_of_a_plain_call(loss, mean):
    y, t = members(loss)

    def twice(call):
        leaf = y.clone().requires_grad_()
        first = derivatives_of(call(leaf), leaf, create_graph=True)
        return first.detach(), derivatives_of((first * first.detach()).sum(), leaf)

    found = twice(lambda leaf: fast(loss, leaf, t, mean=mean))
    wanted = twice(lambda leaf: loss(leaf, t, reduction="mean" if mean else "sum"))
    assert found[1].shape == y.shape
    assert (found[1] != 0).any()
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-12)


def test_a_wrong_call_takes_the_usual_path():
    y, t = (x.clone() for x in members(Burr()))
    leaf = y.requires_grad_()
    assert fast(Burr(), leaf, t) is not None
    assert fast(Burr(), leaf, t[:5]) is None
    assert fast(Burr(), leaf, t.float()) is None
    assert fast(Burr(), leaf[:, :2], t) is None
    assert fast(Burr(), leaf[0], t[0]) is None
    assert fast(Burr(), leaf[0, 0], t[0]) is None
    assert fast(Burr(), leaf, -t) is None
    assert fast(lossfw.loss("triplet_margin"), leaf, t) is None


def options(name, rows):
    weight, where = torch.linspace(0.0, 2.0, rows), torch.arange(rows) % 3 > 0
    every = {"plain": {}, "weights": {"sample_weight": weight}, "mask": {"where": where}}
    return every[name]


@pytest.mark.parametrize("given", ["library", "plain", "weights", "mask"])
@pytest.mark.parametrize("kind", COLUMNS)
def test_a_step_of_columns_launches_fewer_operations_and_has_the_same_bits(kind, given):
    loss = kind()
    y, t = members(loss, "float32")

    def call(leaf):
        if given == "library":
            return fast(loss, leaf, t)
        return loss(leaf, t, **options(given, len(y)))

    steps = [step(call, y) for _ in range(CALLS)]
    for found in steps:
        assert_same(found, steps[0])
    assert steps[-1][2] < steps[0][2]


class Distance(PointwiseLoss):
    prediction = Columns.of(a=Vector.of(REAL), b=Vector.of(REAL))

    def value(self, xp, y, t):
        return (xp.sum((y.a - y.b) ** 2, axis=-1) - t) ** 2


@pytest.mark.parametrize("length", [8, 40])
def test_a_body_of_few_operations_runs_itself(length):
    rng = np.random.default_rng(0)
    y, t = torch.from_numpy(rng.normal(size=(30, 2, length))), torch.from_numpy(rng.normal(size=30))
    steps = [step(lambda leaf: Distance()(leaf, t), y) for _ in range(CALLS)]
    assert steps[0][2] == steps[-1][2]
    assert_same(steps[0], steps[-1])


# A gradient is handed over without a copy, and whoever has it may write to it.
@pytest.mark.parametrize("loss", [Preference(), lossfw.loss("huber")])
def test_each_pass_back_has_a_gradient_of_its_own(loss):
    y, t = members(loss, "float32")
    leaf = y.clone().requires_grad_()
    whole = fast(loss, leaf, t)
    wanted = loss.gradient(y.numpy(), t.numpy())
    first, second = (derivatives_of(whole, leaf, retain_graph=True) for _ in range(2))
    first.zero_()
    np.testing.assert_array_equal(second.numpy(), wanted)
    third = derivatives_of(whole, leaf, grad_outputs=torch.tensor(3.0), retain_graph=True)
    np.testing.assert_array_equal(third.numpy(), np.float32(3.0) * wanted)
    several = derivatives_of(
        whole, leaf, grad_outputs=torch.tensor([1.0, 2.0]), is_grads_batched=True, retain_graph=True
    )
    np.testing.assert_array_equal(several.numpy(), np.stack([wanted, np.float32(2.0) * wanted]))
    whole.backward()
    np.testing.assert_array_equal(leaf.grad.numpy(), wanted)
    with pytest.raises(RuntimeError, match="second time"):
        whole.backward()


def test_arguments_that_have_changed_have_no_pass_back():
    y, t = members(Preference(), "float32")
    middle = y.clone().requires_grad_() * 1.0
    whole = fast(Preference(), middle, t)
    middle.detach().add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        whole.backward()
