"""Constants of claims are reached: none is larger than it has to be."""

import numpy as np
import pytest

import lossfw


@pytest.mark.parametrize("weight", [0.01, 1.0, 3.0, 100.0])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
def test_the_constants_of_a_weighted_cross_entropy_are_tight(weight, share):
    ends = np.geomspace(1e-9, 0.5, 700)
    inner = np.unique(np.concatenate([[0.0, 1.0], ends, 1 - ends]))
    for guard in ("normalised", "additive", "floor", "none"):
        for delta in (1e-3, 0.3, 0.8):
            kinks = [delta, np.nextafter(delta, 0), 1 - delta, np.nextafter(1 - delta, 1)]
            y = np.concatenate([inner, kinks]) if guard == "floor" else inner
            loss = lossfw.loss("binary_cross_entropy", guard=guard, delta=delta,
                               pos_weight=weight, label_smoothing=share)  # fmt: skip
            _assert_tight(loss, y, bends=guard != "floor")
    z = np.linspace(-60, 60, 4001)
    loss = lossfw.loss("binary_cross_entropy", from_logits=True, pos_weight=weight,
                       label_smoothing=share)  # fmt: skip
    _assert_tight(loss, z, bends=True)
    assert (loss.curvature_bound(np, z, 0 * z) * (1 + 1e-12) >= loss.hessian(z, 0 * z)).all()


def _assert_tight(loss, y, *, bends):
    pairs = [np.tile(y, 3), np.repeat([0.0, 0.3, 1.0], len(y))]
    with np.errstate(all="ignore"):
        values = loss(*pairs, reduction="none")
        slopes, curves = (
            loss.gradient(*pairs, reduction="sum"),
            loss.hessian(*pairs, reduction="sum"),
        )
    claims = loss.claims()
    found = {"bounded": values.max(), "lipschitz": np.abs(slopes).max()}
    if bends:
        found |= {"gradient_lipschitz": curves.max(), "strongly_convex": curves.min()}
    if loss.guard == "additive":
        found["lower_bound"] = values.min()
    for name, one in found.items():
        claimed = getattr(claims, name)
        if claimed is not None:
            assert one == pytest.approx(claimed, rel=1e-3, abs=1e-7), (loss, name)


@pytest.mark.parametrize("epsilon", [-1.0, 1.0, 3.0, 1e3])
def test_the_slope_of_poly_cross_entropy_at_logits_reaches_its_bound(epsilon):
    loss = lossfw.loss("poly_cross_entropy", epsilon=epsilon, from_logits=True)
    z = np.zeros((4001, 2))
    z[:, 0] = np.linspace(-40, 40, 4001)
    slopes = loss.gradient(z, np.zeros(4001, int), reduction="sum")
    bound = loss.claims().lipschitz
    assert 0.999 * bound <= np.linalg.norm(slopes, axis=1).max() <= bound * (1 + 1e-12)
    assert loss.claims().convex == (epsilon <= 1 or None)
