"""``lossfw new``: the first file of a component, or a plugin for others to install."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import click

from lossfw.cli.command import Command
from lossfw.cli.main import TracebackGroup
from lossfw.components.naming import snake_case
from lossfw.errors import ArgumentError, OutputError
from lossfw.runs.files import write_file, write_stdout

# As package indexes want them.
_DISTRIBUTION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")

# Each file of a plugin and its template; the path is a template as well.
_PLUGIN = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    ".gitignore": "gitignore",
    ".github/workflows/check.yml": "ci.yml",
    "src/${package}/__init__.py": "init.py",
    "tests/test_${package}.py": "test.py",
}


class _ReadmeExample(NamedTuple):
    """How the README of a plugin evaluates a kind of loss, and the losses that its test checks."""

    arguments: str
    samples: str = "${cls}()"


# By kind of loss; each has a template of its name.
KINDS_OF_LOSS = {
    "distance": _ReadmeExample("-y '[1.0, 2.0]' -t '[0.0, 0.0]'", "${cls}(), ${cls}(scale=0.3)"),
    "margin": _ReadmeExample("-y '[1.0, 2.0]' -t '[-1, 1]'", "${cls}(), ${cls}(margin=0.3)"),
    "pointwise": _ReadmeExample("-y '[0.2, 0.9]' -t '[0.0, 1.0]'"),
    "categorical": _ReadmeExample("-y '[[0.2, 0.8]]' -t '[1]'"),
    "distribution": _ReadmeExample("-y '[[0.0, 0.0]]' -t '[1.0]'"),
    "group": _ReadmeExample("-y '[[1.0, 2.0]]' -t '[[1.0, 0.0]]'"),
    "wrapper": _ReadmeExample(
        "-p of=squared_error -y '[1.0, 2.0]' -t '[0.0, 0.0]'",
        "*(${cls}(**given) for given in ${cls}.examples())",
    ),
}
_KIND_HELP = "The argument of the loss; a wrapper changes another loss."
# What the templates of a plugin say of a loss and of a model, in the order in which they are
# filled in.
_LOSS = {
    "things": "losses",
    "Things": "Losses",
    "hook": "lossfw_losses",
    "yours": "your formula and what it claims",
    "use": "lossfw eval ${distribution}/${name} ${arguments} --gradient",
    "named": 'loss: ${name}`, in Python `lossfw.loss("${name}")',
    "held_to": "each claim of the class. Claim only true properties. A missing claim\n"
    "is not an error",
}
_MODEL = {
    "things": "models",
    "Things": "Models",
    "hook": "lossfw_models",
    "yours": "your model",
    "samples": "${cls}()",
    "use": "lossfw show ${distribution}/${name}",
    "named": "model: ${name}",
    "held_to": "the laws that hold for every model",
}
_KINDS_OF_ACTIVATION = {"element": "activation.py", "row": "row.py"}
_WAYS_TO_LEARN = {"rounds": "model.py", "once": "model_once.py"}
_TRAINED = {"rounds": "{rounds: 100}", "once": "{}"}
_LEARNS_HELP = "Whether the model is trained in rounds, which can be resumed, or in one step."

# The next step after a file with a formula.
_THEN_CHECK = ("write your formula and what it claims, then", "lossfw check --plugin NAME.py")

# A name that is well formed, for messages.
_EXAMPLES = {
    "loss": "tilted_error",
    "activation": "soft_step",
    "model": "my_stumps",
    "metric": "hit_rate",
    "source": "my_table",
    "optimizer": "sign_steps",
}

# For each kind that a configuration names: the next step, and the line with the name.
_USES = {
    "metric": (
        "write your formula, try it with lossfw check --plugin NAME.py",
        "evaluate: {metrics: [NAME]}",
    ),
    "source": ("load your data", "data: {name: NAME}"),
    "optimizer": (
        "write your rule",
        "train: {epochs: 10, optimizer: {name: NAME, learning_rate: 0.001}}",
    ),
}


@click.group("new", cls=TracebackGroup)
def new() -> None:
    """Write the first file of a component, or a plugin."""


def _kind_option(
    kinds: Iterable[str], kinds_text: str, option: str = "--kind"
) -> Callable[[Any], Any]:
    """Return the option that chooses a template; the first is the default."""
    choice, first = click.Choice(list(kinds)), next(iter(kinds))
    return click.option(option, type=choice, default=first, show_default=True, help=kinds_text)


@new.command("loss", cls=Command)
@click.argument("name")
@_kind_option(KINDS_OF_LOSS, _KIND_HELP)
def new_loss(name: str, kind: str) -> None:
    """Write NAME.py, a local plugin file with one loss."""
    _write_local_plugin("loss", name, f"{kind}.py", *_THEN_CHECK)


@new.command("activation", cls=Command)
@click.argument("name")
@_kind_option(_KINDS_OF_ACTIVATION, "Whether it takes single numbers or rows.")
def new_activation(name: str, kind: str) -> None:
    """Write NAME.py, a local plugin file with one activation."""
    _write_local_plugin("activation", name, _KINDS_OF_ACTIVATION[kind], *_THEN_CHECK)


@new.command("model", cls=Command)
@click.argument("name")
@_kind_option(_WAYS_TO_LEARN, _LEARNS_HELP, "--training-mode")
def new_model(name: str, training_mode: str) -> None:
    """Write NAME.py, a local plugin file with one model that learns."""
    step, line = "write your model, then", "lossfw check --plugin NAME.py"
    use = f"plugins: [NAME.py], model: NAME, train: {_TRAINED[training_mode]}"
    also = ("and train it by a configuration with", use)
    _write_local_plugin("model", name, _WAYS_TO_LEARN[training_mode], step, line, *also)


def _add_command(kind: str, step: str, line: str) -> None:
    """Add the command for a kind of component that a configuration names."""

    def write(name: str) -> None:
        then = (
            f"{step.replace('NAME', name)}, then name the file and the {kind} in a configuration:"
        )
        _write_local_plugin(kind, name, f"{kind}.py", then, "plugins: [NAME.py]", line)

    words = "data source" if kind == "source" else kind
    write.__doc__ = f"Write NAME.py, a local plugin file with one {words}."
    new.command(kind)(click.argument("name")(write))


for _kind, _use in _USES.items():
    _add_command(_kind, *_use)


def _write_local_plugin(kind: str, name: str, template: str, step: str, *lines: str) -> None:
    """Write a local plugin file with one component, and print the next step."""
    _write_new_files(Path(), {f"{name}.py": _fill_template(template, _template_values(name, kind))})
    _warn_if_name_exists(kind, name, name)
    write_stdout(f"{name}.py: {step}")
    for line in lines:
        write_stdout(f"  {line.replace('NAME', name)}")


@new.command("plugin", cls=Command)
@click.argument("distribution")
@click.option("--loss", help="The name of its first loss; my_loss without --loss and --model.")
@_kind_option(KINDS_OF_LOSS, _KIND_HELP)
@click.option("--model", help="The name of its first model, instead of a loss.")
@_kind_option(_WAYS_TO_LEARN, _LEARNS_HELP, "--training-mode")
def new_plugin(
    distribution: str, loss: str | None, kind: str, model: str | None, training_mode: str
) -> None:
    """Write a folder DISTRIBUTION, a package with one loss or model that others can install."""
    if not _DISTRIBUTION.fullmatch(distribution):
        raise ArgumentError(
            f"{distribution!r} is not a valid distribution name: use letters, digits and hyphens, "
            "as in acme-losses."
        )
    if loss and model:
        raise ArgumentError("--loss and --model are given: a new plugin has one component.")
    if model is not None:
        words, template, offered = (
            _template_values(model, "model"),
            _WAYS_TO_LEARN[training_mode],
            _MODEL,
        )
    else:
        words, template = _template_values(loss or "my_loss", "loss"), f"{kind}.py"
        offered = {**KINDS_OF_LOSS[kind]._asdict(), **_LOSS}
    package = re.sub(r"[-.]+", "_", distribution).lower()
    _refuse_keyword(package, "package", "acme-losses")
    words |= {"distribution": distribution, "package": package}
    for key, text in offered.items():
        words[key] = Template(text).substitute(words)
    folder = Path(distribution)
    if folder.exists():
        raise OutputError(f"{folder} already exists: choose another name, or move it away.")
    files = {
        Template(path).substitute(words): _fill_template(text, words)
        for path, text in _PLUGIN.items()
    }
    file = f"src/{package}/{words['name']}.py"
    files[file] = _fill_template(template, words)
    _write_new_files(folder, files)
    _warn_if_name_exists("model" if model else "loss", words["name"], distribution)
    for path in sorted(files):
        write_stdout(f"{folder / path}")
    write_stdout(f"\nWrite {words['yours']} in {file}, then")
    write_stdout(f"  pip install -e '{distribution}[test]'")
    write_stdout(f"  lossfw check {distribution}")


def _template_values(name: str, kind: str) -> dict[str, str]:
    """Return the words that the templates of a component contain; refuse other names."""
    example = _EXAMPLES[kind]
    cls = "".join(part.capitalize() for part in name.split("_"))
    if snake_case(cls) != name:
        raise ArgumentError(
            f"{name!r} is not a valid {kind} name: use lowercase letters, digits and underscores, "
            f"as in {example}."
        )
    _refuse_keyword(name, kind, example)
    return {"name": name, "cls": cls}


def _refuse_keyword(name: str, noun: str, example: str) -> None:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ArgumentError(
            f"{name!r} cannot be the name of a {noun}, since Python could not import it: name it "
            f"like {example}."
        )


def _fill_template(template: str, values: dict[str, str]) -> str:
    source = resources.files("lossfw.cli") / "templates" / f"{template}.txt"
    return Template(source.read_text(encoding="utf-8")).substitute(values)


def _write_new_files(folder: Path, files: dict[str, str]) -> None:
    """Write new files; one that exists is an error."""
    for path in files:
        if (folder / path).exists():
            raise OutputError(
                f"{folder / path} already exists: choose another name, or move it away."
            )
    for path, text in files.items():
        target = folder / path
        write_file(target.parent, target.name, text.encode())


def _warn_if_name_exists(kind: str, name: str, origin: str) -> None:
    """Tell the user that a built-in component of the kind has the same name."""
    from lossfw.components.registry import Registry

    known = Registry.discover(plugins=False).entries(kind)
    if any(name in entry.names for entry in known):
        click.echo(
            f"lossfw: note: lossfw has a {kind} {name!r} too; yours is '{origin}/{name}' wherever "
            "a name is given.",
            err=True,
        )
