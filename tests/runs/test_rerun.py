"""Running again: the same is the same, and what differs is named."""

import json

import numpy as np
import pytest


@pytest.fixture
def done(lossfw, folder, write):
    """A run that is done, in ``out``."""
    write()
    assert lossfw("run", "run.yaml", "--out", "out").exit_code == 0
    return folder / "out"


def differences(lossfw, code=1):
    found = lossfw("rerun", "out", "--json")
    assert found.exit_code == code, found.stderr
    said = json.loads(found.stdout)
    assert said["same"] == (code == 0)
    return {(d["kind"], d["what"]): (d["then"], d["now"]) for d in said["differences"]}


def test_the_same_is_the_same_from_anywhere(lossfw, done, monkeypatch):
    before = {path: path.read_bytes() for path in done.iterdir()}
    assert differences(lossfw, 0) == {}
    shown = lossfw("rerun", "out")
    assert shown.stdout == "out: the same numbers, versions and digests\n"
    monkeypatch.chdir("/")
    assert lossfw("rerun", done).exit_code == 0
    assert {path: path.read_bytes() for path in done.iterdir()} == before


def test_other_data_are_named_with_the_numbers_that_they_change(lossfw, done, folder):
    targets = np.load(folder / "t.npy")
    targets[0] = (targets[0] + 1) % 3
    np.save(folder / "t.npy", targets)
    found = differences(lossfw)
    assert {("digest", "data"), ("digest", "run"), ("number", "loss.value")} <= set(found)
    assert ("digest", "weights") not in found
    then, now = found["number", "loss.value"]
    assert then == json.loads((done / "metrics.json").read_text())["loss"]["value"] != now
    assert not any(kind == "version" for kind, _ in found)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda out: (out / "run.json").unlink(), "it has no run.json"),
        (lambda out: (out / "config.yaml").unlink(), "it has no config.yaml"),
        (lambda out: (out / "run.json").write_text("[]"), "is not a JSON object"),
        (lambda out: (out / "metrics.json").write_text("{"), "cannot be read"),
        (lambda out: (out.parent / "p.npy").unlink(), "there is no file"),
        (lambda out: (out / "status").write_text("running\n"), "a run that is not done"),
    ],
)
def test_a_folder_without_a_whole_run_is_refused(lossfw, done, spoil, message):
    spoil(done)
    refused = lossfw("rerun", "out")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "is not a folder; expected that of a run" in lossfw("rerun", "nowhere").stderr
