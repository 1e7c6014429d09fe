"""Mistakes in a command, a name or a claim: exit code 2, words, no traceback, nothing written."""

import pickle
import shlex

import pytest

import lossfw as library

MISTAKES = [
    ("run run.yaml -o loss=cross_entropi", "no loss 'cross_entropi'"),
    ("run run.yaml -o loss=cross_entropi", "did you mean 'cross_entropy'?"),
    ("run run.yaml -o data.targets=[0,-1]", "target[1]"),
    ("run run.yaml -o network.predictions=x.npy", "there is no file 'x.npy'"),
    ("run rum.yaml", "did you mean 'run.yaml'?"),
    ("run run.yaml --disable nobody", "nobody"),
    ("run run.yaml --plugin mine.py", "mine.py"),
    ("show huber --all", "--all and a NAME exclude each other"),
    ("show digits --latex", "digits is not a loss"),
    ("show hubber", "Did you mean 'huber'?"),
    ("show nll", "Did you mean 'cross_entropy' or 'gaussian_nll'?"),
    ("show f1_score", "Did you mean 'f1'?"),
    ("show huber -p dleta=1", "Did you mean 'delta'?"),
    ("show huber -p delta=-1", "greater than 0"),
    ('show huber -p "delta=[1"', "not readable as YAML"),
    ("show huber --kind activation", "It is the name of another kind: loss"),
    ("plot huber hinge --out-file a.svg", "make a picture of each"),
    ("plot huber --out-file a.pdf", "ends in .svg or .png"),
    ("plot huber log_cosh -p dleta=1 --out-file a.svg", "has this parameter"),
    ("plot huber --range 2 1 --out-file a.svg", "expected a larger end"),
    ("plot poisson_deviance --range -2 1 --out-file a.svg", "cannot be drawn"),
    ('plot "{nam: huber}" --out-file a.svg', "has no name"),
    ("accuracy accuracy", "There is no loss or activation 'accuracy'"),
    ("accuracy huber --points 0", "--points must be at least 1, got 0."),
    ("accuracy huber log_cosh -p delta=1", "exactly one NAME"),
    ("accuracy sum", "cannot be made without parameters"),
    ("bridge xgbost --loss huber", "xgboost"),
    ("bridge xgboost --loss brier", "train with this loss: brier takes predictions in SIMPLEX"),
    ('bridge xgboost --loss "{name: huber, delta: -1}"', "delta"),
    ('eval huber -y "[1, a]" -t 0', "-y should be numbers"),
    ('eval huber -y "[1" -t 0', "-y [1: error: not readable as YAML"),
    ("eval huber -y none.npy -t 0", "file not found"),
    ('eval huber -y "[1, 2]" -t "[1]"', "Nothing is broadcast"),
    ("eval sigmoid -y 1 -t 0", "sigmoid is an activation, but eval takes a loss"),
    ("eval huber -y 1", "targets (-t) are missing"),
    ('eval brier -y "[[0.5, 0.6]]" -t "[0]"', "lies outside"),
    ('eval huber -y "[]" -t "[]"', "nothing"),
]


@pytest.mark.parametrize(("command", "message"), MISTAKES)
def test_a_mistake_is_told(command, message, refused, folder):
    before = set(folder.iterdir())
    assert message.lower() in refused(*shlex.split(command)).lower()
    assert set(folder.iterdir()) == before


# A command, what is wrong with it, the word above the caret, and a part of the hint.
PLACES = [
    ("lst", "there is no command 'lst'.", "lst", "did you mean 'list'?"),
    ("--foo", "there is no option --foo.", "--foo", "--help"),
    ("check --exampels 3", "there is no option --exampels.", "--exampels", "--examples"),
    ("check huber --seed=a", "--seed: 'a' is not a valid integer.", "a", "check --help"),
    ("check huber --seed", "--seed needs a value.", "", "--help"),
    ("run", "CONFIG is missing.", "", "run [OPTIONS] CONFIG..."),
    ("plot huber", "--out-file is missing.", "", "plot --help"),
    ("list los", "KIND: 'los' is not one of", "los", "did you mean 'loss'?"),
    ("plugins two words", "unexpected argument: two words.", "two words", "plugins --help"),
    ("rerun a loss.delta=1", "unexpected argument", "loss.delta=1", "write -o loss.delta=1"),
    ("compare a --bins 3", "--bins needs --by WHAT.", "--bins 3", "compare --help"),
]


@pytest.mark.parametrize(("command", "what", "word", "hint"), PLACES)
def test_a_mistake_has_its_place_and_a_hint(command, what, word, hint, refused):
    first, line, caret, last = refused(*shlex.split(command)).splitlines()
    assert first.startswith(f"lossfw: error: {what}")
    assert line.strip() == f"lossfw {command}"
    assert line[caret.index("^") :].startswith(word)
    assert last.startswith("  hint: ")
    assert hint in last


def test_a_mistake_of_no_single_word_has_no_caret(refused):
    text = refused("show")
    assert "lossfw: error: give a NAME, or --all." in text
    assert "^" not in text


def test_a_mistake_in_a_file_is_shown_with_its_line_and_a_caret(refused, folder):
    (folder / "run.yaml").write_text("lossfw: 1\nlos: mse\n")
    text = refused("run", "run.yaml")
    assert "run.yaml:2:1: error: unknown key 'los'" in text
    assert "\n  los: mse\n  ^\n  hint: did you mean 'loss'?\n" in text


@pytest.mark.parametrize(
    ("kind", "name", "wanted"),
    [
        ("loss", "nll", "'cross_entropy' or 'gaussian_nll'"),
        ("loss", "log_loss", "'cross_entropy' or 'binary_cross_entropy'"),
        ("loss", "crossentropy", "'cross_entropy'"),
        ("loss", "bce", "'binary_cross_entropy'"),
        ("loss", "MSELoss", "'mse'"),
        ("loss", "SmoothL1Loss", "'huber'"),
        ("metric", "f1_score", "'f1'"),
        ("source", "csv", "'arrays'"),
        ("activation", "linear", "'identity'"),
        ("loss", "hubber", "'huber'"),
        ("model", "XGBRegressor", "'xgboost'"),
        ("model", "random forest", "'sklearn'"),
        ("model", "pytorch", "'torch'"),
    ],
)
def test_an_unknown_name_is_guessed_by_its_meaning(kind, name, wanted):
    registry = library.registry()
    known = {alias for entry in registry.entries(kind) for alias in entry.names}
    if name in known:
        pytest.skip("an alias")
    with pytest.raises(library.UnknownNameError) as error:
        registry.create(kind, name)
    assert f"Did you mean {wanted}?" in str(error.value)


@pytest.mark.parametrize("name", ["x.csv", "data/x.csv", "table.tsv.gz", "a.parquet"])
def test_a_file_in_the_place_of_a_source(name, lossfw):
    result = lossfw("validate", "run.yaml", "-o", f"data={name}")
    assert result.exit_code == 2
    assert f"There is no data source '{name}', which is the name of a file" in result.stdout
    assert f"hint: write data: {{name: arrays, file: {name}}}" in result.stdout


@pytest.mark.parametrize("claims", [library.Claims, library.ActivationClaims])
def test_a_misspelt_claim_is_no_bug(claims):
    name = {library.Claims: "convx", library.ActivationClaims: "monoton"}[claims]
    with pytest.raises(library.ParameterError, match=rf"has no claim '{name}'\. Did you mean"):
        claims(**{name: True})
    assert pickle.loads(pickle.dumps(claims())) == claims()
