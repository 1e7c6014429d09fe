"""The built-in plugin, and a whole process with third parties around it."""

import json
import os
import subprocess
import sys
from importlib import import_module

import pytest

from lossfw.components.hookspecs import HOOKS
from lossfw.components.registry import KINDS, Registry
from lossfw.errors import DuplicateNameError, UnknownNameError
from support.plugin_sources import HEAD, loss, plugin

# Asks for built-in names first, then for everything, and prints what it saw.
PROGRAM = """
import json, sys
import lossfw

seen = {"alias": lossfw.loss("mse").name, "origin": lossfw.registry().resolve("loss", "mse").label}
seen["imported"] = [m for m in ("slow_plugin", "exit_plugin") if m in sys.modules]
seen["states"] = {p.label: [p.state, p.reason] for p in lossfw.registry().plugins()}
seen["mild"] = lossfw.registry().create("loss", "mild").to_config()
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def built_in():
    return Registry.discover(plugins=False)


def tables():
    module = import_module(Registry.discover(plugins=False).plugins(load=False)[0].metadata.target)
    return {kind: getattr(module, HOOKS[kind])() for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_is_sorted_and_holds_texts(kind):
    table = tables()[kind]
    assert list(table) == sorted(table)
    assert all(isinstance(target, str) for target in table.values())


@pytest.mark.parametrize("kind", KINDS)
def test_every_built_in_component_is_what_it_is_offered_as(built_in, kind):
    entries = [e for e in built_in.entries(kind) if e.plugin.builtin]
    assert entries
    for entry in entries:
        cls = built_in.component_class(kind, entry.name)
        assert cls._summary(), f"{cls.__name__} has no docstring"
        assert built_in.resolve(kind, f"lossfw/{entry.name}").state == "loaded"
        for alias in entry.aliases:
            assert built_in.resolve(kind, alias).name == entry.name


def test_the_aliases_of_the_design_resolve(built_in):
    for alias, name in {
        "mse": "squared_error",
        "l2": "squared_error",
        "mean_squared_error": "squared_error",
        "softmax_cross_entropy": "cross_entropy",
    }.items():
        assert built_in.resolve("loss", alias).name == name


def test_a_third_party_doubles_a_built_in_name_once_it_is_loaded(install):
    install("acme", {"acme": "acme_plugin"}, {"acme_plugin": plugin("SquaredError")}, "1.1")
    registry = Registry.discover()
    assert registry.resolve("loss", "acme/squared_error").label == "acme[acme]"
    with pytest.raises(DuplicateNameError) as caught:
        registry.resolve("loss", "squared_error")
    for words in (
        "lossfw[std]",
        "acme[acme] 1.1",
        "'lossfw/squared_error'",
        "'acme/squared_error'",
    ):
        assert words in str(caught.value)
    assert registry.resolve("loss", "lossfw/squared_error").label == "lossfw[std]"
    assert registry.resolve("loss", "mse").name == "squared_error"


def test_a_local_file_doubles_a_built_in_name_at_once(tmp_path):
    path = tmp_path / "my_loss.py"
    path.write_text(HEAD + loss("SquaredError"))
    registry = Registry.discover(local=[path])
    with pytest.raises(DuplicateNameError, match="'my_loss/squared_error'"):
        registry.resolve("loss", "squared_error")
    assert registry.resolve("loss", "my_loss/squared_error").plugin.path == path


def test_lossfw_on_the_path_without_its_metadata_says_what_to_do(tmp_path, monkeypatch):
    # A path without any installed distribution; the modules are imported already.
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(UnknownNameError, match=r"No loss is known[^\n]*\n.*install it with pip"):
        Registry.discover().resolve("loss", "squared_error")


def test_a_process_among_plugins_good_and_bad(install):
    slow = plugin("Mild")
    site = install("slow", {"slow": "slow_plugin"}, {"slow_plugin": slow})
    install("exits", {"exit": "exit_plugin"}, {"exit_plugin": "import sys\nsys.exit(1)"})
    install("off", {"off": "off_plugin"}, {"off_plugin": "raise AssertionError"})
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    environment = {**os.environ, "PYTHONPATH": path, "LOSSFW_DISABLE": "off[off]"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert (seen["alias"], seen["origin"]) == ("squared_error", "lossfw[std]")
    assert seen["imported"] == []
    assert {label: state for label, (state, _) in seen["states"].items()} == {
        "exits[exit]": "broken",
        "lossfw[std]": "loaded",
        "off[off]": "disabled",
        "slow[slow]": "loaded",
    }
    assert "SystemExit: 1" in seen["states"]["exits[exit]"][1]
    assert seen["mild"] == {"name": "mild"}
