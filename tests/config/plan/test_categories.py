"""Categories as inputs: one-hot columns, those of the training for every later row."""

from functools import partial

import numpy as np
import pytest

import lossfw
from lossfw.data.categories import JoinedColumn, category_column, encode_categories
from lossfw.data.dataset import Dataset
from lossfw.data.lazy_arrays import is_file_backed, read_rows, take_rows
from lossfw.errors import ConfigError, DataError
from support.tables import write_columns

pytest.importorskip("pyarrow")

rng = np.random.default_rng(6)
ROWS = 30
AREA = rng.normal(100, 20, ROWS)
KIND = np.array(["flat", "house", "studio"])[rng.integers(0, 3, ROWS)]
ZONE = rng.choice([3, 7], ROWS)
PRICE = AREA / 50 + (KIND == "house") + 0.5 * (ZONE == 7)
ONE_HOT = np.column_stack(
    [AREA, *(k == KIND for k in ("flat", "house", "studio")), *(z == ZONE for z in (3, 7))]
)


TABLE = {"kind": KIND, "area": AREA, "zone": ZONE, "price": PRICE}


def _file(folder, rows=slice(None), name="x", ending=".csv"):
    table = {key: column[rows] for key, column in TABLE.items()}
    path = write_columns(folder / f"{name}{ending}", table, row_group_size=7)
    return f"name: {'arrays, file' if ending else 'parquet, path'}: {path.name}"


_parquet, _parquet_folder = partial(_file, ending=".parquet"), partial(_file, ending="")
SOURCES = [_file, _parquet, _parquet_folder]
CONFIG = """\
lossfw: 1
data: {SOURCE, targets_key: price, standardize: true, categories: [kind, zone]}
network: {dtype: float64, layers: [{units: 3, activation: tanh}, {units: 1, activation: identity}]}
loss: squared_error
train: {epochs: 3, optimizer: {name: sgd, learning_rate: 0.1}}
"""


def written(folder, source):
    path = folder / "c.yaml"
    path.write_text(CONFIG.replace("SOURCE", source))
    return path


@pytest.mark.parametrize("make", SOURCES)
def test_an_input_for_each_category(make, folder):
    np.savez(folder / "plain.npz", inputs=ONE_HOT, targets=PRICE)
    plain = written(folder, "name: arrays, file: plain.npz")
    keys = ["data.targets_key-", "data.categories-"]
    wanted = [epoch.train.loss for epoch in lossfw.train(plain, overrides=keys).history]
    trained = lossfw.train(written(folder, make(folder)), out="out")
    assert [epoch.train.loss for epoch in trained.history] == wanted
    network = "network.weights=out/weights.npz"
    assert lossfw.run("c.yaml", overrides=[network]).loss == wanted[-1]
    # Rows with fewer categories have the inputs of the training.
    flats = KIND == "flat"
    some = make(folder, flats, "flats")
    result = lossfw.run(written(folder, some), overrides=[network])
    predicted = trained.network.forward((ONE_HOT[flats] - ONE_HOT.mean(0)) / ONE_HOT.std(0))[:, 0]
    assert result.loss == pytest.approx(np.mean((predicted - PRICE[flats]) ** 2), rel=1e-9)


def test_columns_of_one_name_stay_apart(folder):
    source = lossfw.registry().component_class("source", "arrays")
    (folder / "d.csv").write_text("a,a,kind,targets\n1,2,x,0\n3,4,y,1\n")
    data = source(file="d.csv", categories="found").load()
    assert (data.inputs.tolist(), data.input_names) == ([[1, 2], [3, 4]], ("a", "a", "kind"))
    (folder / "e.csv").write_text("kind,kind,targets\nx,x,0\ny,z,1\n")
    with pytest.raises(DataError, match="several category columns named 'kind'"):
        source(file="e.csv", categories="found").load()


@pytest.mark.parametrize("make", SOURCES)
def test_every_column_of_texts_is_found(make, folder):
    found = written(folder, make(folder))
    named = lossfw.train(found, overrides=["data.categories=[kind]"])
    assert lossfw.train(found, overrides=["data.categories=found"]).history == named.history


@pytest.mark.parametrize("make", SOURCES)
def test_messages_lead_to_categories(make, folder):
    path = written(folder, make(folder))
    lossfw.train(path, out="out")
    weights = "network.weights=out/weights.npz"
    for call, overrides, told in (
        (lossfw.run, [weights, "data.categories-"], r": \[kind\] makes inputs of the strings"),
        (lossfw.run, [weights, "data.categories=[kind]"], r"of kind, zone, .*write categories: \["),
        (lossfw.train, ["data.scale=2", "data.standardize-"], "scale divides every input"),
        (lossfw.train, ["data.categories=[kind, price]"], "lists price, which is not an input"),
    ):
        with pytest.raises(ConfigError, match=told):
            call(path, overrides=overrides)


def test_columns_in_files_are_joined_as_they_are_read(folder, monkeypatch):
    _parquet_folder(folder)
    given = {"path": str(folder / "x"), "targets_key": "price", "categories": ("kind", "zone")}
    data = lossfw.registry().create("source", {"name": "parquet"} | given).load()
    made = encode_categories(data, {})
    assert isinstance(made.inputs, JoinedColumn)
    assert is_file_backed(made.inputs)
    np.testing.assert_array_equal(read_rows(made.inputs, 5, 20), ONE_HOT[5:20])
    rows = np.array([29, 0, 0, 13])
    np.testing.assert_array_equal(take_rows(made.inputs, rows), ONE_HOT[rows])
    assert made.inputs.stamp is not None
    assert made.inputs.read_starts is not None


def test_a_source_of_a_plugin_may_have_categories():
    data = Dataset("own", targets=PRICE, categories={"kind": KIND})
    assert encode_categories(data, {}).inputs.tolist() == ONE_HOT[:, 1:4].tolist()
    known = {"kind": ("studio", "flat", "house")}
    assert encode_categories(data.take([3, 1]), known).inputs.shape == (2, 3)
    with pytest.raises(DataError, match=r"the categories of zone, but these.* of kind"):
        encode_categories(data, {"zone": ("3",)})
    assert category_column(np.array([0.5, 2.0]), (), "x").labels == ("0.5", "2.0")
    with pytest.raises(DataError, match="the column 'x' has more than 65536 different values"):
        category_column(np.arange(65_537.0), (), "x")
    labels = np.arange(10_001).astype(str)
    many = Dataset("own", targets=np.arange(10_001), categories={"x": labels})
    assert len(encode_categories(many, {}, as_codes=True).codes[0]) == 10_001
    with pytest.raises(DataError, match=r"10001 categories, and each is an input; .* most 10000"):
        encode_categories(many, {})


@pytest.mark.slow
@pytest.mark.parametrize("make", SOURCES)
def test_a_cluster_gives_the_same_bits(make, folder):
    distributed = pytest.importorskip("distributed")
    lossfw.train(written(folder, make(folder)), out="out")
    plan = lossfw.plan("c.yaml", "network.weights=out/weights.npz")
    here = lossfw.evaluate(plan)
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.Client(processes=True, **options) as client:
        assert lossfw.evaluate(plan, client=client).loss == here.loss


@pytest.mark.parametrize("make", SOURCES)
def test_a_model_that_takes_categories_gets_codes_in_the_place_of_the_column(make, folder):
    name, path = make(folder).removeprefix("name: ").split(", ")
    given = dict([path.split(": ")], name=name, targets_key="price", categories=("kind", "zone"))
    given |= {"inputs_key": ("kind", "area", "zone")}
    data = lossfw.registry().create("source", given).load()
    coded = encode_categories(data, {}, as_codes=True)
    assert coded.codes == {0: ("flat", "house", "studio"), 2: ("3", "7")}
    assert coded.input_names == ("kind", "area", "zone")
    wanted = np.column_stack([np.unique(KIND, return_inverse=True)[1], AREA, ZONE == 7])
    np.testing.assert_array_equal(coded.in_memory().inputs, wanted)
    assert coded.take([4, 2]).codes == coded.codes
    assert next(coded.batches(5)).inputs.dtype == np.float64
    # Those of the training number later ones, also where 3 is written as 3.0.
    known = {"kind": ("studio", "house", "flat"), "zone": ("7.0", "3.0")}
    again = encode_categories(data, known, as_codes=True).in_memory()
    np.testing.assert_array_equal(again.inputs[:, [0, 2]], [2, 1] - wanted[:, [0, 2]])
    assert encode_categories(data, {}).input_names == ("area",)


def test_an_unknown_category_is_a_mistake_at_its_row_or_missing():
    data = Dataset("own", targets=PRICE, categories={"kind": KIND})
    first = int(np.argmax(KIND == "studio"))
    known = {"kind": ("flat", "house")}
    with pytest.raises(DataError, match=rf"category 'studio' in row {first}, but the training had"):
        encode_categories(data, known, as_codes=True)
    with pytest.raises(DataError, match=rf"category 'studio' in row {first}, "):
        encode_categories(data.take([0, first]), known, as_codes=True)
    filled = encode_categories(data, known, as_codes=True, unknown_is_missing=True)
    np.testing.assert_array_equal(np.isnan(filled.inputs[:, 0]), KIND == "studio")
