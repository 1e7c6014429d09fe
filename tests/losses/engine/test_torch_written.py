"""A loss without a derivative is written out for PyTorch once it is called often."""

import copy
import io
import pickle

import numpy as np
import pytest

from lossfw import DistanceLoss, PointwiseLoss
from lossfw.bridges import torch as bridge
from support.author_losses import ELEMENTS, ROWS

torch = pytest.importorskip("torch")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402  # imports PyTorch

from lossfw.losses.engine import torch_written  # noqa: E402  # imports PyTorch

CALLS = torch_written._CALLS + 1


@pytest.fixture(autouse=True)
def _forget():
    torch_written._table.clear()


class Operations(TorchDispatchMode):
    """Counts operations."""

    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += 1
        return function(*args, **(kwargs or {}))


def step(criterion, y, t):
    y = y.clone().requires_grad_()
    with Operations() as operations:
        value = criterion(y, t)
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
    """A body that looks at values, which no graph can."""

    def value(self, xp, r):
        return r * r if bool((r > 0).any()) else -r


class ByLibrary(PointwiseLoss):
    """A body with other digits on expressions than on tensors."""

    def value(self, xp, y, t):
        return (y - t) ** 2 * (1.0 if isinstance(y, torch.Tensor) or hasattr(y, "value") else 1.1)


class Demanding(PointwiseLoss):
    """A body that fails at numbers which its spaces do not exclude."""

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


def test_the_table_does_not_grow_without_end(monkeypatch):
    monkeypatch.setattr(torch_written, "_MOST", 5)
    for shift in range(12):
        step(bridge.module(Shifted(shift=shift)), torch.randn(4), torch.randn(4))
        assert len(torch_written._table) <= 5


class Shifted(DistanceLoss):
    """A loss with a parameter, which may change with every call."""

    shift: float = 0.0

    def value(self, xp, r):
        return xp.square(r - self.shift)
