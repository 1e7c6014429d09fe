"""Small messages: an unknown name, a mistake in an override, a misspelt claim."""

import pickle

import pytest

import lossfw as library
from lossfw.components.naming import closest_names
from support.configs import DIGITS


@pytest.mark.parametrize(
    ("kind", "name", "wanted"),
    [
        ("loss", "nll", "'cross_entropy' or 'gaussian_nll'"),
        ("loss", "NLLLoss", "'cross_entropy' or 'gaussian_nll'"),
        ("loss", "log_loss", "'cross_entropy' or 'binary_cross_entropy'"),
        ("loss", "crossentropy", "'cross_entropy'"),
        ("loss", "CrossEntropyLoss", "'cross_entropy'"),
        ("loss", "bce", "'binary_cross_entropy'"),
        ("loss", "MSELoss", "'mse'"),
        ("loss", "SmoothL1Loss", "'huber'"),
        ("loss", "KLDivLoss", "'kl_divergence'"),
        ("loss", "hinge_loss", "'hinge'"),
        ("metric", "f1_score", "'f1'"),
        ("metric", "roc_auc_score", "'roc_auc'"),
        ("source", "csv", "'arrays'"),
        ("activation", "linear", "'identity'"),
        ("loss", "hubber", "'huber'"),
        ("model", "XGBRegressor", "'xgboost'"),
        ("model", "lgbm", "'lightgbm'"),
        ("model", "random forest", "'sklearn'"),
        ("model", "pytorch", "'torch'"),
        ("model", "xgbost", "'xgboost'"),
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


def test_every_synonym_is_the_name_of_a_component():
    from lossfw.components import naming

    known = {entry.name for entry in library.registry().entries(None)}
    wanted = {name for names in naming._SYNONYMS.values() for name in names}
    assert wanted <= known | {"mse"}
    assert closest_names("nll", []) == []


@pytest.mark.parametrize("name", ["x.csv", "data/x.csv", "table.tsv.gz", "a.parquet"])
def test_a_file_in_the_place_of_a_source(name, lossfw):
    result = lossfw("validate", "run.yaml", "-o", f"data={name}")
    assert result.exit_code == 2
    assert f"There is no data source '{name}', which is the name of a file" in result.stdout
    assert f"hint: write data: {{name: arrays, file: {name}}}" in result.stdout


def test_sources_are_listed_under_the_name_of_their_section(lossfw):
    assert lossfw("list", "data").stdout == lossfw("list", "source").stdout


def test_a_mistake_made_by_an_override_is_told_there(lossfw, folder):
    (folder / "t.csv").write_text("a,targets\n1.5,2.5\n")
    (folder / "own.yaml").write_text(
        "lossfw: 1\ndata: {name: arrays, file: t.csv}\n"
        "network: {predictions: [1.0]}\nloss: squared_error\n"
    )
    result = lossfw("validate", "own.yaml", "-o", "data.targets_key=b")
    assert result.stdout.startswith("-o data.targets_key=b: error: ")
    assert lossfw("validate", "own.yaml").stdout == "own.yaml: valid\n"


@pytest.mark.parametrize("claims", [library.Claims, library.ActivationClaims])
def test_a_misspelt_claim_is_no_bug(claims):
    name = {library.Claims: "convx", library.ActivationClaims: "monoton"}[claims]
    with pytest.raises(library.ParameterError, match=rf"has no claim '{name}'\. Did you mean"):
        claims(**{name: True})
    assert pickle.loads(pickle.dumps(claims())) == claims()


@pytest.mark.parametrize("command", ["check", "accuracy", "run"])
def test_the_number_of_processes_has_one_name(command, lossfw):
    assert "--jobs" in lossfw(command, "--help").stdout


def test_layers_are_counted_as_in_the_configuration(lossfw, folder):
    (folder / "d.yaml").write_text(DIGITS.replace("units: 50", "units: 51"))
    told = lossfw("validate", "d.yaml").stdout
    assert "layers.0 of 51 units: W1 in " in told
