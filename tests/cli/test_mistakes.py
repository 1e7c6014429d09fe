"""Mistakes in a command: exit code 2, words, no traceback, nothing written."""

import shlex

import pytest

MISTAKES = [
    ("show hubber", "Did you mean 'huber'?"),
    ("show nll", "Did you mean 'cross_entropy' or 'gaussian_nll'?"),
    ("show f1_score", "Did you mean 'f1'?"),
    ("show huber -p dleta=1", "Did you mean 'delta'?"),
    ("show huber -p delta=-1", "greater than 0"),
    ("show huber -p delta", "a parameter is KEY=VALUE"),
    ('show huber -p "delta=[1"', "not readable as YAML"),
    ("show huber --kind activation", "It is the name of another kind: loss"),
    ("show huber --kind los", "is not one of"),
    ("plot huber hinge --out-file a.svg", "make a picture of each"),
    ("plot huber --out-file a.pdf", "ends in .svg or .png"),
    ("plot huber --out-file a", "has no ending"),
    ("plot hubber --out-file a.svg", "Did you mean 'huber'?"),
    ("plot huber log_cosh -p dleta=1 --out-file a.svg", "has this parameter"),
    ("plot huber -p dleta=1 --out-file a.svg", "Did you mean 'delta'?"),
    ("plot huber --range 2 1 --out-file a.svg", "expected a larger end"),
    ("plot poisson_deviance --range -2 1 --out-file a.svg", "cannot be drawn"),
    ('plot "{nam: huber}" --out-file a.svg', "has no name"),
    ('plot "{name: huber" --out-file a.svg', "not readable as YAML"),
    ("plot --out-file a.svg", "NAME is missing"),
    ("plot huber", "--out-file is missing"),
    ("accuracy hubber", "Did you mean 'huber'?"),
    ("accuracy accuracy", "There is no loss or activation 'accuracy'"),
    ("accuracy huber --points 0", "--points must be at least 1, got 0."),
    ("accuracy huber --seed -1", "--seed must be at least 0, got -1."),
    ("accuracy huber log_cosh -p delta=1", "exactly one NAME"),
    ("accuracy huber -p delta=-1", "greater than 0"),
    ("accuracy sum", "cannot be made without parameters"),
    ("bridge xgbost --loss huber", "xgboost"),
    ("bridge xgboost --loss hubr", "huber"),
    ('bridge xgboost --loss "{name: huber, delta: -1}"', "delta"),
    ('bridge xgboost --loss "{name: huber"', "--loss"),
    ("bridge xgboost", "--loss"),
    ('eval huber -y "[1, a]" -t 0', "-y should be numbers"),
    ('eval huber -y "[[1], [1, 2]]" -t 0', "lists of equal length"),
    ('eval huber -y "[1" -t 0', "-y [1: error: not readable as YAML"),
    ("eval huber -y '' -t 0", "-y should be numbers"),
    ("eval huber -y none.npy -t 0", "file not found"),
    ('eval huber -y "[1, 2]" -t "[1]"', "Nothing is broadcast"),
    ("eval sigmoid -y 1 -t 0", "sigmoid is an activation, but eval takes a loss"),
    ("eval huber -y 1", "targets (-t) are missing"),
    ('eval brier -y "[[0.5, 0.6]]" -t "[0]"', "lies outside"),
    ('eval huber -y "[]" -t "[]"', "nothing"),
    ("list lss", "activation"),
]


@pytest.mark.parametrize(("command", "message"), MISTAKES)
def test_a_mistake_is_told(command, message, refused, folder):
    before = set(folder.iterdir())
    assert message.lower() in refused(*shlex.split(command)).lower()
    assert set(folder.iterdir()) == before
