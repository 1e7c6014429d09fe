"""Write the pages of docs/reference that follow from docstrings and from the command line.

    python scripts/make_reference.py docs/reference

A test compares the pages with what is generated now.
"""

import argparse
import functools
import inspect
import json
from pathlib import Path

from click.testing import CliRunner

from lossfw.check.checks import CHECKS
from lossfw.check.instances import variants
from lossfw.check.laws.activations import ELEMENTWISE
from lossfw.cli import main as lossfw
from lossfw.cli.main import COMMANDS
from lossfw.components import hookspecs
from lossfw.components.claims import ActivationClaims, Claims
from lossfw.components.docstrings import parse_entries, split_paragraphs, split_sections
from lossfw.components.plugin_choice import Plugins
from lossfw.report.text.accuracy import page

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"

# Lines of help are broken at this width, whatever the terminal has.
WIDTH = 100


def printed(*arguments: str) -> str:
    """Return what a command prints."""
    result = CliRunner().invoke(lossfw, arguments, terminal_width=WIDTH, prog_name="lossfw")
    if result.exit_code:
        raise SystemExit(f"lossfw {' '.join(arguments)}: {result.output}")
    return result.output


def components() -> str:
    """Describe every built-in component."""
    return printed("show", "--all", "--no-plugins", "--markdown")


def commands() -> str:
    """Show the help of every command."""
    helps = "".join(
        f"\n## {command}\n\n```text\n{printed(command, '--help')}```\n" for command in COMMANDS
    )
    return (
        "# Commands\n\nThe help of each command of `lossfw`. `make reference` writes this page.\n"
        f"\n```text\n{printed('--help')}```\n{helps}"
    )


def claims_and_hooks() -> str:
    """Describe every claim and every hook by its docstring."""
    text = "# Claims and hooks\n\n`make reference` writes this page from the docstrings.\n"
    for kind, title, cls in (
        ("loss", "losses", Claims),
        ("activation", "activations", ActivationClaims),
    ):
        parts = split_sections(cls.__doc__)
        text += f"\n## Claims of {title}\n\n{_prose(parts[''])}\n"
        for name, described in parse_entries(parts["Attributes"]).items():
            text += f"\n### {name}\n\n{_code(described)}\n\n{_attack(kind, name)}\n"
    text += "\n## Hooks\n"
    for hook in (
        *hookspecs.HOOKS.values(),
        *hookspecs.LIFE_CYCLE,
        *hookspecs.TRAINING_CYCLE,
    ):
        spec = getattr(hookspecs, hook)
        parts = split_sections(spec.__doc__)
        names = ", ".join(inspect.signature(spec).parameters)
        text += f"\n### {hook}\n\n`{hook}({names})`\n\n{_prose(parts[''])}\n"
        described = parse_entries(parts.get("Parameters", ""))
        text += "\n" * bool(described)
        text += "".join(f"- `{name}`: {_code(words)}\n" for name, words in described.items())
    return text


# So many components are named that make a claim.
CLAIMANTS = 3


def _attack(kind: str, claim: str) -> str:
    """Return which check attacks a claim, what it looks for, and who makes the claim."""
    checks = ELEMENTWISE if kind == "activation" else CHECKS
    told = inspect.getdoc(checks[f"claim:{claim}"].function) or ""
    looked_for = " ".join(told.removeprefix("Claim: ").split())
    text = f"Attacked by `claim:{claim}`: {looked_for}"
    names = [name for name, made in _claims(kind).items() if claim in made]
    some = ", ".join(f"`{name}`" for name in names[:CLAIMANTS])
    return f"{text} Claimed by {some}." if names else text


@functools.cache
def _claims(kind: str) -> dict[str, dict[str, object]]:
    """Return what each built-in component claims at its defaults."""
    registry = Plugins(installed=False).registry()
    made = {e.name: variants(registry.class_of(e), others=False) for e in registry.entries(kind)}
    return {name: some[0].claims().to_dict() for name, some in made.items() if some}


def accuracy() -> str:
    """Return the page of the figures that `make accuracy` has measured."""
    return page(json.loads((REFERENCE / "accuracy.json").read_text()))


def _prose(section: str) -> str:
    return _code("\n\n".join(split_paragraphs(section)))


def _code(text: str) -> str:
    """Return text with code marked as in Markdown."""
    return text.replace("``", "`")


PAGES = {
    "components.md": components,
    "commands.md": commands,
    "claims-and-hooks.md": claims_and_hooks,
    "accuracy.md": accuracy,
}


def main() -> None:
    """Write the pages."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    # All are made before one is written, so that a mistake leaves no half of them.
    for name, text in {name: make() for name, make in PAGES.items()}.items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    main()
