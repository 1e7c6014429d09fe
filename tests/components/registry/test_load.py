"""Loading: each plugin on its own, and what it does wrong stays in its record."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lossfw.components.hookspecs import API
from lossfw.components.registry import Registry, find_plugins
from lossfw.errors import BrokenPluginError, IncompatiblePluginError, UnknownNameError
from support.plugin_sources import HEAD, hook, loss, plugin

GOOD = {"good_plugin": plugin("Mild")}

# What is wrong with a plugin -> its source, and what its reason has to say.
BROKEN = {
    "raises on import": ("x = 1\nx.nothing", ["AttributeError", "'nothing'", "bad_plugin.py:2"]),
    "syntax error": ("x = 1\ndef f(:\n    pass", ["SyntaxError", "bad_plugin.py:2"]),
    "exits on import": ("import sys\nsys.exit(3)", ["SystemExit: 3", "bad_plugin.py:2"]),
    "interrupts itself": ("x = 1\nraise KeyboardInterrupt", ["KeyboardInterrupt", "plugin.py:2"]),
    "ends the process": ("import os\nos._exit(5)", ["os._exit(5)", "bad_plugin.py:2"]),
    "an error without a text": (
        "class Bad(Exception):\n    def __str__(self):\n        return 1 / 0\n\nraise Bad",
        ["Bad: (its text raises ZeroDivisionError)", "bad_plugin.py:5"],
    ),
    "raises in its hook": (HEAD + hook("1 / 0"), ["ZeroDivisionError", "bad_plugin.py:"]),
    "misspelt hook": (
        HEAD + hook("{}", name="lossfw_loses"),
        ["lossfw_loses", "Did you mean lossfw_losses?"],
    ),
    "unheard-of hook": (HEAD + hook("{}", name="qqq_hook"), ["qqq_hook", "lossfw_sources"]),
    "wrong signature": (
        HEAD + hook("{}", parameters="registry"),
        ["lossfw_losses(registry)", "expected lossfw_losses()"],
    ),
    "hook without its mark": ("def lossfw_metrics(): return {}", ["lossfw_metrics", "@hookimpl"]),
    "a list": (HEAD + loss("Mild") + hook("[Mild]"), ["lossfw_losses", "mapping", "list"]),
    "a name that is not a string": (HEAD + hook("{1: 'a:B'}"), ["lossfw_losses", "name 1"]),
    "a name with a slash": (HEAD + hook("{'a/b': 'a:B'}"), ["'a/b'", "letters"]),
    "an object": (HEAD + loss("Mild") + hook("{'mild': Mild()}"), ["'mild'", "Mild(c=1.0)"]),
    "a target that is none": (HEAD + hook("{'mild': 'a b:C'}"), ["'a b:C'", "module:Class"]),
    "dangling alias": (
        HEAD + hook("{'mild': 'a:Mild', 'robust': 'mildd'}"),
        ["'robust'", "'mildd'", "Did you mean 'mild'?"],
    ),
    "circle of aliases": (HEAD + hook("{'a': 'b', 'b': 'c', 'c': 'a'}"), ["a -> b -> c -> a"]),
    "version that is not a number": (f"lossfw_api = '{API}'", ["lossfw_api", f"'{API}'"]),
}


def record(registry, label):
    return next(p for p in registry.plugins() if p.label == label)


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_is_told_and_takes_nobody_down(install, case):
    source, wanted = BROKEN[case]
    install("good", {"good": "good_plugin"}, GOOD)
    install("bad-losses", {"bad": "bad_plugin"}, {"bad_plugin": source}, version="0.3")
    registry = Registry.discover()

    bad = record(registry, "bad-losses[bad]")
    assert bad.state == "broken"
    for word in wanted:
        assert word in bad.reason
    assert "\n" not in bad.reason
    assert record(registry, "good[good]").state == "loaded"
    assert registry.create("loss", "mild").c == 1.0


@pytest.fixture
def interruptible():
    """Let interrupts raise: what a shell starts in the background ignores them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_by_the_user_during_an_import_is_one(install):
    source = "import signal\nsignal.raise_signal(signal.SIGINT)"
    install("slow", {"slow": "slow_plugin"}, {"slow_plugin": source})
    install("late", {"late": "late_plugin"}, {"late_plugin": HEAD + hook("{'a': 'slow_plugin:A'}")})
    before, leave = signal.getsignal(signal.SIGINT), os._exit
    registry = Registry.discover()
    # Nor does it make the plugin vanish.
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            registry.plugins()
    with pytest.raises(KeyboardInterrupt):
        registry.component_class("loss", "late/a")
    assert (signal.getsignal(signal.SIGINT), os._exit) == (before, leave)


def test_asking_a_broken_plugin_by_name_says_why(install):
    install("bad", {"bad": "bad_plugin"}, {"bad_plugin": "import no_such_module"}, version="0.3")
    with pytest.raises(BrokenPluginError, match=r"bad\[bad\] 0\.3.*no_such_module") as caught:
        Registry.discover().resolve("loss", "bad/mild")
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_an_unknown_name_tells_of_plugins_that_may_offer_it(install):
    install("bad", {"bad": "bad_plugin"}, {"bad_plugin": "import no_such_module"})
    install("old", {"old": "old_plugin"}, {"old_plugin": f"lossfw_api = {API + 1}"})
    install("off", {"off": "off_plugin"}, {"off_plugin": "raise AssertionError"})
    install("good", {"good": "good_plugin"}, GOOD)
    with pytest.raises(UnknownNameError) as caught:
        Registry.discover(disable=["off"]).resolve("loss", "mildd")
    message = str(caught.value)
    assert "Did you mean 'mild'?" in message
    assert "bad[bad] 1.0 could not be loaded: ModuleNotFoundError" in message
    assert "off[off] 1.0 is disabled by" in message
    assert "old[old] 1.0 could not be loaded: it is written for version" in message
    assert message.count("may offer 'mildd'") == 3
    assert "good[good]" not in message


@pytest.mark.parametrize(("version", "upgrade"), [(API + 1, "lossfw"), (API - 1, "odd-losses")])
def test_another_version_of_the_hooks_is_refused_with_both(install, version, upgrade):
    source = f"lossfw_api = {version}\n" + plugin("Mild")
    install("odd-losses", {"odd": "odd_plugin"}, {"odd_plugin": source})
    registry = Registry.discover()
    odd = record(registry, "odd-losses[odd]")
    assert odd.state == "incompatible"
    for words in (f"version {version}", f"has version {API}", f"upgrade {upgrade}"):
        assert words in odd.reason
    with pytest.raises(IncompatiblePluginError, match="odd-losses"):
        registry.resolve("loss", "odd-losses/mild")


def test_one_object_under_two_entries_is_told(install):
    install("one", {"a": "one_plugin", "b": "one_plugin"}, {"one_plugin": plugin("Mild")})
    second = record(Registry.discover(), "one[b]")
    assert second.state == "broken"
    assert "already loaded as one[a]" in second.reason


def test_metadata_is_read_and_what_cannot_be_read_is_a_broken_plugin(install):
    site = install("acme", {}, {})
    (site / "acme-1.0.dist-info" / "entry_points.txt").write_text("[lossfw]\nno equals sign\n")
    # One without a name disturbs nobody.
    nameless = site / "nameless-1.0.dist-info"
    nameless.mkdir()
    (nameless / "entry_points.txt").write_text("[lossfw]\nx = y\n")
    (found,) = (p for p in find_plugins() if p.distribution != "lossfw")
    assert found.distribution == "acme"
    assert "entry_points.txt" in found.problem
    assert record(Registry.discover(), "acme[?]").state == "broken"
    assert find_plugins("surely-not-installed") == ()


def test_threads_that_ask_at_once_load_a_plugin_once(install, tmp_path):
    log = tmp_path / "log"
    source = f"with open({str(log)!r}, 'a') as f: f.write('imported ')\n" + plugin("Mild")
    install("acme", {"acme": "acme_plugin"}, {"acme_plugin": source})
    registry, start = Registry.discover(), threading.Barrier(4)

    def ask():
        start.wait()
        return registry.component_class("loss", "mild")

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask) for _ in range(4)]
        assert len({future.result() for future in asked}) == 1
    assert log.read_text() == "imported "
