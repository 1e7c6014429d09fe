"""The help of every command: whole at any width, and hints of what other programs write."""

import click
import pytest

from lossfw.cli import main
from lossfw.cli.new import new

CONFIG = """\
lossfw: 1
data: {name: inline, targets: [1.0, 2.0], inputs: [[1.0], [2.0]]}
network: {predictions: [1.0, 2.5]}
loss: {name: huber}
"""


def words(text):
    return " ".join(text.split())


def shown(command, width):
    """Return the help of a command in a terminal of a width."""
    # A command keeps the option that it made of these names.
    options = {"terminal_width": width, "help_option_names": ["-h", "--help"]}
    return command.get_help(click.Context(command, info_name="lossfw", **options))


@pytest.mark.parametrize("group", [main, new], ids=["lossfw", "new"])
@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_the_list_of_commands_cuts_no_text(group, width):
    text = words(shown(group, width).partition("Commands:")[2])
    assert "..." not in text
    context = click.Context(group)
    for name in group.list_commands(context):
        first = group.get_command(context, name).help.partition("\n\n")[0]
        assert words(first).partition(". ")[0].removesuffix(".") in text, name


@pytest.fixture
def config(folder):
    (folder / "c.yaml").write_text(CONFIG)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "c.yaml", "loss.delta=1.1"], "write FILE -o loss.delta=1.1"),
        (["run", "loss.delta=1.1"], "write FILE -o loss.delta=1.1"),
        (["validate", "c.yaml", "loss.delta=1.1"], "write FILE -o loss.delta=1.1"),
        (["train", "c.yaml", "a.b=1", "c=2"], "write -o a.b=1 -o c=2"),
        (["config", "c.yaml", "loss.delta=1.1"], "write -o loss.delta=1.1"),
        (["run", "c.yaml", "-o", "loss=huber, squared_error"],
         "several values are a sweep: -o 'sweep={grid: {loss: [huber, squared_error]}}'"),
        (["run", "c.yaml", "-o", ".".join("a" * 5000) + "=1"], "the key has 5000 steps"),
    ],
    ids=lambda given: " ".join(given)[:40] if isinstance(given, list) else "",
)  # fmt: skip
def test_what_other_programs_take_has_a_hint(arguments, told, config, lossfw):
    result = lossfw(*arguments)
    assert result.exit_code == 2
    assert told in words(result.stdout + result.stderr)
    if "sweep" in told:
        hint = result.stderr.partition("a sweep: -o '")[2].strip().removesuffix("'")
        assert "loss=squared_error" in lossfw("run", "c.yaml", "-o", hint).stdout
