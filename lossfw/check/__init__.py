"""The harness: a loss that claims something is held to it."""

from lossfw.check.component import check
from lossfw.check.function import check_function
from lossfw.check.report import Refutation, Report
from lossfw.check.testing import parametrize_with_checks

__all__ = ["Refutation", "Report", "check", "check_function", "parametrize_with_checks"]
