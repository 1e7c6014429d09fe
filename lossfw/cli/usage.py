"""Mistakes in a command line, shown like every other error with place, caret and hint."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

import click

from lossfw.cli.options import write_stderr
from lossfw.components.naming import did_you_mean
from lossfw.errors import Problem


class UsageMistake(click.UsageError):
    """A mistake in a command line, with the given words.

    Click prints the usage, an empty line and "Error: ..."; this prints what lossfw
    prints for a mistake in a file.
    """

    def __init__(self, error: click.UsageError, arguments: Sequence[str]) -> None:
        super().__init__(error.format_message(), error.ctx)
        what, word = _message_and_word(error)
        line, column = _locate_word(arguments, word)
        hints = [_suggestion(error), _override_hint(error.message), _help_lines(error.ctx)]
        self.problem = Problem("lossfw", what, line, column, next(hint for hint in hints if hint))

    def show(self, file: object = None) -> None:
        """Write the mistake to standard error."""
        write_stderr(str(self.problem))


def _message_and_word(error: click.UsageError) -> tuple[str, str | None]:
    """Return what is wrong, and the word that is; "" for the end, None for the whole line."""
    if isinstance(error, click.NoSuchOption):
        return f"there is no option {error.option_name}.", error.option_name
    if command := _command_of(error):
        return f"there is no command {command!r}.", command
    if isinstance(error, click.MissingParameter) and error.param is not None:
        return f"{_name_of(error.param)} is missing.", ""
    if isinstance(error, click.BadParameter) and error.param is not None:
        given = _refused_value(error)
        named = next(iter(error.param.opts))
        return f"{_name_of(error.param)}: {error.message}", named if given is None else given
    if isinstance(error, click.BadOptionUsage):
        if "requires" in error.message:
            return f"{error.option_name} needs a value.", ""
        return error.message, error.option_name
    if extra := _extra_arguments(error.message):
        return f"unexpected argument: {extra}.", extra.split(" ")[0]
    option = re.match(r"-[\w-]+", error.message)
    return error.message, option[0] if option else None


def _name_of(param: click.Parameter) -> str:
    """Return the name of an option, or the word that the usage has for an argument."""
    if isinstance(param, click.Option):
        return max(param.opts, key=len)
    # The letters of a metavar such as [NAME]... or CONFIG...
    return (param.metavar or str(param.name).upper()).strip("[].")


def _locate_word(arguments: Sequence[str], word: str | None) -> tuple[str, int]:
    """Return the command line, and the column of a word in it: the end for "", 0 for None."""
    line = "lossfw"
    column = 0
    for given in arguments:
        quoted = shlex.quote(given)
        if word and not column and (given == word or given.startswith(f"{word}=")):
            column = len(line) + 2
        elif word and not column and given.startswith("--") and given.endswith(f"={word}"):
            column = len(line) + 2 + quoted.rindex(word)
        line = f"{line} {quoted}"
    return line, len(line) + 2 if word == "" else column


def _suggestion(error: click.UsageError) -> str:
    """Return what was probably meant; "" if nothing is near."""
    if isinstance(error, click.NoSuchOption) and error.possibilities:
        return f"did you mean {' or '.join(error.possibilities)}?"
    if error.ctx is not None and isinstance(group := error.ctx.command, click.Group):
        return _lower_first(did_you_mean(_command_of(error), group.list_commands(error.ctx)))
    if isinstance(error, click.BadParameter) and error.param is not None:
        given = _refused_value(error)
        if given is not None and isinstance(error.param.type, click.Choice):
            return _lower_first(did_you_mean(given, [str(c) for c in error.param.type.choices]))
    return ""


def _refused_value(error: click.UsageError) -> str | None:
    """Return the value that click refuses; None where its message names none."""
    given = re.match(r"'(.*?)' is not", error.message)
    return given[1] if given else None


def _extra_arguments(message: str) -> str:
    """Return the arguments that are too many; "" for other mistakes."""
    extra = re.search(r"unexpected extra arguments? \((.*)\)", message)
    return extra[1] if extra else ""


def _command_of(error: click.UsageError) -> str:
    """Return the name of a command that does not exist; "" for other mistakes."""
    unknown = re.match(r"No such command '(.*?)'", error.message)
    return unknown[1] if unknown else ""


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _help_lines(ctx: click.Context | None) -> str:
    """Return what the command takes, and how to see more of it."""
    if ctx is None:
        return "`lossfw --help` lists the commands"
    usage = ctx.get_usage().partition(": ")[2]
    return f"the usage is {' '.join(usage.split())}; see {ctx.command_path} --help"


def _override_hint(message: str) -> str:
    """Return a hint where an argument too many is written like an override."""
    # Imported here: only a wrong command line needs it.
    from lossfw.config.text.reading import looks_like_override

    given = [word for word in _extra_arguments(message).split() if looks_like_override(word)]
    return f"to change the configuration, write -o {' -o '.join(given)}" if given else ""
