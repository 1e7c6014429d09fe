"""The harness: try to refute the claims of a component, and the laws that hold for all."""

from lossfw.check.component import check
from lossfw.check.function import check_function
from lossfw.check.report import Refutation, Report
from lossfw.check.testing import parametrize_with_checks

__all__ = ["Refutation", "Report", "check", "check_function", "parametrize_with_checks"]
