"""Write the pages of docs/reference that follow from docstrings and from the command line.

    python scripts/make_reference.py docs/reference

A test compares the pages with what is generated now.
"""

import inspect
import sys
from pathlib import Path

from click.testing import CliRunner

from lossfw.cli import main as lossfw
from lossfw.cli.main import VERBS
from lossfw.components import hookspecs
from lossfw.components.claims import ActivationClaims, Claims
from lossfw.components.docstrings import entries, paragraphs, sections

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
    """Show the help of every verb."""
    helps = "".join(f"\n## {verb}\n\n```text\n{printed(verb, '--help')}```\n" for verb in VERBS)
    return (
        "# Commands\n\nThe help of each verb of `lossfw`. `make reference` writes this page.\n"
        f"\n```text\n{printed('--help')}```\n{helps}"
    )


def claims_and_hooks() -> str:
    """Describe every claim and every hook by its docstring."""
    text = "# Claims and hooks\n\n`make reference` writes this page from the docstrings.\n"
    for title, cls in (("losses", Claims), ("activations", ActivationClaims)):
        parts = sections(cls.__doc__)
        text += f"\n## Claims of {title}\n\n{_prose(parts[''])}\n"
        for name, described in entries(parts["Attributes"]).items():
            text += f"\n### {name}\n\n{_code(described)}\n"
    text += "\n## Hooks\n"
    for hook in (*hookspecs.HOOKS.values(), *hookspecs.LIFE_CYCLE):
        spec = getattr(hookspecs, hook)
        parts = sections(spec.__doc__)
        names = ", ".join(inspect.signature(spec).parameters)
        text += f"\n### {hook}\n\n`{hook}({names})`\n\n{_prose(parts[''])}\n"
        described = entries(parts.get("Parameters", ""))
        text += "\n" * bool(described)
        text += "".join(f"- `{name}`: {_code(words)}\n" for name, words in described.items())
    return text


def _prose(section: str) -> str:
    return _code("\n\n".join(paragraphs(section)))


def _code(text: str) -> str:
    """Return text with code marked as in Markdown."""
    return text.replace("``", "`")


PAGES = {
    "components.md": components,
    "commands.md": commands,
    "claims-and-hooks.md": claims_and_hooks,
}


def main() -> None:
    """Write the pages."""
    folder = Path(sys.argv[1])
    for name, make in PAGES.items():
        (folder / name).write_text(make())


if __name__ == "__main__":
    main()
