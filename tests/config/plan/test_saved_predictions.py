"""Saved predictions need no inputs: columns beside targets and weights may hold anything."""

import json

import numpy as np
import pytest

import lossfw
from lossfw.errors import ConfigError
from lossfw.report.html.rebuild import RebuiltRun
from lossfw.runs.compare import read_finished_run
from support.tables import write_columns

pytest.importorskip("pyarrow")

TABLE = {
    "day": ["2026-01-01", "2026-01-02", "2026-01-05", "2026-01-07"],
    "heat": [1.5, None, 2.5, 4.0],
    "kind": ["a", "b", "a", "b"],
    "t": [1.0, 2.0, 3.0, 4.0],
    "w": [1.0, 2.0, 3.0, 2.0],
}


def _csv(folder, name="x.csv", table=TABLE):
    key = "file" if "." in name else "path"
    source = "arrays" if "." in name else "parquet"
    return {"name": source, key: write_columns(folder / name, table).name}


def _written(folder, config):
    path = folder / "c.yaml"
    path.write_text(json.dumps(config))  # JSON is YAML
    return path


def _run(folder, data, out=None, **more):
    config = {
        "lossfw": 1,
        "data": data | {"targets_key": "t", "sample_weight_key": "w"} | more,
        "network": {"predictions": [1.5, 2.0, 2.0, 4.0]},
        "loss": "squared_error",
        "evaluate": {"slices": ["column.kind"]},
    }
    return lossfw.run(_written(folder, config), out=out)


@pytest.mark.parametrize("file", ["x.csv", "x.parquet", "rows", "x.npz"])
def test_a_network_needs_inputs(file, tmp_path):
    table = {"inputs" if name == "heat" else name: column for name, column in TABLE.items()}
    data = _csv(tmp_path, file, table if file == "x.npz" else TABLE)
    config = {
        "lossfw": 1,
        "data": data | {"targets_key": "t", "inputs_key": []},
        "network": {"layers": [{"units": 1, "activation": "identity"}]},
        "loss": "squared_error",
        "train": {"epochs": 1, "optimizer": "sgd"},
    }
    with pytest.raises(ConfigError, match="have no inputs, but a model needs them"):
        lossfw.train(_written(tmp_path, config))


def test_a_missing_target_is_told_with_what_can_be_done(tmp_path):
    data = _csv(tmp_path)
    path = tmp_path / "x.csv"
    path.write_text(path.read_text().replace("a,3.0,", "a,,"))
    with pytest.raises(ConfigError, match="out of the file, and out of the predictions"):
        _run(tmp_path, data)
    with pytest.raises(ConfigError, match="rows that were left out have no outputs"):
        _run(tmp_path, data, missing="drop")


@pytest.mark.parametrize(("heat", "shown"), [("7.25", [7.25]), ("warm", None)])
def test_a_page_shows_the_inputs_where_they_are_numbers(heat, shown, tmp_path):
    data = _csv(tmp_path)
    path = tmp_path / "x.csv"
    path.write_text(path.read_text().replace(",,", f",{heat},"))
    _run(tmp_path, data, out=tmp_path / "run", exclude=["kind", "day"])
    rebuilt = RebuiltRun(read_finished_run(tmp_path / "run"))
    found, names = rebuilt.inputs(np.array([1]))
    assert (None if found is None else found[0].tolist()) == shown
    assert list(names) == ([] if shown is None else ["heat"])
    assert rebuilt.missing == []
