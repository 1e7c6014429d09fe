"""What a worker needs is compared: versions, and the code that somebody may have edited."""

import pickle
import re

import pytest

from lossfw.errors import ArgumentError
from lossfw.scale import fingerprint as module
from lossfw.scale import parts, shipping
from lossfw.scale.fingerprint import fingerprint, fingerprint_differences
from support.configs import build

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
