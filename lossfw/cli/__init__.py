"""The command line: ``lossfw COMMAND``, one module for each command."""

from lossfw.cli.main import main

__all__ = ["main"]
