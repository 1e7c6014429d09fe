"""What docs/explanation/why-not-accuracy.md says of the book's network is what comes out."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lossfw.cli import main

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "explanation" / "why-not-accuracy.md").read_text()
SAID = " ".join(PAGE.partition("## The book's network")[2].split())


@pytest.fixture(scope="module")
def found(mnist):
    # Fewer points and nearer to the value: the facts do not depend on them.
    options = ("--range=-0.2:0.2", "--points", "9", "-o", "sensitivity.activations=[step]")
    config = str(ROOT / "configs" / "book" / "sensitivity.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOSSFW_DATA", str(mnist.resolve()))
        result = CliRunner().invoke(main, ["sensitivity", config, *options, "--json"])
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


@pytest.mark.slow
def test_accuracy_and_its_flat_interval(found):
    low, high = found["curves"]["sigmoid"]["stairs"]["accuracy"]["flat"]
    assert found["along"] in SAID
    assert f"Accuracy is {found['curves']['sigmoid']['metrics']['accuracy'][4]} and" in SAID
    assert f"from {-low:.4f} below that weight to {high:.4f} above" in SAID


@pytest.mark.slow
def test_accuracy_has_no_gradient_at_any_parameter(found):
    own = found["zeros"]["sigmoid"]
    assert f"for all {sum(own['parameters']):,} parameters" in SAID


def test_the_loss_has_a_gradient_but_where_pixels_are_blank(found):
    own = found["zeros"]["sigmoid"]
    assert own["loss"] == own["unseen"] == [5800, 0, 0]
    assert (
        f"for exactly {own['loss'][0]:,} weights, which belong to {own['loss'][0] // 50} pixels"
        in SAID
    )


def test_with_steps_only_the_last_layer_has_one(found):
    step = found["zeros"]["step"]
    first, second, last = step["parameters"]
    assert step["loss"] == [first, second, 0]
    assert f"for all {first:,} and all {second:,} parameters" in SAID
    assert f"none of the {last:,} parameters of the last layer" in SAID
    assert set(found["curves"]["step"]["derivative"]) == {0.0}
