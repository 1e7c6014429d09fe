"""Labels that look like numbers stay labels in every file that is read again."""

import json

import numpy as np
import pytest

import lossfw
from lossfw.runs.compare.rows import read_rows

XS = [1, "inf", 2.5] * 5
LABELS = ["inf", "-inf", "1e5", "nan", "flat"]


@pytest.fixture
def config(folder):
    """A run whose targets are labels like numbers, with a column of such and one of numbers."""
    labels = LABELS * 3
    rows = [f"{a},{labels[-1 - n]},{x}" for n, (a, x) in enumerate(zip(labels, XS, strict=True))]
    (folder / "d.csv").write_text("\n".join(["y,kind,x", *rows]) + "\n")
    predictions = np.random.default_rng(0).dirichlet(np.ones(5), 15)
    for name in "ab":
        np.save(folder / f"{name}.npy", np.roll(predictions, name == "b", axis=0))
        (folder / f"{name}.yaml").write_text(
            "lossfw: 1\ndata: {name: arrays, file: d.csv, targets_key: y}\n"
            f"network: {{predictions: {name}.npy}}\nloss: cross_entropy\n"
            "evaluate: {save_rows: true, columns: [x], slices: [column.kind, target]}\n"
        )
    return folder


@pytest.mark.slow
def test_a_finished_run_is_read_again(config, lossfw):
    for name in "ab":
        assert lossfw("run", f"{name}.yaml", "--out", name).exit_code == 0
    plain = json.loads((config / "a/metrics.json").read_text())
    assert set(plain["classes"]) == set(LABELS)
    assert {part["value"] for part in plain["slices"]} == {*LABELS, "missing"}
    again = lossfw("run", "a.yaml", "--out", "a", "--resume")
    assert (again.exit_code, again.stderr) == (0, "a: done before, not run again\n")
    for command in (["report", "a"], ["compare", "a", "b", "--by", "column.kind"]):
        done = lossfw(*command)
        assert done.exit_code == 0, done.stderr
        for label in LABELS[:3] if command[0] == "compare" else ():
            assert f"\n{label} " in done.stdout


def test_an_infinity_beside_numbers_is_a_number(config):
    lossfw.run(config / "a.yaml", out=config / "a")
    rows = read_rows(config / "a")
    assert not rows.columns["x"].holds_strings
    assert rows.columns["x"].values.tolist() == list(map(float, XS))
