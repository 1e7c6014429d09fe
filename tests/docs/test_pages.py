"""Every command, file and line of Python in the documentation runs as shown."""

import os
from importlib import metadata
from pathlib import Path

import pytest

from support import run_pages

ROOT = Path(__file__).parents[2]
# Pages that take two seconds and more run in .ci/nightly, and on request: -m slow.
SLOW = {
    "how-to/classify-pictures", "how-to/evaluate-a-model", "explanation/why-not-accuracy",
    "how-to/check", "how-to/check-in-ci", "how-to/compare", "how-to/groups", "how-to/own-data",
    "how-to/own-weights", "how-to/publish-a-loss", "how-to/configure", "how-to/look-at-a-loss",
    "how-to/report", "how-to/train", "how-to/cross-validate", "how-to/decide",
    "how-to/predict-a-distribution", "how-to/rank", "how-to/scale", "how-to/scikit-learn",
    "how-to/survival", "how-to/write-a-loss", "tutorial/boosting", "how-to/price-insurance",
    "how-to/estimators", "how-to/stable-formulas", "how-to/xgboost", "how-to/search",
    "tutorial/first-steps", "reference/write-a-component", "README",
}  # fmt: skip
PAGES = [
    pytest.param(
        page,
        id=name,
        marks=[pytest.mark.slow] * (name.removeprefix("docs/").removesuffix(".md") in SLOW),
    )
    for page in sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])
    for name in [str(page.relative_to(ROOT))]
]

# Pages about libraries that are not installed with the tests.
NEEDED = {
    "docs/how-to/evaluate-a-model.md": ("lightgbm", "onnxruntime", "skl2onnx"),
    "docs/how-to/classify-pictures.md": ("torch", "safetensors"),
    "docs/how-to/estimators.md": ("skops", "pandas"),
    "docs/how-to/search.md": ("optuna",),
    "docs/how-to/onnx.md": ("onnxruntime", "skl2onnx"),
    "docs/how-to/pytorch.md": ("torch",),
    "docs/how-to/jax.md": ("jax", "optax"),
    "docs/how-to/keras.md": ("torch", "keras"),
    "docs/examples/lossfw-ngboost/README.md": ("ngboost", "lossfw_ngboost"),
}

# Pages with numbers of a training, which another release of the library changes.
NUMBERS_OF = {"README.md": ("xgboost", "3.2."), "docs/how-to/decide.md": ("xgboost", "3.2.")}


# Keras hands its tensors to NumPy in the way of NumPy 1.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("page", PAGES)
def test_a_page_runs_as_shown(page, tmp_path):
    for library in NEEDED.get(str(page.relative_to(ROOT)), ()):
        # Without a choice Keras would import TensorFlow.
        os.environ.setdefault("KERAS_BACKEND", "torch")
        pytest.importorskip(library)
    library, release = NUMBERS_OF.get(str(page.relative_to(ROOT)), ("", ""))
    if library and not metadata.version(library).startswith(release):
        pytest.skip(f"the numbers of the page are those of {library} {release}x")
    run_pages.run(page, tmp_path)


def test_the_runner_sees_a_wrong_output(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo one\ntwo\n```\n")
    with pytest.raises(AssertionError, match="wanted:\ntwo"):
        run_pages.run(page, tmp_path)
    page.write_text("```python\n>>> 1 + 1\n3\n```\n")
    with pytest.raises(AssertionError, match="Expected"):
        run_pages.run(page, tmp_path)
    page.write_text("```console exit=2\n$ exit 1\n```\n")
    with pytest.raises(AssertionError, match="exit 1"):
        run_pages.run(page, tmp_path)
