"""The command line: ``lossfw VERB``, one module for each verb."""

from lossfw.cli.main import main

__all__ = ["main"]
