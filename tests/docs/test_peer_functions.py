"""Peers compute the same functions as we do; those that are not installed are skipped."""

import importlib
import importlib.util
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import lossfw
from lossfw.check.accuracy.measure import measure
from lossfw.check.core.draw import draw_densely
from lossfw.check.core.subject import subject_of_component
from lossfw.check.instances import variants

ROOT = Path(__file__).parents[2]


def script():
    """Return the module scripts/peer_functions.py."""
    name = "peer_functions"
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PEER_FUNCTIONS = script()
PEERS, installed = PEER_FUNCTIONS.PEERS, PEER_FUNCTIONS.installed
PeerImplementation = PEER_FUNCTIONS.PeerImplementation


def test_what_show_reads_is_this_table():
    written = json.loads((ROOT / "plugins/lossfw_std/costs.json").read_text())["peers"]
    assert written == json.loads(json.dumps(PEER_FUNCTIONS.peer_calls()))


def usual(component):
    """Return a few unremarkable arguments, of one shape for each kind of target."""
    rng = np.random.default_rng(0)
    if isinstance(component, lossfw.Activation):
        return [(rng.normal(size=(6, 3) if component.takes_rows else 20),)]
    found = {}
    for points in draw_densely(subject_of_component(component), "float64", rng, 600):
        y, t = points.y, points.t
        keep = np.abs(y) < 5
        # Away from both ends, where others clip.
        keep &= (np.abs(y) > 1e-3) & (np.abs(y) < 1 - 1e-3)
        if t.shape == y.shape:
            keep &= (np.abs(t) < 5) & ((np.abs(t - y) > 1e-2) | (t == 1))
        keep = keep.all(-1) if component.takes_rows else keep
        if keep.any():
            found[t.ndim] = y[keep][:20], t[keep][:20]
    return list(found.values())


@pytest.fixture(scope="module", params=PEERS, ids=lambda peer: peer.name)
def peer(request):
    """One of the libraries."""
    if importlib.util.find_spec(request.param.module) is None:
        pytest.skip(f"{request.param.name} is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        installed()  # sets the backend of Keras
        importlib.import_module(request.param.module)
    return request.param


@pytest.mark.slow
def test_a_peer_s_functions_are_ours(peer):
    offered = 0
    registry = lossfw.registry()
    for kind in ("loss", "activation"):
        for entry in registry.entries(kind):
            for component in variants(registry.class_of(entry)):
                offer = peer.find_function(component)
                if offer is None:
                    continue
                offered += 1
                for arrays in usual(component):
                    compare(peer, component, offer, arrays)
    assert offered > 5
    assert peer.version[0].isdigit()


def compare(peer, component, offer, arrays):
    if offer.takes is not None:
        arrays = tuple(x[offer.takes(*arrays)] for x in arrays)
    each = {} if len(arrays) == 1 else {"reduction": "none"}
    for order, function in enumerate([component, getattr(component, "gradient", None)]):
        theirs = offer.compute(order, arrays)
        if function is not None and theirs is not None:
            np.testing.assert_allclose(
                theirs, function(*arrays, **each), 1e-4, 1e-6, err_msg=f"{peer.name}: {component!r}"
            )


class Peer:
    """A library with a squared error, which takes no float32."""

    name, version = "peer", "1"

    def __init__(self, value, takes=None):
        self.value, self.takes = value, takes

    def find_function(self, component):
        def value(y, t):
            if y.dtype == np.float32:
                raise TypeError("float64 only")
            return self.value(y, t)

        is_ours = component.name == "squared_error"
        return PeerImplementation((value,), takes=self.takes) if is_ours else None


def test_a_peer_is_measured_where_it_has_the_loss():
    loss, halves = lossfw.loss("squared_error"), Peer(lambda y, t: (y - t) ** 2 / 2)
    (worst,) = measure(loss, "float64", points=60, peers=[halves]).peers["peer"].normal
    assert worst.ulps > 1e15
    assert measure(loss, "float32", points=60, peers=[halves]).peers == {}
    assert measure(lossfw.loss("huber"), "float64", points=60, peers=[halves]).peers == {}
    # What a peer does not mean is not measured.
    partly = Peer(lambda y, t: np.where(t == 0, y * y, 7.0), takes=lambda y, t: t == 0)
    found = measure(loss, "float64", points=60, peers=[partly])
    (worst,) = found.peers["peer"].normal
    assert worst.ulps <= 0.5
    assert 0 < worst.points < found.results[0].points


@pytest.mark.parametrize(
    ("library", "name", "parameters"),
    [("torch", "huber", {"delta": 0.25}), ("optax", "squared_error", {})],
)
def test_a_function_times_a_factor_is_ours(library, name, parameters):
    peer = next(one for one in PEERS if one.name == library)
    pytest.importorskip(peer.module)
    component = lossfw.loss(name, **parameters)
    (multiple,) = [one for one in peer.functions(name) if one.times != 1]
    y, t = usual(component)[0]
    adapted = multiple.body(component)
    value = adapted.value if hasattr(adapted, "value") else peer.lift(adapted).value
    np.testing.assert_allclose(value(y, t), component(y, t, reduction="none"), rtol=1e-12)
