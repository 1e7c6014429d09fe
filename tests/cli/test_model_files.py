"""Files of models that hold code are executed by a run, and else by nobody who has not said yes."""

import json
import os
import pickle
import sys
import zipfile

import pytest

CONFIG = """\
lossfw: 1
plugins: [reader.py]
data: {name: inline, inputs: [[1.0], [2.0]], targets: [1.0, 2.5]}
model: {name: reader, file: net.keras}
loss: squared_error
"""
# A model that executes what is in its file, as Keras and PyTorch do with theirs.
READER = """\
import pickle, zipfile
from lossfw.models import Model, Predictor, code_format
class Reader(Model):
    "It executes what is in its file, if that is trusted."
    def load(self, content, card):
        if code_format(content) is not None:
            with zipfile.ZipFile(self.file) as archive:
                pickle.loads(archive.read("config.json"))
        return Predictor("reader", content, (1,), 1, lambda x: x)
"""


class Witness:
    """Executed when it is unpickled, it makes a folder."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.makedirs, (str(self.path), 0o777, True)


@pytest.fixture
def witness(folder):
    """Write a configuration with a file of code, and return what appears when it is executed."""
    path = folder / "executed"
    with zipfile.ZipFile(folder / "net.keras", "w") as archive:
        archive.writestr("metadata.json", json.dumps({}))
        archive.writestr("config.json", pickle.dumps(Witness(path)))
    (folder / "reader.py").write_text(READER)
    (folder / "run.yaml").write_text(CONFIG)
    return path


COMMANDS = {
    ("run", "run.yaml"): True,
    ("rerun", "o"): True,
    ("validate", "run.yaml"): False,
    ("config", "run.yaml"): False,
    ("compare", "o", "p"): False,
    ("report", "o"): False,
}


@pytest.mark.turns(4)
@pytest.mark.parametrize("choice", ["", "--trust", "--no-trust"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_model_file_that_holds_code_is_a_plugin_file(lossfw, witness, folder, command, choice):
    pytest.importorskip("matplotlib")
    if {"o", "p"} & {*command}:
        for name in ("o", "p"):
            # Rows are not kept: a report wants to compute them.
            result = lossfw("run", "run.yaml", "--out", name)
            assert result.exit_code == 0, result.output
        witness.rmdir()
    # The model's own class is known, so that only its file is in question.
    result = lossfw(*command, "--plugin", "reader.py", *[choice] * bool(choice))
    executes = {"": COMMANDS[command], "--trust": True, "--no-trust": False}[choice]
    # A comparison has no use for the model.
    assert witness.exists() == (executes and command[0] not in ("compare", "config")), result.output
    if not executes and command[0] in ("run", "validate"):
        # What validate cannot look at is said, and the rest is checked.
        code, word = (2, "error") if command[0] == "run" else (0, "not checked")
        assert result.exit_code == code
        assert f"run.yaml:4:29: {word}: the file 'net.keras' is not read" in result.output
        assert "that would execute its code" in result.output
        assert "hint: if you trust the file, give --trust" in result.output


def test_no_plugins_leaves_it_out(lossfw, witness):
    result = lossfw("validate", "run.yaml", "--no-plugins", "--trust", "--plugin", "reader.py")
    assert (result.exit_code, witness.exists()) == (0, False)
    assert "code, is not loaded because of --no-plugins" in result.output


@pytest.mark.parametrize("command", ["run", "validate", "config", "compare", "report"])
def test_a_pickle_is_read_by_no_command(lossfw, witness, folder, command):
    pytest.importorskip("matplotlib")
    place = {"compare": ("o", "p"), "report": ("o",)}.get(command, ("run.yaml",))
    if command in ("compare", "report"):
        for name in ("o", "p"):
            assert lossfw("run", "run.yaml", "--out", name).exit_code == 0
        witness.rmdir()
    # Another file is in its place, under the same name.
    (folder / "net.keras").write_bytes(pickle.dumps(Witness(witness)))
    result = lossfw(command, *place, "--trust")
    assert not witness.exists()
    if command in ("run", "validate"):
        assert result.exit_code == 2
        assert "net.keras is a pickle, which executes code when it is read" in result.output


MODULE = """\
lossfw: 1
data: {name: inline, inputs: [[1.0], [2.0], [3.0]], targets: [1.0, 2.5, 2.0]}
model: {name: torch, module: net.py:Net}
loss: squared_error
train: {epochs: 1}
"""
NET = """\
import os, torch
os.makedirs("executed", exist_ok=True)
class Net(torch.nn.Linear):
    def __init__(self):
        super().__init__(1, 1)
"""


def test_the_file_of_a_module_is_a_plugin_file(lossfw, folder):
    pytest.importorskip("torch")
    (folder / "net.py").write_text(NET)
    (folder / "train.yaml").write_text(MODULE)
    trained = MODULE.replace("torch, module: net.py:Net", "trained, folder: t")
    (folder / "run.yaml").write_text(trained.replace("train: {epochs: 1}\n", ""))
    executed = folder / "executed"
    for command, is_executed in (
        (("validate", "train.yaml"), False),
        (("config", "train.yaml"), False),
        (("validate", "train.yaml", "--trust"), True),
        (("train", "train.yaml", "--out", "t"), True),
        (("validate", "run.yaml"), False),
        (("run", "run.yaml", "--out", "r"), True),
        (("compare", "t", "t"), False),
        (("report", "r"), False),
        (("report", "t"), False),
    ):
        lossfw(*command)
        assert executed.exists() == is_executed, command
        if is_executed:
            executed.rmdir()
            # As in another process.
            for name in [name for name in sys.modules if name.endswith("_net")]:
                del sys.modules[name]
