import pytest

from lossfw.config.schema.section_types import MAX_ITEMS
from lossfw.config.schema.sections import MAX_SAMPLE
from lossfw.config.text.tree import SHOWN_PROBLEMS
from support.any_config import GOOD_TEXT as GOOD


@pytest.mark.parametrize(
    ("old", "new", "place", "what"),
    [
        ("lossfw: 1", "lossfw: 2", "1:9", "lossfw should be 1, the version that this lossfw reads"),
        ("lossfw: 1", "lossfw: true", "1:9", "lossfw should be a whole number, got true"),
        ("loss: squared_error", "loss: 3", "4:7", "loss should be a name, or a mapping"),
        ("loss: squared_error", "loss: {}", "4:1", "loss.name is missing"),
        ("loss: squared_error", "loss: {name: squared_error, fuse: 1}", "4:35", "loss.fuse should"),
        ("batch_size: 7", "batch_size: 0", "5:24", "evaluate.batch_size should be greater than 0"),
        ("batch_size: 7", "batch_size: 1e3", "5:24", "should be a whole number, got 1000.0"),
        ("batch_size: 7", "batch_size: true", "5:24", "should be a whole number, got true"),
        ("metrics: []", "metrics: accuracy", "5:36", "metrics should be a list, got 'accuracy'"),
        ("metrics: []", "sample: {}", "5:27", "evaluate.sample.count is missing"),
        ("metrics: []", "sample: {count: 0}", "5:43", "count should be at least 1, got 0"),
        ("metrics: []", f"sample: {{count: {MAX_SAMPLE + 1}}}", "5:43", "should be at most"),
        ("lossfw: 1", "lossfw: 1\nseed: 0.5", "2:7", "seed should be a whole number, got 0.5"),
        ("predictions: [[0.25, 0.75]]", "predictions: []", "3:24", "should be a file name"),
    ],
)
def test_wrong_values_are_pointed_at(old, new, place, what, refused):
    refused(GOOD.replace(old, new), at=place, what=what)


@pytest.mark.parametrize(
    ("new", "hint"),
    [
        ("metrics: accuracy", "write [accuracy]"),
        ("metrics: {name: top_k, k: 3}", "write [{name: top_k, k: 3}]"),
        ("intervals: bootstrap", "write {method: bootstrap}"),
        ("intervals: true", "its keys are resample, level, method, replicates, seed"),
        ("learning_rate: 1", "did you mean train.optimizer.learning_rate?"),
    ],
)
def test_a_value_that_is_not_enclosed_is_told_how(new, hint, problem):
    assert problem(GOOD.replace("metrics: []", new))[2] == hint


@pytest.mark.parametrize(
    ("old", "new", "place", "key", "hint"),
    [
        ("lossfw: 1", "lossfw: 1\nsed: 1", "2:1", "sed", "did you mean 'seed'?"),
        ("batch_size", "batchsize", "5:12", "evaluate.batchsize", "did you mean 'batch_size'?"),
        ("lossfw: 1", "lossfw: 1\nmetrics: []", "2:1", "metrics", "mean evaluate.metrics?"),
        ("lossfw: 1", "lossfw: 1\nxyz: 1", "2:1", "xyz", "the keys here are lossfw, extends,"),
        ("network: {", "network: {weight: 1, ", "3:11", "network.weight", "mean 'weights'?"),
    ],
)
def test_unknown_keys_are_pointed_at_with_the_nearest(old, new, place, key, hint, problem):
    where, what, said = problem(GOOD.replace(old, new))
    assert (where, what) == (f"run.yaml:{place}", f"unknown key {key!r}")
    assert hint in said


@pytest.mark.parametrize(
    ("network", "what"),
    [
        ("{}", "one of layers, predictions, raw_outputs; none of them is given"),
        ("{predictions: [[1]], raw_outputs: [[1]]}", "got predictions and raw_outputs"),
        ("{layers: [{units: 1, activation: identity}]}", "network.weights is missing"),
        ("{layers: [], weights: w.npz}", "network.layers should be a non-empty list"),
        ("{predictions: [[1]], weights: w.npz}", "weights cannot be used with predictions"),
        ("{raw_outputs: [[1]], dtype: float32}", "dtype cannot be used with raw_outputs"),
        ("y.npy", "network should be a mapping, got 'y.npy'"),
    ],
)
def test_a_network_has_one_of_its_forms(network, what, problems):
    text = GOOD.replace("{predictions: [[0.25, 0.75]]}", network)
    assert what in " ".join(said for _, said, _ in problems(text))


def test_very_many_names_are_not_looked_up_and_very_many_mistakes_are_counted(problems):
    metrics = ", ".join(f"m{i}" for i in range(20_000))
    ((where, what, _),) = problems(GOOD.replace("metrics: []", f"metrics: [{metrics}]"))
    assert where == "run.yaml:5:36"
    assert what.endswith(f"a list of at most {MAX_ITEMS} items, got a list of 20000 items")
    text = GOOD + "".join(f"key{i}: 1\n" for i in range(1_000))
    found = problems(text)
    assert len(found) == SHOWN_PROBLEMS + 1
    assert [where for where, _, _ in found[:2]] == ["run.yaml:6:1", "run.yaml:7:1"]
    assert found[-1][:2] == ("run.yaml:1005:1", "and 900 more mistakes up to here")
