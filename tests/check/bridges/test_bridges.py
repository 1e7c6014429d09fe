"""The checks of bridges: an honest one holds them all, and each liar is caught by name."""

import json
import os
from typing import ClassVar, NamedTuple

import numpy as np
import pytest

from lossfw import POSITIVE, PointwiseLoss, Space
from lossfw import loss as made
from lossfw.bridges import BoostingBridge, Bridge
from lossfw.bridges.network_loss import trainable_loss
from lossfw.check import check, parametrize_with_checks
from lossfw.check.bridges.laws import LAWS, bridge_checks, installed_bridges
from lossfw.check.core.search import NotApplicable, Search
from lossfw.check.core.subject import subject_of_component
from lossfw.check.report import PassedCheck, Refutation
from lossfw.check.runner import CheckSuite, attempt
from lossfw.errors import ArgumentError, DivergenceError
from lossfw.learning.bridge import AutogradBridge
from lossfw.learning.derivatives import derivatives


class Honest(BoostingBridge):
    """Boosts stumps on the first feature, as the libraries do."""

    name: ClassVar[str] = "honest"
    library: ClassVar[str] = "numpy"

    def objective(self, loss, *, curvature="auto"):
        return derivatives(loss, curvature)

    def metric(self, loss):
        return derivatives(loss, "one")

    def estimator_params(self, loss, target, sample_weight=None, *, classes=None):
        return {}

    def derivatives(self, objective, raw, target, weight):
        return objective(raw, target, weight)

    def score(self, metric, raw, target, weight):
        return metric.mean(raw, target, weight), False

    def fit_predict(self, loss, training):
        objective = self.objective(loss, curvature=training.curvature)
        n = len(training.target)
        raw = np.broadcast_to(training.start, (n, *np.shape(training.start))).copy()
        weight = np.ones(n) if training.weight is None else training.weight
        for _ in range(training.rounds):
            g, h = self.derivatives(objective, raw, training.target, training.weight)
            for side in (training.x[:, 0] > 0, training.x[:, 0] <= 0):
                leaf = self.leaf_value(g[side], h[side], weight, training.l2)
                raw[side] += training.learning_rate * leaf
        return raw


class HonestDerivatives(Bridge):
    """A library of automatic differentiation."""

    name: ClassVar[str] = "honest_derivatives"
    library: ClassVar[str] = "numpy"

    def build(self, loss):
        return loss

    def value_and_gradient(self, loss, y, t):
        return loss(y, t, reduction="none"), loss.gradient(y, t, reduction="none")


class HonestAutograd(AutogradBridge):
    """A library of automatic differentiation with all that the harness asks for."""

    name: ClassVar[str] = "honest_autograd"
    library: ClassVar[str] = "numpy"

    def build(self, loss):
        return trainable_loss(loss, fuse=False)

    def value_and_gradient(self, loss, y, t, *, compiled=False):
        return loss(y, t, reduction="none"), loss.gradient(y, t, reduction="none")


class BridgeLiar(NamedTuple):
    """A bridge that breaks a law for a loss, and what cannot but break with it."""

    check: str
    bridge: Bridge
    loss: str
    besides: tuple[str, ...] = ()

    def __str__(self):
        return f"{self.check}-{type(self.bridge).__name__}"


def _liar(check, base, what, loss, *besides, **lies):
    """Return a bridge with some functions that lie."""
    return BridgeLiar(check, type(what, (base,), lies)(), loss, besides)


def _sees(change):
    """Return the derivatives that a library gets, changed."""
    return lambda self, objective, *rows: change(*objective(*rows))


def _gets(base, change):
    """Return values and gradients that a library gets, changed."""
    return lambda self, loss, y, t, **how: change(
        y, t, *base.value_and_gradient(self, loss, y, t), **how
    )


def _nameless(self, objective, raw, target, weight):
    try:
        return objective(raw, target, weight)
    except DivergenceError:
        raise DivergenceError("something is not finite") from None


def _climbing(self, loss, training):
    once = Honest.fit_predict(self, loss, training)
    return once if training.rounds == 1 else 2 * training.start - once + 3.0


def _unweighted(self, loss, training):
    # Its leaves are right where they can be computed, and it forgets weights otherwise.
    return Honest.fit_predict(
        self, loss, training if training.l2 else training._replace(weight=None)
    )


def _closure(self, loss, curvature="auto"):
    function = derivatives(loss, curvature)
    return lambda *arguments: function(*arguments)


_TRAINED = ("stump", "falls", "twice")
_D, _A = HonestDerivatives, HonestAutograd

BRIDGE_LIARS = (
    _liar("gradients", Honest, "Minus", "huber", "weights", "falls",
          derivatives=_sees(lambda g, h: (-g, h))),
    _liar("gradients", Honest, "Swapped", "cross_entropy", "weights", *_TRAINED,
          derivatives=_sees(lambda g, h: (g[..., ::-1], h[..., ::-1]))),
    _liar("gradients", Honest, "Flat", "squared_error", "weights", *_TRAINED,
          derivatives=_sees(lambda g, h: (g, 0.0 * h))),
    _liar("weights", Honest, "WeightsLost", "huber", *_TRAINED,
          derivatives=lambda self, objective, raw, target, weight: objective(raw, target)),
    _liar("start", Honest, "FromZero", "squared_error",
          best_constant=lambda self, *rows, **more: (
              0.5 + 0.0 * Honest.best_constant(self, *rows, **more))),
    _liar("stump", Honest, "HalfLeaves", "logistic",
          fit_predict=lambda self, loss, training: 0.5 * (
        training.start + Honest.fit_predict(self, loss, training))),
    _liar("falls", Honest, "Climbing", "huber", fit_predict=_climbing),
    _liar("twice", Honest, "Unweighted", "squared_error", fit_predict=_unweighted),
    _liar("finite", Honest, "Silent", "huber",
          derivatives=lambda self, objective, raw, *others: objective(np.nan_to_num(raw), *others)),
    _liar("finite", Honest, "Nameless", "huber", derivatives=_nameless),
    _liar("metric", Honest, "Sum", "huber",
          score=lambda self, metric, raw, t, w: (len(t) * metric.mean(raw, t, w), False)),
    _liar("metric", Honest, "Greater", "huber",
          score=lambda self, metric, *rows: (metric.mean(*rows), True)),
    _liar("copies", Honest, "Unequal", "huber", objective=_closure),
    # The first takes what it cannot train with, the second refuses in words alone.
    _liar("refusal", Honest, "Eager", "brier", "*", refusal=lambda self, loss: None),
    _liar("refusal", Honest, "Reluctant", "huber", refusal=lambda self, loss: "it is Monday"),
    _liar("values", _D, "Rounded", "huber", "hard points",
          value_and_gradient=_gets(_D, lambda y, t, v, g: (np.round(v, 2), g))),
    _liar("hard points", _D, "WrongAtKinks", "absolute_error",
          value_and_gradient=_gets(_D, lambda y, t, v, g: (v, np.where(y == t, 0.5, g)))),
    _liar("differences", _A, "TwiceTheGradient", "huber", "values", "hard points",
          value_and_gradient=_gets(_A, lambda y, t, v, g, compiled=False: (v, 2 * g))),
    _liar("compiled", _A, "OtherCompiled", "huber", value_and_gradient=_gets(
        _A, lambda y, t, v, g, compiled=False: (v, g * (1.0 + 1e-6 * compiled)))),
    _liar("dtypes", _A, "AlwaysWide", "huber", value_and_gradient=_gets(
        _A, lambda y, t, v, g, compiled=False: (v.astype("float64"), g.astype("float64"))))
)  # fmt: skip


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
