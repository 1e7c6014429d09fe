"""Losses inside of losses and among metrics: made with one registry, wrong at their place."""

import pytest

SAVED = """\
lossfw: 1
data: {name: inline, targets: [[1, 0], [0, 1]]}
network: {predictions: [[0.25, 0.75], [0.5, 0.5]]}
loss: mse
"""


def test_a_name_is_a_metric_s_first_and_then_a_loss_s(plan):
    made = plan(SAVED + "evaluate: {metrics: [accuracy, {name: l2, factor: 0.5}]}\n")
    assert [metric.label for metric in made.metrics] == ["accuracy", "squared_error"]
    assert made.metrics[1].of.factor == 0.5
    # The parameters of such a loss count in the digest.
    other = plan(SAVED + "evaluate: {metrics: [accuracy, {name: l2, factor: 1.0}]}\n")
    assert made.digest != other.digest


@pytest.mark.parametrize(
    ("metrics", "place", "what", "hint"),
    [
        # A name of neither gets the nearest of both.
        ("acuracy", "5:22", "'acuracy'", "did you mean 'accuracy'?"),
        ("cross_entorpy", "5:22", "'cross_entorpy'", "did you mean 'cross_entropy'?"),
        ("{name: l2, fcator: 1}", "5:33", "squared_error has no parameter 'fcator'", "'factor'?"),
    ],
)
def test_a_loss_among_metrics_is_checked_in_its_place(metrics, place, what, hint, refused):
    refused(f"{SAVED}evaluate: {{metrics: [{metrics}]}}\n", at=place, what=what, hint=hint)


def test_a_loss_that_does_not_fit_the_targets_is_refused_before_anything_runs(refused):
    text = SAVED.replace("[[1, 0], [0, 1]]", "[0, 1]").replace("loss: mse", "loss: cross_entropy")
    refused(text + "evaluate: {metrics: [accuracy, mse]}\n", at="5:32", what="(2, 2)")


# Losses inside of losses -------------------------------------------------

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
        (GOOD[GOOD.index("  of:") :], "  of: []", "6:7", "loss.of should be a non-empty list", ""),
        (GOOD[GOOD.index("  of:") :], "", None, "sum needs the parameter 'of'", ""),
    ],
    ids=range(13),
)
def test_a_part_is_held_to_its_own_class_at_its_place(old, new, where, what, hint, refused):
    refused(GOOD.replace(old, new), at=where, what=what, hint=hint)


def test_what_the_parts_of_a_loss_are_made_of_decides_the_digest(plan):
    assert plan(GOOD).digest != plan(GOOD, "loss.of.0.scale=0.4").digest
