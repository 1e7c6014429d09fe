"""Files of ONNX: what is read from them, and the words for what cannot be."""

import pickle
from pathlib import Path

import numpy as np
import pytest

import lossfw
from lossfw.errors import DataError

pytest.importorskip("onnxruntime")

FILES = Path(__file__).parent / "files"


def onnx_model(**parameters):
    return lossfw.registry().create("model", {"name": "onnx", **parameters})


@pytest.fixture(scope="module")
def iris():
    """Inputs and classes of the iris flowers."""
    table = np.loadtxt(FILES / "iris.csv", delimiter=",", skiprows=1)
    return table[:, :4], table[:, 4].astype(int)


@pytest.fixture(scope="module")
def flowers():
    """A scaler and a logistic regression, by scikit-learn 1.9 and skl2onnx 1.20."""
    return onnx_model(file=FILES / "iris.onnx", output="probabilities").load_predictor()


def test_the_loss_is_that_of_the_library_which_made_the_file(flowers, iris):
    inputs, classes = iris
    loss = lossfw.loss("cross_entropy")
    predictions = flowers.run_block(inputs).predictions
    assert loss(predictions, classes, reduction="mean") == pytest.approx(
        0.12953413849876325,
        abs=1e-7,  # sklearn.metrics.log_loss of onnxruntime's own call
    )
    assert flowers.run_block(inputs).raw_outputs is None
    assert str(flowers) == "onnx (probabilities of iris.onnx), 4 inputs, 3 predictions"


def test_a_worker_makes_the_model_again_from_its_bytes(flowers, iris):
    again = pickle.loads(pickle.dumps(flowers))
    np.testing.assert_array_equal(
        again.run_block(iris[0]).predictions, flowers.run_block(iris[0]).predictions
    )
    assert again.digest == flowers.digest


REFUSED = {
    "a misspelt output": (
        {"output": "probabilites"},
        "has no output 'probabilites' of floats. It has probabilities. Did you mean 'pr",
    ),
    "an output of labels": (
        {"output": "label"},
        "expected an output of floats, but label is tensor(int64), probabilities is tensor(float)",
    ),
    "another length of rows": ({"row_shape": [5]}, "the input X has rows of shape (4)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_parameter_that_does_not_fit_the_file_is_refused(case):
    parameters, message = REFUSED[case]
    with pytest.raises(DataError) as refusal:
        onnx_model(file=FILES / "iris.onnx", **parameters).load_predictor()
    assert message in str(refusal.value)


def test_a_file_that_is_cut_short_is_refused(tmp_path):
    (tmp_path / "net.onnx").write_bytes((FILES / "iris.onnx").read_bytes()[:400])
    with pytest.raises(DataError, match="is not an ONNX file"):
        onnx_model(file=tmp_path / "net.onnx").load_predictor()


# Files that the library onnx makes.

W = np.array([[1.0, -1.0], [2.0, 0.5], [0.0, 3.0]], np.float32)


@pytest.fixture
def onnx():
    return pytest.importorskip("onnx")


@pytest.fixture
def made(onnx, tmp_path):
    """Write a model; inputs and outputs by name and shape, in float32 or as (dtype, shape)."""
    from onnx import helper, numpy_helper

    def entry(name, shape):
        dtype, shape = shape if isinstance(shape, tuple) else ("FLOAT", shape)
        return helper.make_tensor_value_info(name, getattr(onnx.TensorProto, dtype), shape)

    def write(inputs, outputs, *nodes, **weights):
        graph = helper.make_graph(
            [helper.make_node(*node) for node in nodes],
            "made",
            [entry(*item) for item in inputs.items()],
            [entry(*item) for item in outputs.items()],
            [numpy_helper.from_array(array, name) for name, array in weights.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, tmp_path / "made.onnx")
        return tmp_path / "made.onnx"

    return write


@pytest.fixture
def linear(onnx, made):
    def write(rows="N", kind="FLOAT"):
        dtype = onnx.helper.tensor_dtype_to_np_dtype(getattr(onnx.TensorProto, kind))
        shapes = {"x": (kind, [rows, 3])}, {"z": (kind, [rows, 2])}
        return made(*shapes, ("MatMul", ["x", "W"], ["z"]), W=W.astype(dtype))

    return write


def test_a_link_makes_predictions_of_logits(linear):
    model = onnx_model(file=linear(), output_activation="softmax").load_predictor()
    rows = np.array([[0.5, 1.0, -1.0], [1.0, 0.0, 0.0]])
    outputs = model.run_block(rows)
    np.testing.assert_array_equal(outputs.raw_outputs, rows @ W)
    np.testing.assert_allclose(outputs.predictions.sum(axis=1), 1.0, rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rows": 8}, "exactly 8 rows per call: export it with a dynamic"),
        ({"kind": "INT64"}, r"\(x is tensor\(int64\)\); expected float32"),
    ],
)
def test_inputs_that_are_not_rows_of_floats_are_refused(linear, options, words):
    with pytest.raises(DataError, match=words):
        onnx_model(file=linear(**options)).load_predictor()


def test_one_of_several_outputs_has_to_be_named(made):
    shapes = {"x": ["N", 3]}, {"hidden": ["N", 3], "scores": ["N", 3]}
    path = made(*shapes, ("Relu", ["x"], ["hidden"]), ("Tanh", ["hidden"], ["scores"]))
    with pytest.raises(DataError, match="the outputs hidden, scores: name the one"):
        onnx_model(file=path).load_predictor()
    assert onnx_model(file=path, output="scores").load_predictor().units == 3


def test_columns_are_shared_out_to_several_inputs(onnx, made):
    shapes = {"amount": ["N", 2], "place": ["N", 1]}, {"z": ["N", 3]}
    path = made(*shapes, ("Concat", ["place", "amount"], ["z"]))
    model = onnx.load(path)
    model.graph.node[0].attribute.append(onnx.helper.make_attribute("axis", 1))
    onnx.save(model, path)
    with pytest.raises(DataError, match=r"as inputs: \{amount: \[...\], place: \[...\]\}"):
        onnx_model(file=path).load_predictor()
    with pytest.raises(DataError, match="the input place has width 1, but inputs lists 2"):
        onnx_model(file=path, inputs={"amount": ["a", "b"], "place": ["c", "d"]}).load_predictor()
    model = onnx_model(
        file=path, inputs={"place": ["p"], "amount": ["age", "power"]}
    ).load_predictor()
    np.testing.assert_array_equal(model.run_block([[1.0, 2.0, 3.0]]).predictions, [[1, 2, 3]])
    assert model.columns == ("p", "age", "power")
