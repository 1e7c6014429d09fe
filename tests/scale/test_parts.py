"""Parts cover the rows once, and what a worker needs is compared."""

import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw
from lossfw.data import Dataset
from lossfw.errors import ArgumentError
from lossfw.evaluation.plan import Plan
from lossfw.losses.engine.row_ranges import RowRanges
from lossfw.scale import cut_rows, parts, shipping
from lossfw.scale import fingerprint as module
from lossfw.scale.fingerprint import fingerprint, fingerprint_differences
from lossfw.scale.parts import _edges
from support.configs import build

COLUMNS = 1024  # blocks of 256 rows


def plan(rows):
    y = np.broadcast_to(np.float32(0), (rows, COLUMNS))
    return Plan(Dataset("rows", targets=np.zeros((rows, COLUMNS))), lossfw.loss("huber"), outputs=y)


@given(st.integers(1, 20_000), st.integers(1, 40), st.lists(st.integers(0, 78), max_size=6))
def test_parts_cover_what_is_missing_once_and_begin_at_blocks(rows, slots, blocks):
    edges = sorted({256 * block for block in blocks if 256 * block < rows})
    seen = RowRanges()
    for start, stop in zip(edges[::2], edges[1::2], strict=False):
        seen = seen.merge(RowRanges.single(start, stop))
    found = cut_rows(plan(rows), slots, seen)
    for start, stop in found.parts:
        seen = seen.merge(RowRanges.single(start, stop))  # refuses a row that is there
        assert start % 256 == 0
    assert seen.spans == ((0, rows),)
    assert found.rows % 256 == 0
    assert found.row_bytes == 12 * COLUMNS


@given(st.lists(st.integers(1, 1000), unique=True), st.integers(1, 300))
def test_edges_are_entries_where_there_are_any(entries, rows):
    known = np.array(sorted(entries), np.int64)
    edges = _edges(0, 1000, rows, known)
    assert (edges[0], edges[-1]) == (0, 1000)
    assert edges == sorted(set(edges))
    if entries:
        assert set(edges[1:-1]) <= set(entries)


pytest.importorskip("cloudpickle", reason="dask is not installed")


@pytest.fixture(autouse=True)
def anew():
    """Make fingerprints as a process does that has just started."""
    module._fingerprint.cache_clear()
    yield module._fingerprint.cache_clear
    module._fingerprint.cache_clear()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package outside all distributions."""
    place = tmp_path / "path"
    (place / "bodies" / "deep").mkdir(parents=True)
    (place / "bodies" / "__init__.py").write_text("")
    (place / "bodies" / "deep" / "loss.py").write_text("factor = 1\n")
    monkeypatch.syspath_prepend(place)
    return place / "bodies"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"NumPy": "1.0"}, r"NumPy is \d.* there but 1\.0 here"),
        ({"Python": "3.1"}, r"Python is 3\.\d+ there but 3\.1 here"),
        ({"lossfw": "9.9"}, r"lossfw is .* there but 9\.9 here"),
        ({"package acme": "1.0"}, r"package acme is missing there but 1\.0 here"),
    ],
)
def test_what_differs_is_named(change, message):
    assert re.fullmatch(message, fingerprint_differences({**fingerprint([]), **change}))


@pytest.mark.parametrize(
    "edit",
    [
        lambda p: (p / "deep/loss.py").write_text("factor = 2\n"),
        lambda p: (p / "deep/loss.py").unlink(),
        lambda p: (p / "deep/loss.py").rename(p / "loss.py"),
        lambda p: (p / "deep/more.py").write_text(""),
    ],
)
def test_edited_code_is_found_in_a_process_that_starts_later(package, edit, anew):
    expected = fingerprint(["bodies"])
    edit(package)
    # This process keeps the code that it has loaded.
    assert fingerprint_differences(expected) == ""
    anew()
    assert re.match(
        r"package bodies is without a version with code \w+ there",
        fingerprint_differences(expected),
    )


def test_an_installed_plugin_is_compared_by_its_code(install):
    install("acme", {"acme": "acme_hooks"}, {"acme_hooks": ""})
    assert "with code" in fingerprint(["acme_hooks"])["package acme_hooks"]


def test_a_plan_carries_names_of_files_and_not_their_rows(folder):
    shipment = shipping.pack_plan(build("run.yaml"))
    # Besides the plan, it has the plugin files that this process has imported.
    _, content = pickle.loads(shipment.content)
    assert len(content) < 20_000 < (folder / "y.npy").stat().st_size
    plan = shipping.unpack_plan(shipment.content)
    assert [str(array.stamp.path.name) for array in parts.arrays_of(plan)] == [
        *("t.npy", "w.npy", "y.npy")
    ]


def test_a_plan_of_many_rows_in_memory_is_refused(folder, monkeypatch):
    monkeypatch.setattr(shipping, "MAX_PLAN_BYTES", 100)
    with pytest.raises(ArgumentError, match=r"Save the arrays as \.npy or Parquet"):
        shipping.pack_plan(build("run.yaml"))


def test_plugin_files_go_to_the_workers(folder, monkeypatch):
    import sys

    (folder / "mine.py").write_text(
        "from lossfw import CategoricalLoss\n"
        "class Zigzagged(CategoricalLoss):\n"
        "    def value(self, xp, y, t):\n"
        "        return xp.sum(xp.abs(y - t), axis=-1)\n"
    )
    text = (folder / "run.yaml").read_text()
    text = text.replace("{name: masked, of: cross_entropy, ignore: 3}", "zigzagged")
    (folder / "run.yaml").write_text(f"{text}plugins: [mine.py]\n")
    before = set(sys.modules)
    shipment = shipping.pack_plan(build("run.yaml"))
    # As on a worker, which has neither the module nor the file.
    for name in set(sys.modules) - before:
        monkeypatch.delitem(sys.modules, name)
    (folder / "mine.py").unlink()
    assert shipping.unpack_plan(shipment.content).loss.name == "zigzagged"
