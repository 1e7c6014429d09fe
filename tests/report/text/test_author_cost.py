"""What a loss costs whose author wrote `value` alone."""

import pytest

from lossfw import CategoricalLoss
from lossfw.report.text.author_cost import gradient_cost_ratio
from support.author_losses import AuthorFocal, AuthorRobust, AuthorSymmetric


@pytest.mark.parametrize("cls", [AuthorRobust, AuthorFocal, AuthorSymmetric])
def test_a_gradient_takes_longer_than_the_value(cls):
    assert gradient_cost_ratio(cls()) > 0


def test_a_loss_that_raises_has_no_ratio():
    class Wrong(CategoricalLoss):
        def value(self, xp, y, t):
            raise TypeError("a slip")

    assert gradient_cost_ratio(Wrong()) is None
