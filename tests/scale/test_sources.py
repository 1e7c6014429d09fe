"""Every source with every data option and every kind of target has the bits of one process."""

import functools
import itertools
import json
import struct

import numpy as np
import pytest

import lossfw
from lossfw.data.lazy_arrays import is_file_backed
from lossfw.data.row_transforms import SqueezeColumn, TransformedColumn
from lossfw.scale import evaluate_on
from support.configs import build
from support.tables import write_columns

pytest.importorskip("distributed", reason="dask is not installed")
arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

ROWS, COLUMNS, OUTPUTS = 700, 4, 3
BLOCK = 256  # rows: three parts of each file
LABELS = ["ant", "bee", "cat"]
NAMES = ["a", "b", "c", "d"]

SOURCES = ["inline", "npy", "npz", "csv", "parquet", "folder", "idx", "images"]
OPTIONS = [
    *("plain", "scale", "flatten", "standardize", "one_hot", "one_hot_network", "classes"),
    *("classes_found", "texts", "map_targets", "missing", "weights", "columns", "rows", "all"),
    "groups",
]
KINDS = ["one", "several", "classes"]

# What a source cannot have: only a table has texts, missing values and columns to slice by; an
# IDX file has pixels and labels, and a folder of pictures those of its sub-folders.
TABLES = {"csv", "parquet", "folder"}
LACKS = {
    "texts": set(SOURCES) - TABLES - {"images"},
    "columns": set(SOURCES) - TABLES,
    "groups": set(SOURCES) - TABLES,
    "rows": set(SOURCES) - TABLES,
    "missing": set(SOURCES) - {"csv", "parquet"},
    "weights": {"idx", "images"},
}
# What fits a kind of target: labels only where there are any.
OF_LABELS = {"one_hot", "one_hot_network", "classes", "classes_found", "texts", "all"}


def fits(source, option, kind):
    """Tell whether a case makes sense."""
    if source in LACKS.get(option, ()) or (source == "idx" and kind == "several"):
        return False
    if source == "folder" and kind == "several":
        return False  # one column of targets
    if source == "images" and kind != "classes":
        return False
    if option in ("map_targets", "groups"):
        return kind == "one"
    return option not in OF_LABELS or kind == "classes"


CASES = [case for case in itertools.product(SOURCES, OPTIONS, KINDS) if fits(*case)]


@functools.cache
def arrays():
    random = np.random.default_rng(0)
    targets = {
        "one": random.random(ROWS).round(3),
        "several": random.random((ROWS, OUTPUTS)).round(3),
        "classes": random.integers(0, OUTPUTS, ROWS),
        "signs": random.integers(0, 2, ROWS),
    }
    return random.integers(0, 256, (ROWS, COLUMNS)), targets, random.integers(1, 4, ROWS) / 2


def target_of(option, kind):
    """Return the targets of a case as they are in its file."""
    targets = arrays()[1]["signs" if option == "map_targets" else kind]
    if option == "classes":
        return 10 * (1 + targets)
    return 10 * (3 - targets) if option == "classes_found" else targets


def shaped(inputs, option):
    return inputs.reshape(ROWS, 2, 2) if option in ("flatten", "all") else inputs


def write_npy(folder, option, kind):
    inputs, _, weights = arrays()
    np.save(folder / "x.npy", shaped(inputs, option))
    np.save(folder / "t.npy", target_of(option, kind))
    np.save(folder / "w.npy", weights)
    weighted = {"sample_weight": "w.npy"} if option in ("weights", "all") else {}
    return {"name": "arrays", "inputs": "x.npy", "targets": "t.npy", **weighted}


def write_npz(folder, option, kind):
    inputs, _, weights = arrays()
    weighted = {"sample_weight": weights} if option in ("weights", "all") else {}
    content = {"inputs": shaped(inputs, option), "targets": target_of(option, kind), **weighted}
    np.savez(folder / "d.npz", **content)
    return {"name": "arrays", "file": "d.npz"}


def write_inline(folder, option, kind):
    inputs, _, weights = arrays()
    weighted = {"sample_weight": weights.tolist()} if option in ("weights", "all") else {}
    content = {"inputs": shaped(inputs, option).tolist(), "targets": target_of(option, kind)}
    return {"name": "inline", **content, "targets": content["targets"].tolist(), **weighted}


def write_idx(folder, option, kind):
    inputs, targets = shaped(arrays()[0], "all"), target_of(option, kind)
    if option == "plain" or (kind == "one" and option != "map_targets"):
        targets = arrays()[1]["signs"]
    head = struct.pack(">4B3i", 0, 0, 8, 3, *inputs.shape)
    (folder / "x.idx").write_bytes(head + inputs.astype(np.uint8).tobytes())
    head = struct.pack(">4Bi", 0, 0, 8, 1, ROWS)
    (folder / "t.idx").write_bytes(head + targets.astype(np.uint8).tobytes())
    return {"name": "idx", "images": "x.idx", "labels": "t.idx", "flatten": True}


def write_images(folder, option, kind):
    image = pytest.importorskip("PIL.Image")
    named = option in ("texts", "all")
    targets = target_of(option, kind)
    for row, pixels in enumerate(shaped(arrays()[0], "all").astype(np.uint8)):
        target = targets[row]
        place = folder / "pictures" / (LABELS[target] if named else str(target))
        place.mkdir(parents=True, exist_ok=True)
        image.fromarray(pixels).save(place / f"{row}.png")
    return {"name": "images", "path": "pictures", "flatten": True}


def columns_of(option, kind):
    """Return the columns of a table, and the keys that name them."""
    inputs, _, weights = arrays()
    targets = target_of(option, kind)
    columns = dict(zip(NAMES, inputs.T, strict=True))
    if option == "missing":
        columns["a"] = [None if row % 50 == 0 else value for row, value in enumerate(inputs[:, 0])]
    several = targets.reshape(ROWS, -1)
    names = ["t"] if several.shape[1] == 1 else [f"t{i}" for i in range(several.shape[1])]
    columns |= dict(zip(names, several.T, strict=True))
    if option in ("texts", "all"):
        columns["t"] = [LABELS[target] for target in targets]
    keys = {"inputs_key": NAMES, "targets_key": names[0] if len(names) == 1 else names}
    if option in ("weights", "all"):
        columns["w"] = weights
        keys["sample_weight_key"] = "w"
    columns["region"] = [("north", "south", "")[row % 3] for row in range(ROWS)]
    columns["age"] = [row % 90 for row in range(ROWS)]
    if option == "groups":
        columns["query"] = [row // 6 for row in range(ROWS)]  # one lies in two parts of a folder
    return columns, keys


def write_csv(folder, option, kind):
    columns, keys = columns_of(option, kind)
    write_columns(folder / "d.csv", columns)
    return {"name": "arrays", "file": "d.csv", **keys}


def write_parquet(folder, option, kind):
    columns, keys = columns_of(option, kind)
    write_columns(folder / "d.parquet", columns, row_group_size=100)
    return {"name": "arrays", "file": "d.parquet", **keys}


def write_folder(folder, option, kind):
    columns, keys = columns_of(option, kind)
    table = arrow.table(columns)
    for place in range(2):
        part = folder / "rows" / f"half={place}"
        part.mkdir(parents=True)
        parquet.write_table(table.slice(350 * place, 350), part / "0.parquet", row_group_size=100)
    return {"name": "parquet", "path": "rows", **keys}


WRITERS = {
    "npy": write_npy,
    "npz": write_npz,
    "inline": write_inline,
    "idx": write_idx,
    "images": write_images,
    "csv": write_csv,
    "parquet": write_parquet,
    "folder": write_folder,
}

KEYS = {
    "scale": {"scale": 255.0},
    "flatten": {"flatten": True},
    "standardize": {"standardize": True},
    "one_hot": {"one_hot": OUTPUTS},
    "one_hot_network": {"one_hot": True},
    "classes": {"classes": [30, 10, 20]},
    "classes_found": {"classes": "found"},
    "texts": {"classes": ["cat", "ant", "bee"]},
    "map_targets": {"map_targets": {"0": -1, "1": 1}},
    "missing": {"missing": "drop"},
    "groups": {"group_key": "query"},
    # Most rows are left, in all three parts.
    "rows": {"where": "column.region in [north, south] or column.age < 60"},
    "all": {"scale": 255.0, "flatten": True, "one_hot": OUTPUTS},
}


def configured(folder, source, option, kind):
    """Write the files of a case, and its configuration."""
    data = WRITERS[source](folder, option, kind) | KEYS.get(option, {})
    units = 1 if kind == "one" else OUTPUTS
    random = np.random.default_rng(1)
    weights = {"W1": random.normal(size=(COLUMNS, units)) / 99, "b1": random.normal(size=units)}
    if option == "standardize":
        weights |= {"inputs_mean": np.full(COLUMNS, 128.0), "inputs_scale": np.full(COLUMNS, 74.0)}
    np.savez(folder / "w.npz", **{name: x.astype("f4") for name, x in weights.items()})
    loss = {"one": "huber", "several": "squared_error", "classes": "cross_entropy"}[kind]
    last = "softmax" if kind == "classes" else "identity"
    config = {
        "lossfw": 1,
        "data": data,
        "network": {"layers": [{"units": units, "activation": last}], "weights": "w.npz"},
        "loss": "hinge" if option == "map_targets" else loss,
        "evaluate": {"intervals": {"method": "jackknife"}},
    }
    if option == "columns":
        age = {"name": "age", "by": "column.age", "bins": [30, 50]}
        config["evaluate"]["slices"] = ["column.region", age]
    if option == "groups":
        config["loss"] = "pairwise_logistic"
        config["evaluate"]["metrics"] = ["ndcg"]
    (folder / "run.yaml").write_text(json.dumps(config))


# On workers too, which have no tests: text goes to them.
CUT_SMALL = f"""
from lossfw.evaluation.plan import Plan
Plan.usual, Plan.block_rows = Plan.block_rows, {BLOCK}
"""
CUT_AS_USUAL = """
from lossfw.evaluation.plan import Plan
Plan.block_rows = Plan.usual
"""


@pytest.fixture(scope="module")
def workers(shared):
    """The shared workers, which cut a plan into parts of few rows, as this process does."""
    exec(CUT_SMALL)
    shared.run(exec, CUT_SMALL)
    yield shared
    exec(CUT_AS_USUAL)
    shared.run(exec, CUT_AS_USUAL)


@pytest.fixture
def rows_stay(monkeypatch, small_parts):
    """Read no file as a whole, however small it is."""
    monkeypatch.setattr("lossfw.data.parquet._WHOLE_BYTES", 0)
    monkeypatch.setattr("lossfw.data.csv_table.WHOLE_BYTES", 0)
    monkeypatch.setattr("lossfw.data.pictures._WHOLE_BYTES", 0)


@pytest.mark.turns(29)
@pytest.mark.parametrize(("source", "option", "kind"), CASES, ids=map("-".join, CASES))
def test_the_numbers_are_those_of_one_process(folder, workers, rows_stay, source, option, kind):
    configured(folder, source, option, kind)
    plan = build("run.yaml")
    assert is_file_backed(plan.data.inputs) == (source in ("npy", "images", *TABLES))
    parts = []
    there = evaluate_on(workers, plan, progress=lambda done, _: parts.append(done))
    assert json.dumps(there.to_dict()) == json.dumps(lossfw.evaluate(build("run.yaml")).to_dict())
    assert len(parts) == 3


def test_a_mapped_array_of_unknown_origin_is_changed_too(folder):
    np.save(folder / "x.npy", np.arange(6.0).reshape(6, 1))
    column = TransformedColumn(
        np.load(folder / "x.npy", mmap_mode="r"), SqueezeColumn(), (), np.dtype(float)
    )
    assert column.stamp is column.read_starts is None
    assert column[2:4].tolist() == [2, 3]
