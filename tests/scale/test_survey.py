"""Workers that lack something are refused before the first row."""

import pytest

from lossfw.errors import ArgumentError, RunError
from lossfw.scale import parts, shipping, survey
from support.configs import build

pytest.importorskip("cloudpickle", reason="dask is not installed")


class Client:
    """A client whose workers answer with changed facts."""

    def __init__(self, *changes):
        self.changes = changes

    def run(self, function, *arguments, on_error):
        assert on_error == "return"
        facts = function(*arguments)
        return {
            f"worker{number}": change if isinstance(change, Exception) else facts | change
            for number, change in enumerate(self.changes)
        }


def check(*changes):
    plan = build("run.yaml")
    survey.check_workers(Client(*changes), plan, shipping.shipment_of(plan))


def test_workers_that_have_everything_pass(folder):
    check({}, {})


def test_a_cluster_without_workers_is_refused(folder):
    with pytest.raises(RunError, match="has no worker"):
        check()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"NumPy": "1.0"}, r"worker1: NumPy is 1\.0 there and .* here"),
        ({"lossfw": "9.9"}, r"worker1: lossfw is 9\.9 there"),
        ({"package lossfw_std": "missing"}, "worker1: package lossfw_std is missing there"),
        (ModuleNotFoundError("No module named 'lossfw'"), "worker1: ModuleNotFoundError"),
    ],
)
def test_a_worker_that_differs_is_named(folder, change, message):
    with pytest.raises(RunError, match=f"1 of 2 workers cannot run this.*{message}"):
        check({}, change)


def test_a_worker_without_the_data_is_named(folder):
    name = str(folder / "y.npy")
    with pytest.raises(RunError, match=r"worker0: file .*y\.npy is missing there"):
        check({f"file {name}": "missing"})
    assert survey.facts_here([], [str(folder / "no.npy")])[f"file {folder / 'no.npy'}"] == "missing"


def test_a_plan_carries_names_of_files_and_not_their_rows(folder):
    shipment = shipping.shipment_of(build("run.yaml"))
    assert len(shipment.plan) < 20_000 < (folder / "y.npy").stat().st_size
    plan = shipping.plan_of(shipment)
    assert [str(array.stamp.path.name) for array in parts.arrays_of(plan)] == [
        *("t.npy", "w.npy", "y.npy")
    ]


def test_a_plan_of_many_rows_in_memory_is_refused(folder, monkeypatch):
    monkeypatch.setattr(shipping, "MAX_PLAN_BYTES", 100)
    with pytest.raises(ArgumentError, match=r"Save the arrays as \.npy or Parquet"):
        shipping.shipment_of(build("run.yaml"))


def test_plugin_files_go_to_the_workers(folder, monkeypatch):
    import sys

    (folder / "mine.py").write_text(
        "from lossfw import CategoricalLoss\n"
        "class Zigzagged(CategoricalLoss):\n"
        "    def value(self, xp, y, t):\n"
        "        return xp.sum(xp.abs(y - t), axis=-1)\n"
    )
    text = (
        (folder / "run.yaml")
        .read_text()
        .replace("{name: masked, of: cross_entropy, ignore: 3}", "zigzagged")
    )
    (folder / "run.yaml").write_text(f"{text}plugins: [mine.py]\n")
    shipment = shipping.shipment_of(build("run.yaml"))
    mine = str(folder / "mine.py")
    (name,) = (name for name, path, _ in shipment.files if path == mine)
    # As on a worker, which has neither the module nor the file.
    monkeypatch.delitem(sys.modules, name)
    (folder / "mine.py").unlink()
    assert shipping.plan_of(shipment).loss.name == "zigzagged"
