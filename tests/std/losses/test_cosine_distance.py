"""The cosine distance: known angles, rows of zeros."""


import pytest

import lossfw
from lossfw import DomainError


def distance(y, t, **parameters):
    return lossfw.loss("cosine_distance", **parameters)(y, t)


class TestZeros:
    def test_a_row_of_zeros_is_an_error_that_says_what_to_do(self):
        with pytest.raises(DomainError, match=r"prediction\[1\] is a row of zeros.*zero="):
            distance([[1.0, 2.0], [0.0, 0.0]], [[1.0, 2.0], [1.0, 2.0]])
        with pytest.raises(DomainError, match=r"target\[0\]"):
            distance([[1.0, 2.0]], [[0.0, -0.0]])

    def test_a_row_of_zeros_that_does_not_count_is_none(self):
        y, t = [[1.0, 2.0], [0.0, 0.0]], [[1.0, 2.0], [1.0, 2.0]]
        loss = lossfw.loss("cosine_distance")
        assert loss(y, t, where=[True, False]) == 0
        assert loss(y, t, sample_weight=[1.0, 0.0]) == 0

    @pytest.mark.parametrize("zero", [0.0, 1.0, 2.0])
    def test_a_row_of_zeros_may_have_a_price(self, zero):
        loss = lossfw.loss("cosine_distance", zero=zero)
        y, t = [[0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [0.0, 0.0]] * 2
        assert loss(y, t, reduction="none").tolist() == [zero] * 4
        assert not loss.gradient(y, t).any()
        assert not loss.hessian(y, t).any()
        assert loss([[3.0, 4.0]], [[4.0, 3.0]]) == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("name", "value"), [("nt_xent", 4.83849628e-18), ("supervised_contrastive", 3.22566419e-18)]
)
def test_rows_that_are_nearly_an_axis_keep_small_numbers_of_their_gradients(name, value):
    # By the formula in exact numbers.
    y = [[0.0, 821025.5832673551], [2.0249440298235633, 866482.7916497597],
         [0.0, 378944.20318311476], [1.0, 613883.6690997328]]  # fmt: skip
    found = lossfw.loss(name).gradient(y, [0.0, 1.4608989580162268, 0.0, 0.0], reduction="sum")
    assert found[1, 1] == pytest.approx(value, rel=1e-8, abs=0)
