"""Bridges as components: what is installed, and the message on a missing library."""

import json
from typing import ClassVar

import pytest

from lossfw.bridges import Bridge
from lossfw.bridges.keras_bridge import KerasBridge
from lossfw.errors import ArgumentError, MissingExtraError

ACME = """
from typing import ClassVar

from lossfw import hookimpl
from lossfw.bridges import Bridge


class AcmeBridge(Bridge):
    '''Acme: trains nothing.'''

    name: ClassVar[str] = "acme"
    library: ClassVar[str] = "acme_trees"
    distribution: ClassVar[str] = "acme-trees"


@hookimpl
def lossfw_bridges():
    return {"acme": AcmeBridge}
"""


class Absent(Bridge):
    library: ClassVar[str] = "a_library_that_is_not_there"
    extra: ClassVar[str] = "absent"


def test_a_missing_library_has_the_command_that_installs_it(tmp_path, monkeypatch):
    assert Absent.version() is None
    with pytest.raises(MissingExtraError, match=r"pip install .*\[absent\]'$"):
        Absent.imported()
    # An error inside an installed library is another one.
    (tmp_path / "half_a_library.py").write_text("import what_it_needs_itself")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(Absent, "library", "half_a_library")
    with pytest.raises(ModuleNotFoundError, match="what_it_needs_itself") as caught:
        Absent.imported()
    assert not isinstance(caught.value, MissingExtraError)

    def tensorflow(module):
        raise ModuleNotFoundError("No module named 'tensorflow'", name="tensorflow")

    monkeypatch.setattr("lossfw.components.library.importlib.import_module", tensorflow)
    with pytest.raises(ArgumentError, match=r"needs tensorflow.*KERAS_BACKEND to jax or torch"):
        KerasBridge.imported()


def test_a_third_party_offers_a_bridge_by_the_hook(install, lossfw):
    install("lossfw-acme", {"acme": "acme_plugin"}, {"acme_plugin": ACME})
    text = lossfw("list", "bridges").stdout
    (line,) = [x for x in text.splitlines() if "acme" in x]
    assert "not installed, pip install acme-trees: Acme: trains nothing." in line
    listed = json.loads(lossfw("list", "bridge", "--json").stdout)["components"]
    (acme,) = [entry for entry in listed if entry["name"] == "acme"]
    assert acme["library"] == {"name": "acme_trees", "version": None}


@pytest.mark.parametrize("name", ["torch", "jax", "keras"])
def test_the_lines_of_a_bridge_to_a_network_are_python(name, lossfw):
    told = lossfw("bridge", name, "--loss", "{name: huber, delta: 2}")
    assert told.exit_code == 0, told.output
    compile(told.stdout, name, "exec")
    assert "{'name': 'huber', 'delta': 2.0}" in told.stdout
