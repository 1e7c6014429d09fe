"""Losses inside of losses: made with the same registry, wrong in the same words, at their place."""

import numpy as np
import pytest

import lossfw
from lossfw.evaluation.evaluate import evaluate
from support.configs import SAVED

GOOD = """\
lossfw: 1
data: {name: inline, targets: [0, 1]}
network: {predictions: [[0.25, 0.75], [0.5, 0.5]]}
loss:
  name: sum
  of:
    - {name: squared_error, factor: 2, scale: 0.3}
    - cross_entropy
"""

PART = "{name: squared_error, factor: 2, scale: 0.3}"

LOGITS = SAVED.replace("predictions", "raw_outputs").replace(
    "cross_entropy", "{name: scaled, scale: 2, of: {name: cross_entropy}}"
)

DOUBLED = """\
from lossfw import DistanceLoss, hookimpl

class Doubled(DistanceLoss):
    '''A loss with a parameter that is called scale.'''

    scale: float = 2.0

    def value(self, xp, r):
        return self.scale * xp.abs(r)

@hookimpl
def lossfw_losses():
    return {"doubled": Doubled}
"""


def test_a_sum_is_the_sum_of_its_parts(plan):
    y, t = [[0.25, 0.75], [0.5, 0.5]], [[1.0, 0.0], [0.0, 1.0]]
    squares = lossfw.loss("squared_error", factor=2.0, per="row")(y, t)
    wanted = 0.3 * squares + lossfw.loss("cross_entropy")(y, t)
    assert evaluate(plan(GOOD)).loss == pytest.approx(wanted, rel=1e-15)


def test_a_resolved_configuration_builds_the_same_loss(plan):
    loss = plan(GOOD).loss
    assert lossfw.loss(loss.to_config()) == loss


@pytest.mark.parametrize(
    ("old", "new", "where", "what", "hint"),
    [
        ("factor", "factr", "7:29", "squared_error has no parameter 'factr'", "mean 'factor'?"),
        ("scale", "scal", "7:40", "squared_error has no parameter 'scal'", "mean 'scale'?"),
        ("factor: 2", "factor: x", "7:37", "loss.of.0.factor should be a number, got 'x'", ""),
        ("0.3", "much", "7:47", "loss.of.0.scale should be a number, got 'much'", ""),
        ("scale: 0.3", "fuse: no", "7:40", "squared_error has no parameter 'fuse'", ""),
        ("- cross_entropy", "- cros_entropy", "8:7", "no loss 'cros_entropy'", "'cross_entropy'?"),
        ("- cross_entropy", "- 3", "8:7", "loss.of.1 should be a name, or a mapping", ""),
        ("- cross_entropy", "- {delta: 1}", "8:7", "loss.of.1 should be a name, or", ""),
        ("- cross_entropy", "- identity", "8:7", "There is no loss 'identity'", ""),
        ("  of:", "  off: 3\n  of:", "6:3", "sum has no parameter 'off'", "mean 'of'?"),
        (PART, "hinge", "7:5", "one space has to contain the other", ""),
    ],
)
def test_a_part_is_held_to_its_own_class_at_its_place(old, new, where, what, hint, refused):
    refused(GOOD.replace(old, new), at=where, what=what, hint=hint)


def test_every_wrong_part_is_named(problems):
    wrong = GOOD.replace("factor: 2", "factor: x").replace("- cross_entropy", "- cros_entropy")
    assert [where for where, _, _ in problems(wrong)] == ["run.yaml:7:37", "run.yaml:8:7"]


def test_no_part_at_all(problem):
    emptied = GOOD[: GOOD.index("  of:")] + "  of: []\n"
    assert problem(emptied)[:2] == ("run.yaml:6:7", "loss.of should be a non-empty list")
    missing = GOOD[: GOOD.index("  of:")]
    assert "sum needs the parameter 'of'" in problem(missing)[1]


def test_a_mistake_deep_inside(problem):
    of = "{name: label_smoothed, of: {name: cross_entropy, guard: nnone}}"
    where, what, _ = problem(GOOD.replace("- cross_entropy", f"- {of}"))
    assert where == "run.yaml:8:63"
    assert what.startswith("loss.of.1.of.guard should be")


def test_an_override_reaches_a_part(plan, problem):
    assert plan(GOOD, "loss.of.0.scale=2").loss.of[0].scale == 2.0
    assert problem(GOOD, "loss.of.0.scale=x")[0] == "-o loss.of.0.scale=x"


def test_a_part_from_a_plugin_of_the_configuration(plan, folder):
    (folder / "doubled.py").write_text(DOUBLED)
    part = GOOD.replace("name: squared_error, factor: 2", "name: doubled")
    loss = plan(f"plugins: [doubled.py]\n{part}").loss
    # Its own parameter, and no factor around it.
    assert type(loss.of[0]).__name__ == "Doubled"
    assert loss.of[0].scale == 0.3


def test_what_the_parts_of_a_loss_are_made_of_decides_the_digest(plan):
    assert plan(GOOD).digest != plan(GOOD, "loss.of.0.scale=0.4").digest


def test_a_wrapper_of_a_linked_loss_is_fused(plan):
    made = plan(LOGITS)
    assert made.outputs_form == "logits"
    assert made.loss == 2.0 * lossfw.loss("cross_entropy", from_logits=True)


def test_a_guard_inside_keeps_it_from_being_fused(refused):
    refused(
        LOGITS.replace("entropy}", "entropy, delta: 1e-9}"),
        at="4:58",
        what="the loss has of.delta",
        hint="leave of.delta out",
    )


def test_the_number_of_weights_is_checked_before_anything_is_computed(problem):
    text = LOGITS.replace("scaled, scale: 2", "class_weighted, weights: [1, 2, 3]")
    assert "class_weighted expects rows of 3 columns" in problem(text)[1]


def test_a_masked_index_is_left_out(plan):
    text = GOOD[: GOOD.index("loss:")] + "loss: {name: masked, of: cross_entropy, ignore: -100}\n"
    result = evaluate(plan(text.replace("[0, 1]", "[-100, 1]")))
    assert result.loss == pytest.approx(np.log(2), rel=1e-6)
    assert "1 loss is masked and does not count." in result.warnings[-1]
