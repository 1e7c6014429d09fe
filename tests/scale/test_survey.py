"""What a worker needs is compared: versions, code, and the files of the data."""

import re

import pytest

from lossfw.errors import ArgumentError
from lossfw.scale import parts, shipping, survey
from support.configs import build

pytest.importorskip("cloudpickle", reason="dask is not installed")


def required():
    return shipping.shipment_of(build("run.yaml")).required


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package outside all distributions, with an edited copy as another process would see it."""
    place = tmp_path / "path"
    (place / "bodies" / "deep").mkdir(parents=True)
    (place / "bodies" / "__init__.py").write_text("")
    (place / "bodies" / "deep" / "loss.py").write_text("factor = 1\n")
    monkeypatch.syspath_prepend(place)
    yield place / "bodies"
    survey.digests_of.cache_clear()
    survey.distribution_of.cache_clear()


def test_what_has_everything_agrees(folder):
    assert survey.differences(required()) == ""


def test_code_is_compared_for_lossfw_and_what_offers_components(folder):
    found = required()
    assert set(found.packages) == {"lossfw", "lossfw_std"} == set(found.code)
    assert "lossfw_std/losses/cross_entropy.py" in found.code["lossfw_std"]
    assert "lossfw/scale/survey.py" in found.code["lossfw"]
    assert "numpy" not in found.code


@pytest.mark.parametrize(
    ("field", "change", "told"),
    [
        ("versions", {"NumPy": "1.0"}, r"NumPy is \d.* there and 1\.0 here"),
        ("versions", {"Python": "3.1"}, r"Python is 3\.\d+ there and 3\.1 here"),
        ("versions", {"lossfw": "9.9"}, r"lossfw is .* there and 9\.9 here"),
        ("heads", {"/no/such.npy": "5 bytes"}, r"file /no/such\.npy is missing there"),
    ],
)
def test_what_differs_is_named(folder, field, change, told):
    wanted = required()
    wanted = wanted._replace(**{field: {**getattr(wanted, field), **change}})
    assert re.search(told, survey.differences(wanted))


def test_a_folder_of_pictures_has_to_be_there(tmp_path):
    wanted = survey.requirements_of([], [str(tmp_path / "pictures")])
    (tmp_path / "pictures").mkdir()
    assert "is a folder there and missing here" in survey.differences(wanted)


def test_a_package_that_is_not_there_is_named_once(folder):
    wanted = required()
    wanted = wanted._replace(
        packages=(*wanted.packages, "acme_losses"),
        versions={**wanted.versions, "package acme_losses": "1.0"},
        code={**wanted.code, "acme_losses": {"acme_losses/a.py": "0"}},
    )
    assert survey.differences(wanted) == "package acme_losses is missing there and 1.0 here"


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda p: (p / "deep/loss.py").write_text("factor = 2\n"), "loss.py has other code there"),
        (lambda p: (p / "deep/loss.py").unlink(), "bodies/deep/loss.py is missing there"),
        (lambda p: (p / "deep/more.py").write_text(""), "bodies/deep/more.py is only there"),
    ],
)
def test_edited_code_is_found_in_a_process_that_starts_later(package, edit, told):
    wanted = survey.requirements_of(["bodies"], [])
    assert set(wanted.code) == {"lossfw", "bodies"}
    edit(package)
    # This process keeps the code that it has loaded.
    assert survey.differences(wanted) == ""
    survey.digests_of.cache_clear()
    assert survey.differences(wanted).endswith(told)


def test_many_files_that_differ_are_counted(package):
    wanted = survey.requirements_of(["bodies"], [])
    for number in range(9):
        (package / f"new{number}.py").write_text("")
    survey.digests_of.cache_clear()
    told = survey.differences(wanted)
    assert told.endswith("bodies/new2.py is only there, 6 more files of code differ")


def test_a_module_of_one_file_has_a_digest(tmp_path, monkeypatch):
    (tmp_path / "one_body.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert list(survey.digests_of("one_body")) == ["one_body.py"]
    assert survey.digests_of("no_such_package") == {}


def test_an_installed_plugin_is_compared_by_its_code(install):
    install("acme", {"acme": "acme_hooks"}, {"acme_hooks": "", "acme_losses/__init__": "x = 1"})
    survey.distribution_of.cache_clear()
    assert survey.is_compared("acme_hooks")
    assert not survey.is_compared("pytest")
    survey.distribution_of.cache_clear()


def test_a_plan_carries_names_of_files_and_not_their_rows(folder):
    shipment = shipping.shipment_of(build("run.yaml"))
    plan = shipment.content[1]
    assert len(plan) < 20_000 < (folder / "y.npy").stat().st_size
    plan = shipping.plan_of(shipment.to_bytes())
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
    (name,) = (name for name, path, _ in shipment.content[0] if path == mine)
    # As on a worker, which has neither the module nor the file.
    monkeypatch.delitem(sys.modules, name)
    (folder / "mine.py").unlink()
    assert shipping.plan_of(shipment.to_bytes()).loss.name == "zigzagged"
