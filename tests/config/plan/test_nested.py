"""Losses inside of losses: made with the same registry, wrong in the same words, at their place."""

import pytest

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


def test_no_part_at_all(problem):
    emptied = GOOD[: GOOD.index("  of:")] + "  of: []\n"
    assert problem(emptied)[:2] == ("run.yaml:6:7", "loss.of should be a non-empty list")
    missing = GOOD[: GOOD.index("  of:")]
    assert "sum needs the parameter 'of'" in problem(missing)[1]


def test_what_the_parts_of_a_loss_are_made_of_decides_the_digest(plan):
    assert plan(GOOD).digest != plan(GOOD, "loss.of.0.scale=0.4").digest
