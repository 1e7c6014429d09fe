"""Files laid over others and variables of the environment: what wins, and whose mistake it is."""

import pytest

from lossfw.config.text.extends import MAX_CHAIN
from lossfw.errors import ConfigError
from support.configs import read

BASE = """\
lossfw: 1
data: {name: inline, targets: [[0.0, 1.0]]}
network: {predictions: [[0.25, 0.75]]}
loss: {name: squared_error, factor: 0.5}
evaluate: {batch_size: 7, metrics: [mse]}
"""


@pytest.fixture
def tree(folder):
    """Write files, read the first and return its tree."""

    def make(files, *overrides):
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        config = read(next(iter(files)), overrides)
        config.problems.raise_if_any()
        return config.root

    return make


@pytest.fixture
def refusal(tree):
    def find(files, *overrides):
        with pytest.raises(ConfigError) as caught:
            tree(files, *overrides)
        (problem,) = caught.value.problems
        return problem

    return find


@pytest.mark.parametrize(
    ("below", "above", "merged"),
    [
        ("a: 1", "b: 2", {"a": 1, "b": 2}),
        ("a: {x: 1, y: 2}", "a: {y: 3, z: 4}", {"a": {"x": 1, "y": 3, "z": 4}}),
        ("a: [1, 2, 3]", "a: [4]", {"a": [4]}),
        ("a: {x: 1}", "a: 2", {"a": 2}),
        # null takes away what is below it, and is a value where nothing is.
        ("a: {x: 1, y: 2}", "a: {x: null}", {"a": {"y": 2}}),
        ("a: {y: 2}", "a: {x: null}", {"a": {"y": 2, "x": None}}),
        # A component with another name takes no parameter over.
        ("a: {name: p, x: 1}", "a: {name: q, y: 2}", {"a": {"name": "q", "y": 2}}),
        ("a: {name: p, x: 1}", "a: {name: p, y: 2}", {"a": {"name": "p", "x": 1, "y": 2}}),
        ("a: {name: p, x: 1}", "a: q", {"a": "q"}),
        ("a: p", "a: {x: 2}", {"a": {"name": "p", "x": 2}}),
        ("a: p", "a: {name: q, x: 2}", {"a": {"name": "q", "x": 2}}),
    ],
)
def test_mappings_merge_and_the_rest_replaces(below, above, merged, tree):
    files = {"run.yaml": f"extends: base.yaml\n{above}\n", "base.yaml": below}
    assert tree(files).to_plain() == merged


def test_mistakes_are_told_in_the_file_that_made_them(problems, folder):
    (folder / "base.yaml").write_text(BASE.replace("batch_size: 7", "batch_size: 0"))
    found = problems("extends: base.yaml\nloss: {factor: x}\nsed: 1\n", "evaluate.metrics=[a]")
    places = ["run.yaml:2:16", "run.yaml:3:1", "base.yaml:5:24", "-o evaluate.metrics=[a]"]
    assert [where for where, _, _ in found] == places


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({"a.yaml": "extends: a.yaml"}, "a.yaml -> a.yaml"),
        ({"a.yaml": "extends: b.yaml", "b.yaml": "extends: a.yaml"}, "a.yaml -> b.yaml -> a.yaml"),
        ({"a.yaml": "extends: d/b.yaml", "d/b.yaml": "extends: ../d/b.yaml"}, "a.yaml -> b.yaml"),
    ],
)
def test_a_circle_is_refused_where_it_closes(files, what, refusal):
    problem = refusal(files)
    assert problem.message.startswith(f"extends is circular: {what}")
    assert problem.where == f"{list(files)[-1]}:1:10"


def test_a_circle_through_a_link_and_a_chain_without_end_are_refused(folder, refusal):
    (folder / "link.yaml").symlink_to("a.yaml")
    assert "circular" in refusal({"a.yaml": "extends: link.yaml"}).message
    files = {f"{n}.yaml": f"extends: {n + 1}.yaml" for n in range(MAX_CHAIN + 2)}
    assert f"more than {MAX_CHAIN} files" in refusal(files).message


@pytest.mark.parametrize(
    ("value", "what", "hint"),
    [
        ("bas.yaml", "bas.yaml: there is no such file", "did you mean 'base.yaml'?"),
        (".", ".: this is a folder, not a file", "give a YAML file"),
        ("[base.yaml]", "extends should be a file name, got a list of 1 item", ""),
    ],
)
def test_what_cannot_be_extended(value, what, hint, refusal):
    problem = refusal({"run.yaml": f"lossfw: 1\nextends: {value}\n", "base.yaml": BASE})
    assert (problem.where, problem.message, problem.hint) == ("run.yaml:2:10", what, hint)


def test_a_mistake_in_the_base_is_told_there(refusal):
    problem = refusal({"run.yaml": "extends: base.yaml", "base.yaml": "[1]"})
    assert (problem.where, problem.message) == ("base.yaml:1:1", "a configuration is a mapping")
    assert problem.hint == "it is extended by run.yaml:1:10"
    problem = refusal({"run.yaml": "extends: base.yaml", "base.yaml": "a: [1\n"})
    assert problem.where.startswith("base.yaml:")


def test_an_override_does_not_change_what_is_extended(refusal):
    problem = refusal({"run.yaml": "a: 1"}, "extends=base.yaml")
    assert problem.where == "-o extends=base.yaml"
    assert "read before any override" in problem.message


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
