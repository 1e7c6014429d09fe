"""The group of commands, and the messages and exit codes of errors.

Exit codes: 0 done, 1 the run failed, 2 the user's input is wrong, 130 the user
interrupted it. A mistake of the user is explained without a traceback;
``--traceback`` shows it.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import gc
import importlib
import io
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click

from lossfw.cli.options import traceback_option, wants_traceback, write_stderr
from lossfw.errors import ConfigError, LossfwError
from lossfw.version import __version__

# More characters than the first sentence of any command has.
_WHOLE = 10_000

# The words of the command line, in the context of click.
_WORDS = "lossfw.words"

FAILED = 1

# 128 and the number of the signal, as shells count.
INTERRUPTED = 130

# Each command and where it is: a module of this package and a command in it, which
# are imported when the command is used. A run does not wait for the plots' code.
COMMANDS = {
    "run": "run:run",
    "rerun": "compare:rerun",
    "train": "run:train",
    "sensitivity": "sensitivity:sensitivity",
    "compare": "compare:compare",
    "report": "compare:report",
    "show": "show:show",
    "plot": "show:plot",
    "site": "site:site",
    "validate": "configurations:validate",
    "config": "configurations:config",
    "schema": "configurations:schema",
    "eval": "eval:evaluate",
    "accuracy": "accuracy:accuracy",
    "check": "check:check",
    "new": "new:new",
    "bridge": "show:bridge",
    "list": "list:list_components",
    "plugins": "list:list_plugins",
}


class TracebackGroup(click.Group):
    """A group that adds ``--traceback`` to itself and to each command.

    Its list of commands wraps long texts instead of cutting them.
    """

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]  # as click has them
        self.params.append(traceback_option)

    def find_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return a command without the option."""
        return super().get_command(ctx, name)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command with the option."""
        command = self.find_command(ctx, cmd_name)
        if command is not None and traceback_option not in command.params:
            command.params.append(traceback_option)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, each with its first sentence."""
        rows = []
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                rows.append((name, command.get_short_help_str(_WHOLE)))
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


class CommandTable(TracebackGroup):
    """A group that imports commands on use, and turns exceptions into messages and exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of their table."""
        return list(COMMANDS)

    def find_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import a command; None for any other name."""
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name].partition(":")
        command: click.Command = getattr(importlib.import_module(f"lossfw.cli.{module}"), attribute)
        return command

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the command line; report output that cannot be written, as on a full disk."""
        try:
            return super().main(*arguments, **options)
        except OSError as error:
            # Imported on use: the commands that need it import it themselves.
            from lossfw.runs.files import discard_stdout

            discard_stdout()
            reason = error.strerror or error
            write_stderr(f"lossfw: error: the output cannot be written: {reason}.")
            sys.exit(FAILED)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options before the command, and keep all words for messages on mistakes."""
        words = ctx.meta[_WORDS] = tuple(args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise _usage_mistake(error, words) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except LossfwError as error:
            # A mistake in a configuration begins with its own address.
            message = str(error) if isinstance(error, ConfigError) else f"lossfw: error: {error}"
            self._exit(ctx, error, message, error.exit_code)
        except KeyboardInterrupt as error:
            self._exit(ctx, error, "lossfw: interrupted", INTERRUPTED)
        except PermissionError as error:
            message = f"lossfw: error: {error.filename or 'a file'}: {error.strerror}"
            self._exit(ctx, error, message, FAILED)
        except MemoryError as error:
            self._exit(ctx, error, "lossfw: error: there is not enough memory", FAILED)
        except click.UsageError as error:
            raise _usage_mistake(error, ctx.meta[_WORDS]) from None
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # click ends quietly
            self._exit(ctx, error, _bug_message(error), FAILED)

    def _exit(self, ctx: click.Context, error: BaseException, message: str, code: int) -> None:
        if wants_traceback(ctx):
            traceback.print_exception(error, file=sys.stderr)
        write_stderr(message)
        ctx.exit(code)


def _usage_mistake(error: click.UsageError, words: Sequence[str]) -> click.UsageError:
    """Return a mistake as lossfw shows it; a command without arguments shows its help."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error
    # Imported here: only a wrong command line needs it.
    from lossfw.cli.usage import UsageMistake

    return error if isinstance(error, UsageMistake) else UsageMistake(error, words)


def _bug_message(error: Exception) -> str:
    # Imported here: only an error that nobody foresaw needs it.
    from lossfw.components.registry.blame import place_in_plugin

    text = " ".join(f"{type(error).__name__}: {error}".split())
    if place := place_in_plugin(error):
        cause = f"It comes from a plugin: {place}. --traceback shows the whole way."
    else:
        cause = "This is a bug in lossfw or in a plugin; --traceback shows where. Please report it."
    return f"lossfw: error: {text}\n{cause}"


@click.group("lossfw", cls=CommandTable, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lossfw", message="%(prog)s %(version)s")
def main() -> None:
    """Write a loss once, prove it, use it everywhere."""
    # All objects die with the process: looking for cycles among them at the end
    # took a tenth of a short run.
    atexit.register(gc.freeze)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its number, not a crash.
        with contextlib.suppress(io.UnsupportedOperation, AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # TextIO
