"""The checks of bridges: an honest one holds them all, and each liar is caught by name."""

import json
import os
from typing import ClassVar

import pytest

from lossfw import POSITIVE, PointwiseLoss, Space
from lossfw import loss as made
from lossfw.check import check, parametrize_with_checks
from lossfw.check.bridges.laws import LAWS, bridge_checks, installed_bridges
from lossfw.check.core.search import NotApplicable, Search
from lossfw.check.core.subject import subject_of_component
from lossfw.check.report import PassedCheck, Refutation
from lossfw.check.runner import CheckSuite, attempt
from lossfw.errors import ArgumentError
from support.liars.bridges import BRIDGE_LIARS, Honest, HonestAutograd, HonestDerivatives

LOSSES = ("huber", "squared_error", "quantile", "logistic", "poisson_deviance", "cross_entropy")


def outcomes(bridge, loss):
    """Return what each law says of a bridge, by the name of the law."""
    loss = made(loss) if isinstance(loss, str) else loss
    checks = bridge_checks(loss, [bridge])
    of = CheckSuite(loss.name, subject_of_component(loss), checks, (), component=loss)
    search = Search(0, 200)
    return {name.split(":")[2]: attempt(of, name, search) for name in checks}


def test_every_law_has_a_liar():
    laws = {law for laws in LAWS.values() for law in laws} | {"refusal"}
    assert {liar.check for liar in BRIDGE_LIARS} == laws


@pytest.mark.parametrize("loss", LOSSES)
def test_an_honest_bridge_holds_every_law(loss):
    for bridge in (Honest(), HonestDerivatives(), HonestAutograd()):
        for law, outcome in outcomes(bridge, loss).items():
            # The mean of Poisson's deviance is above 0, and has no kink there.
            nothing = law == "hard points" and loss == "poisson_deviance"
            assert isinstance(outcome, NotApplicable if nothing else PassedCheck), (
                f"{law}: {outcome}"
            )


class RelativeSquare(PointwiseLoss):
    """The square of the relative error, whose curvatures differ by powers of ten."""

    target: ClassVar[Space] = POSITIVE

    def value(self, xp, y, t):
        r = (y - t) / t
        return r * r


def test_a_leaf_of_little_curvature_is_a_leaf_of_lightgbm():
    pytest.importorskip("lightgbm")
    (bridge,) = (one for one in installed_bridges() if one.name == "lightgbm")
    outcome = outcomes(bridge, RelativeSquare())["stump"]
    assert isinstance(outcome, PassedCheck), outcome


@pytest.mark.parametrize("liar", BRIDGE_LIARS, ids=str)
def test_a_bridge_that_lies_is_caught_by_the_law_that_it_breaks(liar):
    found = outcomes(liar.bridge, liar.loss)
    assert isinstance(found[liar.check], Refutation), found[liar.check]
    assert "was ended by" not in found[liar.check].message
    refuted = {law for law, outcome in found.items() if isinstance(outcome, Refutation)}
    assert "*" in liar.besides or refuted - {liar.check} <= set(liar.besides)


def test_a_refusal_is_told_with_its_reason():
    found = outcomes(Honest(), "brier")
    assert all(isinstance(outcome, NotApplicable) for outcome in found.values())
    assert "SIMPLEX" in str(found["refusal"])
    assert "honest refuses" in str(found["gradients"])


def test_a_library_that_cannot_be_imported_is_told(tmp_path, monkeypatch):
    (tmp_path / "half_a_library.py").write_text("import what_it_needs_itself")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(Honest, "library", "half_a_library")
    assert "cannot be imported: No module named" in str(outcomes(Honest(), "huber")["gradients"])


def test_a_start_on_a_plateau_is_told():
    found = outcomes(Honest(), "ramp")
    assert "at a kink or on a plateau" in str(found["stump"])


@pytest.mark.parametrize(
    "loss",
    ["huber", *(pytest.param(x, marks=pytest.mark.slow) for x in ("hinge", "cross_entropy"))],
)
def test_the_installed_libraries_hold_every_law(loss):
    pytest.importorskip("xgboost")
    pytest.importorskip("lightgbm")
    pytest.importorskip("catboost")
    pytest.importorskip("sklearn")
    for name in ("catboost", "lightgbm", "sklearn", "xgboost"):
        (bridge,) = [bridge for bridge in installed_bridges() if bridge.name == name]
        for law, outcome in outcomes(bridge, loss).items():
            assert not isinstance(outcome, Refutation), f"{name} {law}: {outcome}"


@pytest.mark.filterwarnings("ignore")  # of the compiler of PyTorch, and of Keras
@pytest.mark.parametrize("loss", ["huber", "absolute_error", "cross_entropy"])
@pytest.mark.parametrize("library", ["torch", "jax", "keras"])
def test_the_libraries_that_differentiate_hold_every_law(library, loss, monkeypatch):
    if library == "keras" and "KERAS_BACKEND" not in os.environ:
        monkeypatch.setenv("KERAS_BACKEND", "torch")
    pytest.importorskip(library)
    (bridge,) = [bridge for bridge in installed_bridges() if bridge.name == library]
    for law, outcome in outcomes(bridge, loss).items():
        assert not isinstance(outcome, Refutation), f"{library} {law}: {outcome}"


def test_bridges_are_checked_on_request(monkeypatch):
    monkeypatch.setattr("lossfw.check.bridges.laws.installed_bridges", lambda: [Honest()])
    report = check("huber", only=["bridge"], bridges=True)
    assert report.ok
    assert {one.check for one in report.passed} >= {"bridge:honest:stump", "bridge:honest:metric"}
    with pytest.raises(ArgumentError, match="only='bridge'"):
        check("huber", only=["bridge"])
    mark = parametrize_with_checks(["huber"], bridges=True)
    cases = {case.values[1].name for case in mark.args[1]}
    assert {"bridge:honest:stump", "claim:convex"} <= cases


def test_the_command_line_checks_bridges(lossfw):
    pytest.importorskip("xgboost")
    only = ("--defaults", "--only", "bridge:xgboost:stump", "--processes", "1")
    result = lossfw("check", "--bridges", "huber", *only, "--json")
    assert result.exit_code == 0, result.output
    (report,) = json.loads(result.stdout)["reports"]
    assert "bridge:xgboost:stump" in report["passed"]
    result = lossfw("check", "--bridges", "relu")
    assert result.exit_code == 2
    assert "no bridge trains with this activation" in result.stderr


def test_without_a_library_there_is_nothing_to_check(monkeypatch):
    monkeypatch.setattr("lossfw.components.library.importlib.util.find_spec", lambda name: None)
    with pytest.raises(ArgumentError, match="lossfw list bridges"):
        installed_bridges()
