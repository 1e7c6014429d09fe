"""Every file in configs/ runs, and the book's numbers come out."""

import gzip
import hashlib
import json
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from lossfw.cli import main

FOLDER = Path(__file__).parents[1] / "configs"
# Those in train/ are trained by tests/learn.
FILES = sorted(
    str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.yaml") if path.parent.name != "train"
)
# These take the files of MNIST and of the book, which are not part of lossfw.
NEED_MNIST = {
    f"book/{name}.yaml" for name in ("mnist", "mnist-squared-error", "mini-batch", "sensitivity")
}


@pytest.fixture
def run(request):
    """Run a file of configs/ and return the JSON that it prints."""

    def run_file(name, *arguments):
        if name in NEED_MNIST:
            folder = request.getfixturevalue("mnist")
            request.getfixturevalue("monkeypatch").setenv("LOSSFW_DATA", str(folder.resolve()))
        result = CliRunner().invoke(main, ["run", str(FOLDER / name), "--json", *arguments])
        assert (result.exit_code, result.stderr) == (0, "")
        return json.loads(result.stdout)

    return run_file


@pytest.mark.parametrize("name", FILES)
def test_it_runs_with_a_finite_loss(name, run):
    assert isinstance(run(name)["loss"]["value"], float)


def test_the_demo_evaluates_what_the_network_has_not_seen(run):
    result = run("digits.yaml")
    assert result["count"] == 597
    assert result["metrics"]["accuracy"]["value"] >= 0.93
    assert result["loss"]["form"] == "logits"


def test_the_mean_squared_error_of_the_chapter(run):
    # Saitoh, Deep Learning from Scratch, section 4.2.1, as float64 prints it.
    assert run("book/mean-squared-error.yaml")["loss"]["value"] == 0.09750000000000003


def test_the_cross_entropy_of_the_chapter(run):
    # Section 4.2.2 prints 0.510825457099338; -log(0.6 + 1e-7) with the float64
    # nearest to 0.6 is 0.51082545709933794 by 40-digit arithmetic.
    result = run("book/cross-entropy.yaml")
    assert result["loss"]["value"] == 0.5108254570993379
    assert result["loss"]["form"] == "prediction"


def test_the_accuracy_of_the_chapters_network(run):
    # Section 3.6.2 prints it; 10,000 images.
    result = run("book/mnist.yaml")
    assert result["count"] == 10_000
    assert result["metrics"]["accuracy"]["value"] == 0.9352


def test_the_first_loss_of_the_chapter_on_mnist(mnist, run):
    """The six lines of NumPy that a reader of the chapter writes; any batch size."""
    with gzip.open(mnist / "t10k-images-idx3-ubyte.gz") as file:
        x = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784).astype("f4") / 255
    with gzip.open(mnist / "t10k-labels-idx1-ubyte.gz") as file:
        t = np.eye(10)[np.frombuffer(file.read(), np.uint8, offset=8)]
    w = pickle.loads((mnist / "sample_weight.pkl").read_bytes())
    for layer in "12":
        x = 1 / (1 + np.exp(-(x @ w[f"W{layer}"] + w[f"b{layer}"])))
    y = np.exp(x @ w["W3"] + w["b3"])
    y /= y.sum(axis=1, keepdims=True)
    expected = 0.5 * np.sum((y - t) ** 2) / len(y)
    given = ["-o", "loss={name: squared_error, factor: 0.5, per: row}", "-o", "data.one_hot=true"]
    values = {run("book/mnist-squared-error.yaml")["loss"]["value"]}
    for size in (7, 100, 20_000):
        result = run("book/mnist.yaml", *given, "-o", f"evaluate.batch_size={size}")
        values.add(result["loss"]["value"])
    assert len(values) == 1
    assert values.pop() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("size", [1, 7, 256, 10_000, 1_000_000])
@pytest.mark.parametrize("name", ["digits.yaml", "book/mnist.yaml"])
def test_the_batch_size_changes_no_digit(size, name, run):
    assert run(name, "-o", f"evaluate.batch_size={size}") == run(name)


def test_the_mini_batch_names_its_rows(run):
    result = run("book/mini-batch.yaml")
    assert result["count"] == len(result["sample"]) == 10
    assert all(0 <= row < 10_000 for row in result["sample"])
    assert run("book/mini-batch.yaml", "-o", "evaluate.sample.seed=1")["sample"] != result["sample"]


def test_the_files_of_the_book_are_found_through_the_environment(run, mnist, monkeypatch, tmp_path):
    moved = tmp_path / "far" / "away" / "book"
    moved.mkdir(parents=True)
    (moved / "mnist.yaml").write_bytes((FOLDER / "book" / "mnist.yaml").read_bytes())
    monkeypatch.setenv("LOSSFW_DATA", str(mnist.resolve()))
    assert not (moved / "sample_weight.pkl").exists()
    result = CliRunner().invoke(main, ["run", str(moved / "mnist.yaml"), "--json"])
    assert json.loads(result.stdout) == run("book/mnist.yaml")


def test_no_configuration_names_a_folder_outside():
    names = [path for path in FOLDER.rglob("*.yaml") if "../" in path.read_text()]
    assert names == []


def test_the_page_of_the_book_has_the_digests_of_its_files(mnist):
    page = (FOLDER.parent / "docs/how-to/run-the-book.md").read_text()
    listed = re.findall(r"^([0-9a-f]{64})  ([\w.-]+)$", page, re.M)
    digests = {name: digest for digest, name in listed}
    assert len(digests) == 3
    for name, digest in digests.items():
        assert hashlib.sha256((mnist / name).read_bytes()).hexdigest() == digest
    # Every configuration that the book has is on the page.
    named = set(re.findall(r"`configs/([\w/.-]+\.yaml)`", page))
    assert {name for name in FILES if name.startswith("book/")} <= named
