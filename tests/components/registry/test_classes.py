"""From an entry to its class: what comes must be what was promised."""

import pytest

from lossfw.components.registry import Registry
from lossfw.errors import BrokenPluginError
from support.plugin_sources import HEAD, hook, loss

ABSTRACT = """
from abc import ABC, abstractmethod
class Mild(Component, ABC):
    kind: ClassVar[str] = "loss"
    @abstractmethod
    def value(self, xp, r): ...
"""
OPEN = loss("Mild", 'model_config = {"extra": "allow"}')

# What is wrong with a component -> its module, and what the message has to say.
UNFIT = {
    "module that is not there": (None, ["fit_fair:Mild", "No module named 'fit_fair'"]),
    "class that is not there": (HEAD, ["'fit_fair:Mild'", "has no attribute 'Mild'"]),
    "module that raises": (HEAD + "\n1 / 0", ["ZeroDivisionError", "fit_fair.py:"]),
    "module that exits": ("import sys\nsys.exit('bye')", ["SystemExit: bye", "fit_fair.py:2"]),
    "function": ("def Mild(): ...", ["function", "not a class"]),
    "plain class": ("class Mild: ...", ["not a component", "derive it"]),
    "class without a kind": (HEAD + "class Mild(Component): ...", ["no kind", "derive it"]),
    "another kind": (HEAD + loss("Mild").replace('"loss"', '"metric"'),
                     ["is a metric", "offer it through lossfw_metrics"]),
    "abstract class": (HEAD + ABSTRACT, ["not finished", "define value"]),
    "unknown type": ("from __future__ import annotations" + HEAD + loss("Mild", "c: Flaot = 1.0"),
                     ["unknown type 'Flaot'"]),
    "class that takes anything": (HEAD + OPEN, ["unknown parameters", "model_config"]),
    "another name": (HEAD + loss("Mild", 'name: ClassVar[str] = "fairness"'),
                     ["calls itself 'fairness'", "offer it as 'fairness'"]),
}  # fmt: skip


@pytest.mark.parametrize("case", UNFIT)
def test_an_unfit_class_is_refused_with_its_plugin_and_the_fix(install, case):
    source, wanted = UNFIT[case]
    modules = {"fit_plugin": HEAD + hook("{'mild': 'fit_fair:Mild', 'good': 'fit_good:Good'}")}
    modules["fit_good"] = HEAD + loss("Good")
    if source is not None:
        modules["fit_fair"] = source
    install("fit-losses", {"fit": "fit_plugin"}, modules)
    registry = Registry.discover()

    with pytest.raises(BrokenPluginError) as caught:
        registry.component_class("loss", "mild")
    for word in ("fit-losses[fit] 1.0", "'mild'", "fit_fair:Mild", *wanted):
        assert word in str(caught.value)
    entry = registry.resolve("loss", "mild")
    assert (entry.state, entry.reason) == ("broken", str(caught.value))
    assert registry.component_class("loss", "good").name == "good"


def test_a_class_given_as_such_is_checked_for_the_listing(install):
    install("fit", {"fit": "fit_plugin"}, {"fit_plugin": HEAD + hook("{'mild': int}")})
    (entry,) = [e for e in Registry.discover().entries("loss") if e.name == "mild"]
    assert entry.state == "broken"
    assert "the class int, which is not a component" in entry.reason
