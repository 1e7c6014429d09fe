"""Factors and sums of losses, and what holds of every wrapper."""

import json

import numpy as np
import pytest

import lossfw
from lossfw import GroupLoss, ParameterError
from lossfw.check import check
from lossfw.losses.wrappers import (
    ClassWeighted,
    FocalModulated,
    LabelSmoothed,
    Masked,
    Scaled,
    Sum,
)
from support.wrapper_cases import CASES, CROSS, HOT, INDEX, LOGITS, SOFT, SQUARED, R, S, Y
from support.wrapper_samples import BINARY, BRIER, HINGE, HUBER


class TestScaledAndSum:
    @pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
    @pytest.mark.parametrize("scale", [2.0, -0.25, 0.0])
    @pytest.mark.parametrize("name", ["sum of elements", "weighted", "masked by row", "focal"])
    def test_twice_a_loss_is_twice_its_value(self, reduction, scale, name):
        loss, y, t = CASES[name]
        doubled = scale * loss
        for call in ("__call__", "gradient", "hessian"):
            wanted = scale * getattr(loss, call)(y, t, reduction=reduction)
            got = getattr(doubled, call)(y, t, reduction=reduction)
            assert np.allclose(got, wanted, rtol=1e-13, atol=1e-16)

    @pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
    def test_the_loss_of_a_sum_is_the_sum_of_losses(self, reduction):
        weight, where = np.linspace(0, 2, 40), np.arange(40) % 3 > 0
        options = {"sample_weight": weight, "where": where, "reduction": reduction}
        parts = (CROSS, BRIER, SQUARED.replace(per="row"))
        total = sum((2 * parts[0], parts[1], -1 * parts[2]))
        for call in ("__call__", "gradient", "hessian"):
            a, b, c = (getattr(part, call)(Y, SOFT, **options) for part in parts)
            got = getattr(total, call)(Y, SOFT, **options)
            assert np.allclose(got, 2 * a + b - c, rtol=1e-12, atol=1e-14)

    @pytest.mark.parametrize("call", ["__call__", "gradient", "hessian"])
    def test_an_index_is_its_one_hot_row_for_every_part(self, call):
        loss = CROSS + 0.5 * SQUARED + BINARY
        got, wanted = (getattr(loss, call)(Y, t, reduction="none") for t in (INDEX, HOT))
        assert np.allclose(got, wanted, rtol=1e-14)

    def test_nothing_of_an_infinite_loss_is_nothing(self):
        nothing = 0 * lossfw.loss("cross_entropy", guard="none")
        assert nothing([[0.0, 1.0]], [0]) == 0.0
        assert nothing.gradient([[0.0, 1.0]], [0]).tolist() == [[0.0, 0.0]]
        assert np.isnan(nothing([[np.nan, 1.0]], [0]))
        # There is no negative zero.
        assert str((-1 * SQUARED)([1.0, 2.0], [1.0, 2.0], reduction="none")) == "[0. 0.]"
        assert str((-1 * SQUARED)([1.0], [1.0])) == "0.0"

    def test_operators(self):
        assert 2 * SQUARED == SQUARED * 2 == Scaled(of=SQUARED, scale=2.0)
        assert np.float32(2) * SQUARED == np.int64(2) * SQUARED == 2 * SQUARED
        assert SQUARED / 4 == 0.25 * SQUARED
        assert 2 * (3 * SQUARED) == -(-6 * SQUARED) == 6 * SQUARED
        assert Sum(of=(SQUARED, HUBER, HINGE)) == SQUARED + (HUBER + HINGE)
        assert Sum(of=(SQUARED, -HUBER)) == SQUARED - HUBER
        assert sum([SQUARED]) is SQUARED
        for wrong in (
            lambda: SQUARED * "2",
            lambda: SQUARED * True,
            lambda: SQUARED * SQUARED,
            lambda: SQUARED + 1,
            lambda: 1 + SQUARED,
            lambda: SQUARED - 1,
            lambda: 1 / SQUARED,
            lambda: np.ones(3) * SQUARED,
        ):
            with pytest.raises(TypeError):
                wrong()
        with pytest.raises(ParameterError, match="cannot be divided by 0"):
            SQUARED / 0

    @pytest.mark.parametrize(
        ("parts", "message"),
        [
            ([], "of should be a non-empty list"),
            ([SQUARED, 3], r"of\.1 should be a loss, its name, or a mapping"),
            ([CROSS, HINGE], r"targets of cross_entropy lie in CLASS_INDEX.*hinge in SIGN"),
            ([LOGITS, CROSS], "cross_entropy is configured to take logits"),
            ([LOGITS, BRIER], "brier takes predictions in SIMPLEX"),
            ([Masked(of=SQUARED, ignore=0)], "masked cannot be inside sum"),
            ([ClassWeighted(of=CROSS, weights=[1.0])], "in_denominator=False"),
            (["squared_eror"], "Did you mean 'squared_error'"),
            ([{"name": "squared_error", "factr": 1}], "no parameter 'factr'"),
            ([{"name": "squared_error", "scale": "x"}], "scale should be a number"),
            ([{"factor": 1}], "needs 'name'"),
        ],
    )
    def test_parts_that_do_not_fit_are_named(self, parts, message):
        with pytest.raises((ParameterError, lossfw.UnknownNameError), match=message):
            Sum(of=parts)

    def test_it_is_as_linked_as_its_parts(self):
        assert (2 * CROSS)._expected_activation() == "softmax"
        assert (2 * CROSS).on_raw_outputs() == 2 * LOGITS
        assert (CROSS + 3 * CROSS).on_raw_outputs() == LOGITS + 3 * LOGITS
        assert (CROSS + BINARY)._expected_activation() is None
        assert (CROSS + SQUARED).on_raw_outputs() is None
        assert (LOGITS + SQUARED)._input_form == "logits"
        assert SQUARED.on_raw_outputs() is (SQUARED + SQUARED).on_raw_outputs() is None


class Spread(GroupLoss):
    neutral = (0.0, 0.0)

    def value(self, xp, y, t):
        return xp.max(y - t, axis=-1) - xp.min(y - t, axis=-1)


class Level(GroupLoss):
    def value(self, xp, y, t):
        return xp.mean(y - t, axis=-1) ** 2


def test_factors_and_sums_take_groups():
    both, y, t, ids = (
        2 * Spread() + Level(),
        np.array([1.0, 4.0, 2.0, 7.0]),
        np.zeros(4),
        [0, 0, 1, 1],
    )
    losses = both(y, t, group=ids, reduction="none")
    np.testing.assert_array_equal(losses, [2 * 3 + 2.5**2, 2 * 5 + 4.5**2])
    gradient = both.gradient(y, t, group=ids, reduction="sum")
    np.testing.assert_array_equal(gradient, [0.5, 4.5, 2.5, 6.5])
    assert both.partial(y, t, group=ids).mean() == both(y, t, group=ids)
    assert (2 * Spread()).neutral == (0.0, 0.0)
    assert both.neutral is None
    assert both.needs_group


def test_wrappers_of_single_rows_refuse_groups():
    for wrapper, parameters in {
        "masked": {"ignore": 0},
        "class_weighted": {"weights": [1, 2]},
        "label_smoothed": {"smoothing": 0.1},
        "focal_modulated": {},
    }.items():
        with pytest.raises(ParameterError, match="one loss for a group of rows"):
            lossfw.loss(wrapper, of=Spread(), **parameters)
    with pytest.raises(ParameterError, match="spread and huber cannot be added"):
        Spread() + HUBER


# The laws of the harness hold, and a configuration builds wrappers again.


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_the_laws_of_the_harness_hold(name):
    report = check(CASES[name][0], examples=20)
    assert report.ok, str(report)


DEEP = ClassWeighted(of=2 * LabelSmoothed(of=CROSS), weights=[1.0, 2.0, 0.0])
REGISTERED = {
    **{name: CASES[name] for name in ("weighted", "weights as factors", "smoothed", "masked rows")},
    "focal": (FocalModulated(of=CROSS, gamma=1.5), Y, SOFT),
    "sum": (0.5 * SQUARED - CROSS, Y, SOFT),
    "sum by row": (SQUARED.replace(per="row") + 2 * SQUARED, R, S),
    "deep": (3 * Masked(of=DEEP, ignore=9), Y, SOFT),
}


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
