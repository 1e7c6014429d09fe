"""What a loss costs whose author wrote `value` alone."""

import pytest

import lossfw
from lossfw import CategoricalLoss
from lossfw.report.text.author_cost import cost_line, gradient_to_value
from support import author_losses
from support.author_losses import AuthorFocal, AuthorRobust, FocalByHand


@pytest.mark.parametrize("cls", [AuthorRobust, AuthorFocal, author_losses.AuthorSymmetric])
def test_the_line_of_a_loss_without_a_derivative(cls):
    assert "the gradient takes" in cost_line(cls())
    assert "compiled: value, gradient" in cost_line(cls())


def test_a_derivative_by_hand_needs_no_line():
    assert cost_line(FocalByHand()) is None
    assert cost_line(lossfw.loss("huber")) is None


def test_the_line_says_why_there_is_no_kernel():
    class Sorted(CategoricalLoss):
        def value(self, xp, y, t):
            return xp.sum(xp.sort(y, axis=-1) * t, axis=-1)

    assert "tiles: value, since the body uses xp.sort" in cost_line(Sorted())


def test_a_loss_that_raises_has_no_line():
    class Wrong(CategoricalLoss):
        def value(self, xp, y, t):
            raise TypeError("a slip")

    assert gradient_to_value(Wrong()) is None
    assert cost_line(Wrong()) is None
