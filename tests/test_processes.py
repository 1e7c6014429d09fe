"""No process that lossfw starts imports from the working folder, unless somebody named a module."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lossfw
from lossfw import processes
from lossfw.processes import SAFE_PATH, safe_starts
from support.waiting import HANGS

CORE = Path(lossfw.__file__).parent

DATA = "data: {name: inline, targets: [1.0, 2.0, 3.0, 0.5], inputs: [[1.0], [2.0], [3.0], [4.0]]}\n"
LAYERS = "lossfw: 1\n" + DATA + "network: {layers: [{units: 1, activation: identity}]}\n"
CONFIGURATIONS = {
    "run": "lossfw: 1\n"
    "data: {name: inline, targets: [1.0, 2.0, 3.0, 0.5]}\n"
    "network: {predictions: [1.5, 2.0, 2.5, 0.25]}\n"
    "loss: huber\n",
    "folds": LAYERS + "loss: squared_error\n"
    "train: {optimizer: sgd, epochs: 1, hold_out: {folds: 2}}\n",
}
CONFIGURATIONS["sweep"] = CONFIGURATIONS["run"] + "sweep: {grid: {loss.delta: [1, 2]}}\n"

COMMANDS = {
    "sweep": "run sweep.yaml --jobs 2 --out o",
    "folds": "train folds.yaml --jobs 2 --out o",
    "check": "check squared_error --jobs 2 --examples 2 --defaults",
    "cluster": "run run.yaml --cluster local:2 --out o",
    "sweep on a cluster": "run sweep.yaml --cluster local:2 --out o",
}
# They start processes as others do.
SLOW = {"folds", "sweep on a cluster"}

# A script in another folder, as the command is: Python looks for modules in that folder.
COMMAND = "from lossfw_command import main\nif __name__ == '__main__':\n    main()\n"
# No file can shadow a module that is built in.
WITNESS = "import posix\nposix.close(posix.open({path!r}, posix.O_CREAT | posix.O_WRONLY))\n"


@pytest.fixture
def hostile(folder, tmp_path):
    """A working folder with a module for each that Python, lossfw and what it needs import.

    Returns a function that runs a script there, and one that returns which were executed.
    """
    executed = tmp_path / "executed"
    executed.mkdir()
    names = {*sys.stdlib_module_names, *importlib.metadata.packages_distributions()}
    names |= {"sitecustomize", "usercustomize", "lossfw", "lossfw_std", "lossfw_command"}
    for name in filter(str.isidentifier, names):
        text = WITNESS.format(path=str(executed / name))
        (folder / f"{name}.py").write_text(f"{text}raise ImportError('a witness')\n")
    for name, text in CONFIGURATIONS.items():
        (folder / f"{name}.yaml").write_text(text)
    script = tmp_path / "command.py"
    script.write_text(COMMAND)

    def run(*words, python=(str(script),)):
        return subprocess.run(
            [sys.executable, *python, *words],
            capture_output=True,
            text=True,
            timeout=HANGS,
            check=False,
        )

    return run, lambda: sorted(path.name for path in executed.iterdir())


@pytest.mark.turns(3)
@pytest.mark.skipif(os.name != "posix", reason="the witness uses a module of POSIX")
@pytest.mark.parametrize(
    "command",
    [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in COMMANDS],
)
def test_a_command_executes_no_file_of_the_working_folder(hostile, command):
    run, executed = hostile
    ran = run(*COMMANDS[command].split())
    assert executed() == []
    assert ran.returncode == 0, ran.stderr


def _plain_environment():
    """Return the environment without what a cluster of other tests has set for its processes."""
    return {name: text for name, text in os.environ.items() if name != SAFE_PATH}


@pytest.fixture
def path_in(folder, tmp_path):
    """Return `import_path` and `sys.path` of a process that Python starts in the folder so."""
    code = "import json, sys; from lossfw.processes import import_path\n"
    code += "print(json.dumps([import_path(), sys.path]))"

    def run(option, before="", named=()):
        text = f"{before}\n{code}"
        (folder / "script.py").write_text(text)
        words = [option, text] if option == "-c" else [*option.split(), "script.py"]
        words = ["-m", "script"] if option == "-m" else words
        ran = subprocess.run(
            [sys.executable, *words],
            env={
                **_plain_environment(),
                "PYTHONPATH": os.pathsep.join([str(tmp_path), *map(str, named)]),
            },
            stdout=subprocess.PIPE,
            check=True,
        )
        return json.loads(ran.stdout)

    return run


def test_the_folder_that_python_has_added_is_left_out(path_in, folder):
    found, whole = path_in("-c")
    assert (whole[0], found) == ("", whole[1:])


def test_a_folder_with_a_module_that_was_imported_comes_last(path_in, folder):
    (folder / "mine.py").touch()
    (folder / "pack").mkdir()
    for name in ("mine", "pack"):
        found, whole = path_in("-c", f"import {name}")
        assert found == [*whole[1:], str(folder)]
    found, whole = path_in("-m")
    assert found == [*whole[1:], str(folder)]


def test_a_folder_that_somebody_has_named_stays(path_in, folder):
    # The folder of a script, that of the environment, and one that the code has added.
    found, whole = path_in("")
    assert (whole[0], found) == (str(folder), whole)
    found, whole = path_in("-c", named=[folder])
    assert found == whole[1:]
    assert str(folder) in found
    found, whole = path_in("-P", f"import sys; sys.path.insert(0, {str(folder)!r})")
    assert (whole[0], found) == (str(folder), whole)


def test_environment_and_path_are_as_before_when_the_last_block_ends(monkeypatch, folder):
    # A cluster of other tests may be inside a block.
    for name in ("_open", "_environment", "_path"):
        monkeypatch.setattr(processes, name, {"_open": 0, "_path": []}.get(name))
    monkeypatch.delenv(SAFE_PATH, raising=False)
    monkeypatch.setattr(sys, "path", ["", *sys.path, "one"])
    first, second = safe_starts(), safe_starts()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert os.environ[SAFE_PATH] == "1"
    assert "" not in sys.path
    sys.path.append("two")
    second.__exit__(None, None, None)
    assert SAFE_PATH not in os.environ
    assert (sys.path[0], sys.path[-2:]) == ("", ["one", "two"])


FROM_PYTHON = """\
import sys, time
here = sys.path.pop(0)  # this process imports without the folder, and those that it starts too
from lossfw.check.pool import Job, run_all
from lossfw.runs.worker import WorkerProcess
from lossfw.scale.cluster import connect

def start():
    list(run_all([Job("a", "done".format)] * 2, processes=2))
    WorkerProcess(1).end()
    with connect("local:1") as client:
        client.submit(time.sleep, 0).result()

start()
sys.path.insert(0, here)
start()
"""


@pytest.mark.slow
def test_processes_of_a_session_do_not_import_from_its_folder(hostile):
    run, executed = hostile
    ran = run(FROM_PYTHON, python=["-c"])
    assert executed() == []
    assert ran.returncode == 0, ran.stderr


def test_a_function_of_the_working_folder_is_checked_in_processes(lossfw, folder):
    (folder / "helper.py").write_text(
        "import numpy as np\n\n\ndef half(r):\n    return r * r / 2\n"
    )
    text = "from helper import half\n\n\ndef mine(y, t):\n    return half(y - t)\n"
    (folder / "mine.py").write_text(text)
    words = ["check", "mine:mine", "--against", "squared_error", "-p", "factor=0.5"]
    ran = subprocess.run(
        [str(Path(sys.executable).with_name("lossfw")), *words, "--jobs", "2", "--examples", "2"],
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


# What starts processes, and where lossfw uses it. A new place goes through lossfw.processes, and
# its command into COMMANDS.
STARTS = {
    "models/trial.py": {"subprocess.run("},
    "runs/worker.py": {"subprocess.Popen("},
    "runs/git.py": {"subprocess.run("},
    "check/pool.py": {"multiprocessing.get_context(", "ProcessPoolExecutor("},
    "scale/cluster.py": {"LocalCluster("},
}
START = re.compile(
    r"\b(?:subprocess\.\w+|multiprocessing\.\w+|Popen|Process|ProcessPoolExecutor|LocalCluster|Nanny"
    r"|os\.(?:system|popen|forkp?t?y?|spawn\w+|exec\w+|posix_spawn\w*))\("
)


def test_every_place_that_starts_a_process_is_known():
    found = {}
    for file in (*CORE.rglob("*.py"), *(CORE.parent / "plugins").rglob("*.py")):
        if calls := set(START.findall(file.read_text())):
            found[file.relative_to(CORE.parent).as_posix().removeprefix("lossfw/")] = calls
    assert found == STARTS
