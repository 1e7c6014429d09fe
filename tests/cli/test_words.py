"""Small messages: an unknown name, a mistake in an override, a misspelt claim."""

import pickle

import pytest

import lossfw as library


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
