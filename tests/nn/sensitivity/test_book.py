"""What docs/explanation/why-not-accuracy.md says of the book's network is what comes out."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lossfw.cli import main

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "explanation" / "why-not-accuracy.md").read_text()
SAID = " ".join(PAGE.partition("## The book's network")[2].split())


@pytest.fixture
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
def test_the_page_says_where_accuracy_and_the_loss_are_flat(found):
    sigmoid, step, curves = found["zeros"]["sigmoid"], found["zeros"]["step"], found["curves"]
    low, high = curves["sigmoid"]["stairs"]["accuracy"]["flat"]
    assert sigmoid["loss"] == sigmoid["unseen"] == [5800, 0, 0]
    first, second, last = step["parameters"]
    # With steps only the last layer has a gradient.
    assert step["loss"] == [first, second, 0]
    assert set(curves["step"]["derivative"]) == {0.0}
    for words in (
        found["along"],
        f"Accuracy is {curves['sigmoid']['metrics']['accuracy'][4]} and",
        f"from {-low:.4f} below that weight to {high:.4f} above",
        f"for all {sum(sigmoid['parameters']):,} parameters",
        f"for exactly {sigmoid['loss'][0]:,} weights, which belong to 116 pixels",
        f"for all {first:,} and all {second:,} parameters",
        f"none of the {last:,} parameters of the last layer",
    ):
        assert words in SAID
