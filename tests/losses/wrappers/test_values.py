"""What wrappers compute: from their parts, in every form of a call."""

import itertools
import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw
from lossfw.losses.engine import whole_array
from lossfw.losses.wrappers import ClassWeighted, FocalModulated, LabelSmoothed, Masked
from support.wrapper_cases import CASES, CROSS, SOFT, SQUARED, R, S, Y

cases = pytest.mark.parametrize(("loss", "y", "t"), CASES.values(), ids=CASES.keys())


@cases
def test_gradient_and_hessian_are_differences_of_the_value(loss, y, t):
    step = 1e-6
    size = 1 if not loss.takes_rows else y.shape[-1]
    for k in range(y.shape[-1]):
        moved = np.zeros(y.shape[-1])
        moved[k] = step
        with np.errstate(all="ignore"):
            # The lifted functions check no domain, so a step off the simplex is legal.
            up, down = loss.unreduced(np, y + moved, t), loss.unreduced(np, y - moved, t)
            if size == 1:
                up, down = up[..., k], down[..., k]
            slope = (
                loss.unreduced_gradient(np, y + moved, t)
                - loss.unreduced_gradient(np, y - moved, t)
            )[..., k]
            first, second = (
                loss.unreduced_gradient(np, y, t)[..., k],
                loss.unreduced_hessian(np, y, t)[..., k],
            )
        assert np.allclose((up - down) / (2 * step), first, rtol=1e-6, atol=1e-6)
        assert np.allclose(slope / (2 * step), second, rtol=1e-5, atol=1e-5)


@cases
def test_value_and_gradient_are_those_of_separate_calls(loss, y, t):
    value, gradient = loss.value_and_gradient(y, t)
    assert value == pytest.approx(loss(y, t), rel=1e-14)
    assert np.allclose(gradient, loss.gradient(y, t), rtol=1e-13, atol=1e-16)


@cases
def test_formula_and_value_agree_on_exact_numbers(loss, y, t):
    pytest.importorskip("mpmath")
    exact = loss.exact(y[:6], t[:6]).astype(float)
    assert np.allclose(loss(y[:6], t[:6], reduction="none"), exact, rtol=1e-13, atol=1e-16)


@cases
@pytest.mark.parametrize("denominator", ["weights", "count"])
def test_arrays_of_other_libraries_take_another_road_to_the_same_place(loss, y, t, denominator):
    weight, where = np.linspace(0, 2, len(y)), np.arange(len(y)) % 3 > 0
    for reduction in ("mean", "sum", "none"):
        options = {"reduction": reduction, "denominator": denominator}
        wanted = loss(y, t, sample_weight=weight, where=where, **options)
        slope = loss.gradient(y, t, sample_weight=weight, where=where, **options)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("lossfw.losses.loss._engine", lambda call: whole_array)
            found = loss(y, t, sample_weight=weight, where=where, **options)
            found_slope = loss.gradient(y, t, sample_weight=weight, where=where, **options)
        assert np.allclose(found, wanted, rtol=1e-13)
        assert np.allclose(found_slope, slope, rtol=1e-12, atol=1e-16)


@cases
@given(cuts=st.sets(st.integers(0, 40), max_size=3))
def test_partials_merge_to_the_same_bits(loss, y, t, cuts):
    edges = sorted({0, 40, *cuts})
    whole = loss.partial(y, t)
    parts = [loss.partial(y[a:b], t[a:b], start=a) for a, b in itertools.pairwise(edges)]
    merged = parts[0]
    for part in parts[1:]:
        merged = part.merge(merged)
    assert merged.sums() == whole.sums()
    assert merged.mean() == loss(y, t)


@cases
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_smaller_dtypes_stay(loss, y, t, dtype):
    small, target = y.astype(dtype), t.astype(dtype)
    assert loss(small, target, reduction="none").dtype == dtype
    assert loss.gradient(small, target).dtype == dtype
    assert loss(small, target) == pytest.approx(loss(y, t), rel=0.02, abs=0.02)


@cases
def test_a_nan_in_a_prediction_reaches_the_result(loss, y, t):
    y = y.copy()
    y[3, 1] = np.nan
    keep = loss(y, t, reduction="none")
    if "ignore" in json.dumps(loss.to_config()):
        y[3], t = y[4], np.where(np.arange(len(t))[:, None] == 3, SOFT, t)
        y[3, 1] = np.nan
        keep = loss(y, t, reduction="none")
    assert np.isnan(keep[3]).any()
    assert np.isnan(loss.gradient(y, t, reduction="none")[3]).any()


@cases
def test_a_wrapper_is_a_value(loss, y, t):
    again = pickle.loads(pickle.dumps(loss))
    assert again == loss
    assert hash(again) == hash(loss)
    assert again(y, t) == loss(y, t)
    assert repr(again) == repr(loss)


REGISTERED = {
    name: case
    for name, case in CASES.items()
    if name in ("sum by row", "weighted", "weights as factors", "smoothed", "masked rows")
}
REGISTERED["focal"] = (FocalModulated(of=CROSS, gamma=1.5), Y, SOFT)
REGISTERED["sum"] = (0.5 * SQUARED - CROSS, Y, SOFT)
REGISTERED["sum by row"] = (SQUARED.replace(per="row") + 2 * SQUARED, R, S)
REGISTERED["deep"] = (
    3 * Masked(of=ClassWeighted(of=2 * LabelSmoothed(of=CROSS), weights=[1.0, 2.0, 0.0]), ignore=9),
    Y,
    SOFT,
)


@pytest.mark.parametrize(("loss", "y", "t"), REGISTERED.values(), ids=REGISTERED.keys())
def test_the_configuration_of_a_wrapper_builds_it_again(loss, y, t):
    config = loss.to_config()
    for again in (
        lossfw.loss(config),
        lossfw.loss(json.loads(json.dumps(config))),
        type(loss).model_validate_json(loss.model_dump_json()),
        type(loss).model_validate(loss.model_dump()),
    ):
        assert again == loss
        assert again(y, t) == loss(y, t)


def test_a_registry_makes_parts_from_its_own_plugins(tmp_path):
    (tmp_path / "doubled.py").write_text(
        "from lossfw import DistanceLoss, hookimpl\n"
        "class Doubled(DistanceLoss):\n"
        "    def value(self, xp, r):\n"
        "        return 2 * xp.abs(r)\n"
        "@hookimpl\n"
        "def lossfw_losses():\n"
        "    return {'doubled': Doubled}\n"
    )
    registry = lossfw.Registry.discover(local=[tmp_path / "doubled.py"])
    spec = {"name": "sum", "of": [{"name": "doubled", "scale": 3.0}, "squared_error"]}
    assert registry.create("loss", spec)([2.0], [0.0]) == 16.0
    with pytest.raises(lossfw.UnknownNameError):
        lossfw.loss(spec)
