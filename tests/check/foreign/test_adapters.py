"""Adapters: functions of other libraries as the harness calls them."""

import sys
import types

import numpy as np
import pytest

from lossfw.check.foreign.conventions import adapt, load_function
from lossfw.errors import ArgumentError


def load(name, **parameters):
    return adapt(name, load_function(name), parameters)


def square(y, t, factor=1.0):
    return factor * (y - t) ** 2


def test_a_function_of_nobody_is_called_as_it_is():
    adapted = adapt("mine:square", square, {"factor": 0.5, "delta": 3.0})
    assert adapted.value(3.0, 1.0) == 2.0
    assert (adapted.gradient, adapted.reduce) == (None, None)
    assert "mine.square(y, t, factor=0.5)" in adapted.setup
    assert adapt("mine:square", square).value is square


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return the working folder, whose modules are forgotten."""
    monkeypatch.chdir(tmp_path)
    for name in ("wave", "of_mine", "more_of_mine"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    before = set(sys.modules)
    yield tmp_path
    for name in sys.modules.keys() - before:
        del sys.modules[name]


def test_a_file_called_as_a_library_is_in_nobodys_way(folder):
    (folder / "wave.py").write_text("raise RuntimeError('not meant')")
    (folder / "of_mine.py").write_text("import wave\nimport more_of_mine\nopen = wave.open")
    (folder / "more_of_mine.py").write_text("")
    path = list(sys.path)
    assert load_function("of_mine:open").__module__ == "wave"
    assert sys.path == path


def test_a_file_that_cannot_be_imported_is_not_remembered(folder):
    (folder / "more_of_mine.py").write_text("raise RuntimeError('in the middle')")
    for _ in range(2):
        with pytest.raises(ArgumentError, match="RuntimeError: in the middle"):
            load_function("more_of_mine:f")
    (folder / "wave").mkdir()
    assert load_function("wave:open").__module__ == "wave"


class TestScikitLearn:
    @pytest.fixture
    def metrics(self):
        return pytest.importorskip("sklearn.metrics")

    def test_a_mean_gives_the_losses_and_itself(self, metrics):
        adapted = load("sklearn.metrics:mean_squared_error")
        y, t, w = np.array([1.0, 2.0, 5.0]), np.array([1.0, 4.0, 2.0]), np.array([1.0, 2.0, 3.0])
        assert adapted.value(y, t).tolist() == [0, 4, 9]
        assert adapted.value(y.reshape(1, 3), t.reshape(1, 3)).tolist() == [[0, 4, 9]]
        assert adapted.reduce(y, t, sample_weight=w) == pytest.approx(35 / 6)
        assert adapted.reduce(y, t, sample_weight=w, where=w > 1) == pytest.approx(35 / 5)
        with pytest.raises(ArgumentError, match="do not fit"):
            adapted.value(y, t[:2])

    def test_rows_know_their_classes(self, metrics):
        adapted = adapt("sklearn.metrics:log_loss", metrics.log_loss, rows=True)
        y = np.array([[0.25, 0.75], [0.5, 0.5]])
        np.testing.assert_allclose(adapted.value(y, np.array([1, 0])), -np.log([0.75, 0.5]))

    def test_its_code_computes_the_same(self, metrics):
        adapted = load("sklearn.metrics:mean_pinball_loss", alpha=0.9)
        names = {}
        exec(adapted.setup, names)
        y, t = np.array([1.0, 2.0]), np.array([3.0, 0.5])
        assert names["value"](y, t).tolist() == adapted.value(y, t).tolist()


def test_torch_is_asked_not_to_reduce(monkeypatch):
    """With a stand-in for PyTorch: what is handed over, and what comes back."""
    torch = types.ModuleType("torch")

    class Tensor(np.ndarray):
        def numpy(self, force=False):
            return np.asarray(self)

    torch.from_numpy = lambda x: x.view(Tensor)
    monkeypatch.setitem(sys.modules, "torch", torch)

    def loss(y, t, reduction="mean", delta=1.0):
        assert reduction == "none"
        return delta * (y - t)

    adapted = adapt("torch.nn.functional:loss", loss, {"delta": 2.0, "gamma": 1.0})
    result = adapted.value([3, 4], np.array([1, 1]))
    assert (result.tolist(), result.dtype) == ([4.0, 6.0], np.float64)
    assert "torch.nn.functional.loss(torch.tensor(y), torch.tensor(t), delta=2.0" in adapted.setup
