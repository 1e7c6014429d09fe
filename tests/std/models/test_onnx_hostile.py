"""Files of ONNX that were made to do harm: other files, time, memory, and splits beyond a row."""

import numpy as np
import pytest

import lossfw
from lossfw.errors import DataError
from lossfw_std.models import onnx as onnx_model

pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")
helper, numpy_helper = onnx.helper, onnx.numpy_helper
FLOAT, INT64, BOOL = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64, onnx.TensorProto.BOOL
WEIGHTS = numpy_helper.from_array(np.eye(4, 3, dtype=np.float32), "W")


def model(nodes, initializers=(WEIGHTS,), out=("N", 3), **more):
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", FLOAT, ("N", 4))],
        [helper.make_tensor_value_info("y", FLOAT, out)],
        list(initializers),
    )
    opsets = [helper.make_opsetid("", 17), *more.pop("opsets", ())]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


def loaded(content, **parameters):
    return lossfw.registry().create("model", {"name": "onnx", **parameters}).load_predictor(content)


def varint(number):
    made = b""
    while number > 127:
        made, number = made + bytes([number & 127 | 128]), number >> 7
    return made + bytes([number])


def field(number, body, *, wide=0):
    """Return a field with its length; `wide` bits make its tag longer than it needs to be."""
    tag = varint(number << 3 | 2 | wide)
    return tag + varint(len(body)) + body


MULTIPLY = helper.make_node("MatMul", ["x", "W"], ["y"])
PLAIN = model([MULTIPLY])


def outside(wide_entry=0, wide_tensor=0, location=b"\x70\x01"):
    """Return a model whose weights are in weights.bin, with tags beyond 32 bits."""
    tensor = b"\x08\x04\x08\x03\x10\x01" + field(8, b"W")
    for key, value in (("location", "weights.bin"), ("length", "48")):
        entry = field(1, key.encode()) + field(2, value.encode())
        tensor += field(13, entry, wide=wide_entry)
    tensor += location
    graph = onnx.load_from_string(model([MULTIPLY], [])).graph.SerializeToString()
    whole = onnx.load_from_string(PLAIN)
    whole.ClearField("graph")
    return whole.SerializeToString() + field(7, graph + field(5, tensor, wide=wide_tensor))


# The tag of the field 14 in five bytes, of which protobuf drops a bit.
WIDE_LOCATION = b"\xf0\x80\x80\x80\x10\x01"
OUTSIDE = {
    "plain": outside(),
    "wide entries": outside(wide_entry=1 << 32),
    "wide tensor": outside(wide_tensor=1 << 32),
    "wide location": outside(wide_entry=1 << 33, location=WIDE_LOCATION),
    "location beyond 32 bits": outside(location=b"\x70" + varint((1 << 32) + 1)),
    "long tag": outside(wide_entry=0, location=b"\xf0\x80\x00\x01"),
}


@pytest.mark.parametrize("content", OUTSIDE.values(), ids=OUTSIDE)
def test_weights_in_other_files_are_not_read_whatever_their_tags(content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.ones(12, np.float32).tofile("weights.bin")
    with pytest.raises(DataError, match=r"in other files|is not an ONNX file"):
        loaded(content)


def loop(turns, step):
    value = [helper.make_tensor_value_info(name, FLOAT, None) for name in ("v", "v2")]
    flags = [helper.make_tensor_value_info(name, BOOL, []) for name in ("c", "c2")]
    number = helper.make_tensor_value_info("i", INT64, [])
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["c2"]), step],
        "body",
        [number, flags[0], value[0]],
        [flags[1], value[1]],
    )
    counts = numpy_helper.from_array(np.array(turns), "M")
    always = numpy_helper.from_array(np.array(True), "K")
    nodes = [
        helper.make_node("MatMul", ["x", "W"], ["a"]),
        helper.make_node("Loop", ["M", "K", "a"], ["y"], body=body),
    ]
    return model(nodes, [WEIGHTS, counts, always])


def repeated(*counts):
    """Return a model that fills an array of a size, or repeats its output so often."""
    sizes = numpy_helper.from_array(np.array(counts), "S")
    if len(counts) == 2:
        nodes = [
            helper.make_node("MatMul", ["x", "W"], ["a"]),
            helper.make_node("Tile", ["a", "S"], ["y"]),
        ]
        return model(nodes, [WEIGHTS, sizes], out=("N", None))
    nodes = [
        helper.make_node("ConstantOfShape", ["S"], ["big"]),
        helper.make_node("ReduceSum", ["big"], ["s"], keepdims=0),
        helper.make_node("MatMul", ["x", "W"], ["a"]),
        helper.make_node("Add", ["a", "s"], ["y"]),
    ]
    return model(nodes, [WEIGHTS, sizes])


def test_a_loop_without_an_end_is_given_up(monkeypatch):
    monkeypatch.setattr(onnx_model, "_SECONDS", 1)
    with pytest.raises(DataError, match="more than 1 seconds of CPU time"):
        loaded(loop(2**62, helper.make_node("Neg", ["v"], ["v2"])))


BOMBS = {
    "a constant of 4 GB": repeated(2**30),
    "an output of 1.6 GB": repeated(1, 2**26),
    "an array that doubles": loop(40, helper.make_node("Concat", ["v", "v"], ["v2"], axis=1)),
}


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS)
def test_a_small_file_does_not_fill_the_memory(content):
    with pytest.raises(DataError, match="takes more memory than a model of its size needs"):
        loaded(content)


@pytest.mark.parametrize("between", [(), ("Cast",), ("Identity", "Cast")])
def test_a_tree_that_splits_by_an_input_which_a_row_lacks_is_refused(between):
    nodes, name = [], "x"
    for number, operation in enumerate(between):
        options = {"to": FLOAT} if operation == "Cast" else {}
        nodes.append(helper.make_node(operation, [name], [f"x{number}"], **options))
        name = f"x{number}"

    def forest(column):
        tree = helper.make_node(
            "TreeEnsembleRegressor",
            [name],
            ["y"],
            domain="ai.onnx.ml",
            n_targets=1,
            nodes_featureids=[column, 0, 0],
            nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
            nodes_nodeids=[0, 1, 2],
            nodes_treeids=[0, 0, 0],
            nodes_truenodeids=[1, 0, 0],
            nodes_falsenodeids=[2, 0, 0],
            nodes_values=[0.5, 0.0, 0.0],
            nodes_missing_value_tracks_true=[0, 0, 0],
            nodes_hitrates=[1.0, 1.0, 1.0],
            target_ids=[0, 0],
            target_nodeids=[1, 2],
            target_treeids=[0, 0],
            target_weights=[1.0, 2.0],
        )
        opsets = [helper.make_opsetid("ai.onnx.ml", 3)]
        return model([*nodes, tree], [], out=("N", 1), opsets=opsets)

    assert loaded(forest(3)).units == 1
    with pytest.raises(DataError, match="splits by column 4 of the input x, which has 4"):
        loaded(forest(4))
