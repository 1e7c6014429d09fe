"""lossfw new: what it writes can be run, checked, tested and installed."""

import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lossfw.cli.new import KINDS_OF_LOSS
from lossfw.components.registry import Registry
from support.waiting import HANGS


def test_a_name_that_a_built_in_has_is_told(lossfw):
    result = lossfw("new", "loss", "fair")
    assert result.exit_code == 0
    assert "'fair/fair'" in result.stderr
    assert lossfw("eval", "--plugin", "fair.py", "fair/fair", "-y2", "-t0").stdout == "value  4.0\n"


def test_nothing_is_overwritten(lossfw):
    lossfw("new", "loss", "tilted")
    Path("tilted.py").write_text("mine")
    Path("acme").mkdir()
    for arguments in (("loss", "tilted"), ("plugin", "acme")):
        result = lossfw("new", *arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "already exists" in result.stderr
    assert Path("tilted.py").read_text() == "mine"


NO_NAMES = [
    *("loss Tilted", "loss tilted-error", "loss ../tilted", "loss 1st", "loss class", "loss ''"),
    *("plugin 'acme losses'", "plugin ../acme", "plugin 1acme", "plugin import"),
    *("plugin acme --loss Tilted", "plugin acme --model Tilted", "model my-model"),
]


@pytest.mark.parametrize("arguments", NO_NAMES)
def test_a_name_that_cannot_be_is_told(arguments, refused):
    text = refused("new", *shlex.split(arguments))
    assert "is not a valid" in text or "name it like" in text
    assert [path.name for path in Path().iterdir()] == ["run.yaml"]


@pytest.fixture(params=[None])
def plugin(lossfw, request):
    """The folder of a new plugin with a loss, of a kind where one is given."""
    kind = () if request.param is None else ("--kind", request.param)
    result = lossfw("new", "plugin", "Acme-Losses", "--loss", "tilted_error", *kind)
    assert (result.exit_code, result.stderr) == (0, "")
    folder = Path("Acme-Losses")
    written = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {"README.md", ".github/workflows/check.yml"} < written
    assert all(str(folder / path) in result.stdout for path in written)
    return folder


def modules_of(source):
    return {f"{source.name}/{p.stem}": p.read_text() for p in source.glob("*.py")}


def test_a_plugin_is_discovered(plugin, install):
    project = tomllib.loads((plugin / "pyproject.toml").read_text())["project"]
    assert project["name"] == "Acme-Losses"
    modules = modules_of(plugin / "src/acme_losses")
    install(project["name"], project["entry-points"]["lossfw"], modules, project["version"])
    registry = Registry.discover()
    entry = registry.resolve("loss", "tilted_error")
    assert entry.label == "Acme-Losses[acme_losses]"
    assert registry.create("loss", "tilted_error", scale=2.0)([4.0], [0.0]) == 4.0


@pytest.mark.slow
@pytest.mark.parametrize(
    "plugin", [pytest.param(k, marks=[pytest.mark.slow] * (k != "wrapper")) for k in KINDS_OF_LOSS],
    indirect=True,
)  # fmt: skip
def test_a_plugin_passes_its_own_tests(plugin, install, lossfw):
    # Without --strict-config and the like: its own settings count.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "claim"]
    done = subprocess.run(command, cwd=plugin, capture_output=True, text=True, timeout=HANGS)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    modules = modules_of(plugin / "src/acme_losses")
    install("Acme-Losses", {"acme_losses": "acme_losses"}, modules, "0.1.0")
    (line,) = [x for x in (plugin / "README.md").read_text().splitlines() if "lossfw eval" in x]
    shown = lossfw(*shlex.split(line)[1:])
    assert "gradient" in shown.stdout, shown.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("loss", "mine", "--kind", "margin"),
        ("activation", "mine"),
        ("model", "mine"),
        ("model", "mine", "--training-mode", "once"),
        *(pytest.param(("loss", "mine", "--kind", kind), marks=pytest.mark.slow)
          for kind in KINDS_OF_LOSS if kind != "margin"),
        pytest.param(("activation", "mine", "--kind", "row"), marks=pytest.mark.slow),
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_is_written_is_not_refuted(arguments, lossfw):
    assert lossfw("new", *arguments).exit_code == 0
    skipped = () if "model" in arguments else ("--skip", "arrays")
    done = lossfw("check", "--plugin", "mine.py", "mine", "--examples", "10", *skipped,
                  "--processes", "1")  # fmt: skip
    assert done.exit_code == 0, done.stdout
    # A distribution has its quantiles and probabilities besides, a model learns and is loaded.
    most = 85 if "model" in arguments else 50 if "distribution" in arguments else 40
    assert len(Path("mine.py").read_text().splitlines()) <= most


def test_a_plugin_may_have_a_model(lossfw, install):
    assert lossfw("new", "plugin", "acme", "--model", "my_model").exit_code == 0
    install("acme", {"acme": "acme"}, modules_of(Path("acme/src/acme")), "0.1.0")
    shown = lossfw("show", "acme/my_model")
    assert "MyModel" in shown.stdout, shown.stderr
    assert "lossfw show acme/my_model" in Path("acme/README.md").read_text()
    both = lossfw("new", "plugin", "other", "--loss", "a", "--model", "b")
    assert (both.exit_code, both.stdout) == (2, "")


@pytest.mark.turns(3)
@pytest.mark.parametrize(
    ("kind", "name", "told", "sections", "command", "shown"),
    [
        ("metric", "hit_rate", "evaluate: {metrics: [hit_rate]}",
         "network: {predictions: [0.0, 0.25, 9.0]}\nevaluate: {metrics: [hit_rate]}\n",
         "run it.yaml", "hit_rate       0.66"),
        ("model", "my_stumps",
         "plugins: [my_stumps.py], model: my_stumps, train: {rounds: 100}",
         "model: my_stumps\ntrain: {rounds: 3}\n",
         "train it.yaml --out trained", "trained/my_stumps.json"),
        ("optimizer", "sign_steps", "optimizer: {name: sign_steps",
         ("network: {layers: [{units: 1, activation: identity}]}\n"
         "train: {epochs: 3, optimizer: {name: sign_steps, learning_rate: 0.001}}\n"),
         "train it.yaml --no-out", "SignSteps(keep=0.9, learning_rate=0.001)"),
    ],
)  # fmt: skip
def test_a_configuration_uses_what_is_new(kind, name, told, sections, command, shown, lossfw):
    assert told in lossfw("new", kind, name).stdout
    assert "plugins: [squares.py]" in lossfw("new", "source", "squares").stdout
    if kind == "metric":
        checked = lossfw("check", "--plugin", f"{name}.py").stdout
        assert "nothing refuted" in checked
        assert "which results are better" not in checked
    Path("it.yaml").write_text(
        f"lossfw: 1\nplugins: [{name}.py, squares.py]\ndata: {{name: squares, rows: 3}}\n"
        f"loss: squared_error\n{sections}"
    )
    done = lossfw(*command.split())
    assert done.exit_code == 0, done.stderr
    assert shown in done.stdout
