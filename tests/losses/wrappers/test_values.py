"""What wrappers compute: the laws of the harness hold, and a configuration builds them again."""

import json

import pytest

import lossfw
from lossfw.check import check
from lossfw.losses.wrappers import ClassWeighted, FocalModulated, LabelSmoothed, Masked
from support.wrapper_cases import CASES, CROSS, SOFT, SQUARED, R, S, Y


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
