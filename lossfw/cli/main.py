"""The group of verbs, and what becomes of errors.

Exit codes: 0 done, 1 the run failed, 2 the user's input is wrong, 130 the user
interrupted it. A mistake of the user is told in words, without a traceback;
``--traceback`` shows it.
"""

from __future__ import annotations

import contextlib
import errno
import io
import sys
import traceback
from typing import Any

import click

from lossfw import __version__
from lossfw.cli.accuracy import accuracy
from lossfw.cli.check import check
from lossfw.cli.eval import evaluate
from lossfw.cli.list import list_components
from lossfw.cli.options import traceback_option, wants_traceback
from lossfw.cli.plot import plot
from lossfw.cli.plugins import list_plugins
from lossfw.cli.run import run
from lossfw.cli.sensitivity import sensitivity
from lossfw.cli.show import show
from lossfw.cli.train import train
from lossfw.errors import ConfigError, LossfwError

FAILED = 1
# 128 and the number of the signal, as shells count.
INTERRUPTED = 130


class Verbs(click.Group):
    """A group that turns exceptions into messages and exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb."""
        try:
            return super().invoke(ctx)
        except LossfwError as error:
            # A mistake in a configuration begins with its own address.
            told = str(error) if isinstance(error, ConfigError) else f"lossfw: error: {error}"
            self._end(ctx, error, told, error.exit_code)
        except KeyboardInterrupt as error:
            self._end(ctx, error, "lossfw: interrupted", INTERRUPTED)
        except MemoryError as error:
            self._end(ctx, error, "lossfw: error: there is not enough memory", FAILED)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # click ends quietly
            self._end(ctx, error, _bug(error), FAILED)

    def _end(self, ctx: click.Context, error: BaseException, told: str, code: int) -> None:
        if wants_traceback(ctx):
            traceback.print_exception(error, file=sys.stderr)
        click.echo(told, err=True)
        ctx.exit(code)


def _bug(error: Exception) -> str:
    said = " ".join(f"{type(error).__name__}: {error}".split())
    return (
        f"lossfw: error: {said}\n"
        "This is a bug in lossfw or in a plugin; --traceback shows where. Please report it."
    )


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lossfw", message="%(prog)s %(version)s")
@traceback_option
def main() -> None:
    """Write a loss once, prove it, use it everywhere."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its number, not a crash.
        with contextlib.suppress(io.UnsupportedOperation, AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # TextIO


main.add_command(run)
main.add_command(train)
main.add_command(sensitivity)
main.add_command(show)
main.add_command(plot)
main.add_command(evaluate)
main.add_command(accuracy)
main.add_command(check)
main.add_command(list_components)
main.add_command(list_plugins)
