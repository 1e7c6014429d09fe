"""Weights of other libraries: what is read agrees with the model, and what is not says how."""

import importlib
import itertools
import pickle
import re

import numpy as np
import pytest

import lossfw
from lossfw.data.weights import read_weights
from lossfw.errors import DataError
from lossfw.nn.dense import LayerSpec, Network
from lossfw.nn.weight_names import to_own_names

RELU, SOFTMAX, IDENTITY = map(lossfw.activation, ("relu", "softmax", "identity"))
rng = np.random.default_rng(3)
X = rng.normal(size=(300, 5)).astype(np.float32)
Y = (X @ rng.normal(size=(5, 3))).argmax(axis=1)
SHAPES = [(5, 8), (8, 4), (4, 3)]
UNITS = [8, 4, 3]
SPECS = [LayerSpec(8, RELU), LayerSpec(4, RELU), LayerSpec(3, SOFTMAX)]
OWN = {f"W{i}": rng.normal(size=s) for i, s in enumerate(SHAPES, 1)} | {
    f"b{i}": rng.normal(size=s[1]) for i, s in enumerate(SHAPES, 1)
}


B = np.ones(2)


def torch_names(names, turned=True):
    weights = [OWN[f"W{i}"].T if turned else OWN[f"W{i}"] for i in (1, 2, 3)]
    found = {f"{name}.weight": weight for name, weight in zip(names, weights, strict=True)}
    return found | {f"{name}.bias": OWN[f"b{i}"] for i, name in enumerate(names, 1)}


@pytest.mark.parametrize(
    "arrays",
    [
        OWN,
        {f"coefs_{i}": OWN[f"W{i + 1}"] for i in range(3)}
        | {f"intercepts_{i}": OWN[f"b{i + 1}"] for i in range(3)},
        torch_names(["0", "2", "10"]),
        torch_names(["0", "2", "10"], turned=False),
        torch_names(["net.fc1", "net.fc2", "net.fc11"]),
        # The names say nothing of the order, and the shapes do.
        torch_names(["input", "hidden", "classes"]),
    ],
    ids=["own", "scikit-learn", "torch", "turned", "numbered", "by shape"],
)
def test_names_of_other_libraries(arrays):
    found = to_own_names(dict(reversed(arrays.items())), UNITS, "w.npz")
    assert found.keys() == OWN.keys()
    assert all(np.array_equal(found[name], OWN[name]) for name in OWN)


@pytest.mark.parametrize(
    ("arrays", "units", "message"),
    [
        ({"0.weight": np.eye(3), "0.bias": np.ones(3)}, [3], "the weights are square"),
        (
            {"a.weight": np.eye(2), "a.bias": B, "b.weight": np.eye(2), "b.bias": B},
            [2, 2],
            "neither the names a, b nor the shapes show the order",
        ),
        ({"0.weight": np.ones((3, 2))}, [3], r"has no 0\.bias"),
    ],
)
def test_what_the_shapes_do_not_tell_is_refused(arrays, units, message):
    with pytest.raises(DataError, match=message):
        to_own_names(arrays, units, "w.npz")


def test_weights_that_fit_nothing_are_told_with_both_shapes():
    with pytest.raises(DataError, match=r"W1 in w\.npz has shape \(5, 8\); expected"):
        Network.from_arrays([LayerSpec(9, RELU), *SPECS[1:]], torch_names("024"), "w.npz")


def test_safetensors(tmp_path):
    numpy = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "w.safetensors"
    numpy.save_file({k: np.ascontiguousarray(v) for k, v in torch_names("024").items()}, path)
    network = Network.from_arrays(SPECS, read_weights(path), str(path))
    assert np.array_equal(network.layers[2].weight, OWN["W3"])
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(DataError, match=r"not a readable \.safetensors file"):
        read_weights(path)


def lines(error):
    """Return the lines of Python in a message."""
    return "\n".join(re.findall(r"^    (.*)$", str(error), re.M))


def converted(path, monkeypatch):
    """Run the lines of the message about a file, and read what they write."""
    with pytest.raises(DataError) as error:
        read_weights(path)
    assert lines(error.value).count("\n") == 2
    monkeypatch.chdir(path.parent)
    exec(lines(error.value), {})
    return read_weights(path.parent / "weights.npz")


@pytest.mark.filterwarnings("ignore:.*converge")
@pytest.mark.parametrize("name", ["model.joblib", "model.pkl"])
@pytest.mark.parametrize("kind", ["MLPClassifier", "LogisticRegression", "Ridge"])
def test_a_model_of_scikit_learn(kind, name, tmp_path, monkeypatch):
    pytest.importorskip("sklearn")
    joblib = pytest.importorskip("joblib")
    if kind == "MLPClassifier":
        neural, specs = importlib.import_module("sklearn.neural_network"), SPECS
        model = neural.MLPClassifier((8, 4), max_iter=20, random_state=0).fit(X, Y)
    else:
        model = getattr(importlib.import_module("sklearn.linear_model"), kind)().fit(X, Y)
        specs = [LayerSpec(3, SOFTMAX)]
    if kind == "MLPClassifier" and name.endswith(".pkl"):
        (tmp_path / name).write_bytes(pickle.dumps(model))
    else:
        joblib.dump(model, tmp_path / name)
    specs = [LayerSpec(1, IDENTITY)] if kind == "Ridge" else specs
    network = Network.from_arrays(specs, converted(tmp_path / name, monkeypatch), "w")
    wanted = model.predict(X)[:, None] if kind == "Ridge" else model.predict_proba(X)
    np.testing.assert_allclose(network.forward(X), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["model.pt", "model.bin"])
def test_a_model_of_torch(name, tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    sizes = [5, 8, 4, 3]
    linear = [torch.nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]
    relu = torch.nn.ReLU()
    model = torch.nn.Sequential(linear[0], relu, linear[1], relu, linear[2])
    torch.save(model.state_dict(), tmp_path / name)
    wanted = torch.softmax(model(torch.tensor(X)), dim=1).detach().numpy()
    networks = [Network.from_arrays(SPECS, converted(tmp_path / name, monkeypatch), "w")]
    tensors = pytest.importorskip("safetensors.torch")
    tensors.save_file(model.state_dict(), tmp_path / "model.safetensors")
    arrays = read_weights(tmp_path / "model.safetensors")
    networks.append(Network.from_arrays(SPECS, arrays, "w"))
    for network in networks:
        assert network.dtype == np.float32
        np.testing.assert_allclose(network.forward(X), wanted, rtol=1e-5, atol=1e-6)
