"""Environment variables stand where ``${env:NAME}`` is written, and nowhere else."""

import pytest

GOOD = """\
lossfw: 1
seed: 3
data: {name: inline, targets: [[0.0, 1.0]]}
network:
  predictions: y.csv
loss: squared_error
"""


@pytest.fixture(autouse=True)
def saved(folder):
    (folder / "y.csv").write_text("0.25,0.75\n")


def test_within_a_text_it_is_text(plan, monkeypatch):
    monkeypatch.setenv("WHICH", "y")
    monkeypatch.setenv("ENDING", "csv")
    assert plan(GOOD.replace("y.csv", "${env:WHICH}.${env:ENDING}")).outputs is not None


def test_nothing_else_is_looked_up(problem, monkeypatch):
    monkeypatch.setenv("WHICH", "y.csv")
    for written in ("$WHICH", "${WHICH}", "'%WHICH%'", "~"):
        assert problem(GOOD.replace("y.csv", written))[0].startswith("run.yaml:")


@pytest.mark.parametrize(
    ("written", "what", "hint"),
    [
        ("${env:SEDE}", "the environment variable 'SEDE' is not set", "did you mean 'SEED_A'?"),
        ("a${env:ZZZZZZ}", "the environment variable 'ZZZZZZ' is not set", "set it, or write"),
        ("${env:}", "'' is not the name of a variable", "write ${env:NAME}"),
        ("${env:A-B}", "'A-B' is not the name of a variable", "write ${env:NAME}"),
        ("a ${env:SEED_A", "'a ${env:SEED_A' has a '${env:' without its '}'", ""),
        ("${env:HUGE}", "'1e999' is larger than the largest float64, 1.8e308", ""),
        ("${env:ESCAPE}", "the environment variable 'ESCAPE' is not valid text", ""),
        ("${env:WORD}", "seed should be a whole number, got 'many'", ""),
    ],
)
def test_what_is_wrong_is_told_once_and_at_its_place(written, what, hint, problem, monkeypatch):
    variables = {"SEED_A": "1", "HUGE": "1e999", "ESCAPE": "\x1b[2J", "WORD": "many"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    where, said, told = problem(GOOD.replace("seed: 3", f"seed: {written}"))
    assert (where, said) == ("run.yaml:2:7", what)
    assert told.startswith(hint)


def test_a_file_that_is_extended_has_them_too(plan, refused, folder, monkeypatch):
    (folder / "base.yaml").write_text(GOOD.replace("y.csv", "${env:FILE}"))
    monkeypatch.setenv("FILE", "y.csv")
    monkeypatch.setenv("BASE", "base")
    assert plan("extends: ${env:BASE}.yaml\n").outputs is not None
    what = "the environment variable 'UNSET' is not set"
    refused("extends: ${env:UNSET}.yaml\n", at="1:10", what=what)
