"""Losses among the metrics of a configuration: found by name, checked in their place."""

SAVED = """\
lossfw: 1
data: {name: inline, targets: [[1, 0], [0, 1]]}
network: {predictions: [[0.25, 0.75], [0.5, 0.5]]}
loss: mse
"""


def test_a_name_is_a_metric_s_first_and_then_a_loss_s(plan):
    metrics = plan(SAVED + "evaluate: {metrics: [accuracy, {name: l2, factor: 0.5}]}\n").metrics
    assert [metric.label for metric in metrics] == ["accuracy", "squared_error"]
    assert metrics[1].of.factor == 0.5


def test_a_name_of_neither_gets_the_nearest_of_both(problem):
    for wrong, near in (("acuracy", "accuracy"), ("cross_entorpy", "cross_entropy")):
        where, what, hint = problem(SAVED + f"evaluate: {{metrics: [{wrong}]}}\n")
        assert where == "run.yaml:5:22"
        assert repr(wrong) in what
        assert hint == f"did you mean {near!r}?"


def test_a_parameter_of_such_a_loss_is_checked_in_its_place(problem):
    text = SAVED + "evaluate: {metrics: [{name: l2, fcator: 1}]}\n"
    where, what, hint = problem(text)
    assert (where, hint) == ("run.yaml:5:33", "did you mean 'factor'?")
    assert what == "squared_error has no parameter 'fcator'"


def test_a_loss_that_does_not_fit_the_targets_is_refused_before_anything_runs(refused):
    text = SAVED.replace("[[1, 0], [0, 1]]", "[0, 1]").replace("loss: mse", "loss: cross_entropy")
    refused(text + "evaluate: {metrics: [accuracy, mse]}\n", at="5:32", what="(2, 2)")


def test_the_parameters_of_such_a_loss_count_in_the_digest(plan):
    digests = {
        plan(SAVED + f"evaluate: {{metrics: [{{name: l2, factor: {factor}}}]}}\n").digest
        for factor in (0.5, 1.0)
    }
    assert len(digests) == 2
