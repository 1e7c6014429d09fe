"""Wrappers that change what a target means: weights, smoothing, modulation, masks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw
from lossfw import DomainError, ParameterError, ShapeError
from lossfw.losses.wrappers import ClassWeighted, FocalModulated, LabelSmoothed, Masked
from support.wrapper_cases import CROSS, HOT, INDEX, LOGITS, SOFT, SQUARED, R, S, Y, Z
from support.wrapper_samples import BINARY, BRIER, HUBER

EACH = {"reduction": "none"}
PLAIN = lossfw.loss("cross_entropy", guard="none")
ROW = [[0.5, 0.25, 0.25]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ClassWeighted(of=SQUARED, weights=[1.0]), "squared_error is not a loss of class"),
        (lambda: ClassWeighted(of=BRIER, weights=[1.0]), "brier does not claim linear_in_target"),
        (lambda: ClassWeighted(of=CROSS, weights=[-1.0, 1.0]), r"weights\.0 should be at least 0"),
        (lambda: ClassWeighted(of=CROSS, weights=[0.0, 0.0]), "not all 0"),
        (lambda: ClassWeighted(of=CROSS, weights=[]), "not all 0"),
        (lambda: ClassWeighted(of=Masked(of=CROSS, ignore=-1), weights=[1.0]),
         "put it around the class_weighted"),
        (lambda: LabelSmoothed(of=SQUARED), "squared_error is not a loss of classes"),
        (lambda: LabelSmoothed(of=CROSS, smoothing=1.0), "smoothing should be less than 1"),
        (lambda: FocalModulated(of=SQUARED), "which are neither probabilities"),
        (lambda: FocalModulated(of=ClassWeighted(of=CROSS, weights=[1.0, 2.0])),
         "put it around the focal_modulated"),
        (lambda: Masked(of=CROSS), "needs the parameter 'ignore'"),
    ],
)  # fmt: skip
def test_what_cannot_be_wrapped_is_refused(make, message):
    with pytest.raises(ParameterError, match=message):
        make()


class TestClassWeighted:
    def test_the_weighted_mean_by_index_and_by_row(self):
        # Of the pages of a peer: its results by index and one-hot differ by 7 times.
        rows = np.array([[2.0, 0, 0], [0, 1, 0], [0, 0, 0.5]])
        loss = ClassWeighted(of=LOGITS, weights=[1.0, 10.0, 1.0])
        for t in ([0, 1, 1], np.eye(3)[[0, 1, 1]]):
            assert loss(rows, t) == pytest.approx(0.89037, abs=5e-6)
        counted = loss.replace(in_denominator=False)
        assert counted(rows, [0, 1, 1]) == pytest.approx(6.23259, abs=5e-6)

    @pytest.mark.parametrize("call", ["__call__", "gradient", "hessian"])
    @pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
    def test_index_and_one_hot_agree(self, call, reduction):
        loss = ClassWeighted(of=LOGITS, weights=[0.3, 1.7, 0.0])
        got, wanted = (getattr(loss, call)(Z, t, reduction=reduction) for t in (INDEX, HOT))
        assert np.allclose(got, wanted, rtol=1e-15, atol=0)

    @given(st.floats(0, 1))
    def test_a_soft_target_is_the_mixture_of_its_classes(self, share):
        loss, z, soft = ClassWeighted(of=LOGITS, weights=(1.0, 5.0, 2.0)), Z[:1], [share, 1 - share]
        weights = [share, 5.0 * (1 - share)]
        mixture = {
            "prediction": np.repeat(z, 2, axis=0),
            "target": [0, 1],
            "sample_weight": weights,
        }
        for reduction in ("mean", "sum"):
            found = loss(z, [[*soft, 0.0]], reduction=reduction)
            assert found == pytest.approx(LOGITS(**mixture, reduction=reduction), rel=1e-12)

    def test_a_whole_weight_is_the_row_so_many_times_and_0_takes_it_out(self):
        loss = ClassWeighted(of=LOGITS, weights=[1.0, 3.0, 0.0])
        repeated = np.repeat(np.arange(40), np.array([1, 3, 0])[INDEX])
        z, weight = Z.copy(), np.linspace(0, 2, 40)
        z[INDEX == 2] = np.nan
        for options, same in (
            ({}, {}),
            ({"sample_weight": weight}, {"sample_weight": weight[repeated]}),
        ):
            wanted = LOGITS(Z[repeated], INDEX[repeated], **same)
            assert loss(z, INDEX, **options) == pytest.approx(wanted, rel=1e-14)
        assert (loss.gradient(z, HOT)[INDEX == 2] == 0).all()

    def test_weights_of_one_change_nothing_and_a_count_counts_rows(self):
        plain = ClassWeighted(of=CROSS, weights=[1.0, 1.0, 1.0])
        assert plain(Y, INDEX) == CROSS(Y, INDEX)
        assert plain(Y, SOFT) == pytest.approx(CROSS(Y, SOFT), rel=1e-14)
        loss = ClassWeighted(of=LOGITS, weights=[1.0, 3.0, 0.5])
        mean = loss(Z, INDEX, reduction="sum") / 40
        assert loss(Z, INDEX, denominator="count") == pytest.approx(mean, rel=1e-15)
        assert loss.replace(in_denominator=False)(Z, INDEX) == pytest.approx(mean, rel=1e-15)

    @pytest.mark.parametrize("t", [[7], [-1], [[0.5, 0.6, 0.5]], [[-1.0, 1.0, 1.0]], [[0.0] * 3]])
    def test_what_is_no_target_is_seen_whatever_the_weights(self, t):
        for weights in ([1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]):
            with pytest.raises(DomainError):
                ClassWeighted(of=CROSS, weights=weights)(ROW, t)
        for target in ([0], [[1.0, 0.0]]):
            with pytest.raises(ShapeError, match="class_weighted expects rows of 3 columns"):
                ClassWeighted(of=CROSS, weights=[1.0] * 3)([[0.5, 0.5]], target)

    def test_around_and_inside_of_smoothing(self):
        w, s = np.array([1.0, 2.0, 3.0]), 0.3
        terms = -((1 - s) * HOT + s / 3) * np.log(Y)
        weighted = ClassWeighted(of=PLAIN, weights=w.tolist(), in_denominator=False)
        inside = LabelSmoothed(of=weighted, smoothing=s)
        around = ClassWeighted(of=LabelSmoothed(of=PLAIN, smoothing=s), weights=w.tolist())
        assert np.allclose(inside(Y, INDEX, **EACH), (w * terms).sum(-1))
        assert np.allclose(around(Y, INDEX, **EACH), w[INDEX] * terms.sum(-1))


@pytest.mark.parametrize("t", [INDEX, HOT, SOFT])
@pytest.mark.parametrize(("part", "y"), [(CROSS, Y), (LOGITS, Z)])
def test_smoothing_is_the_parameter_of_cross_entropy(part, y, t):
    smoothed, own = LabelSmoothed(of=part, smoothing=0.2), part.replace(label_smoothing=0.2)
    assert smoothed(y, t) == pytest.approx(own(y, t), rel=1e-15)
    assert np.allclose(smoothed.gradient(y, t), own.gradient(y, t), rtol=1e-14, atol=1e-17)
    assert LabelSmoothed(of=part, smoothing=0.0)(y, t) == part(y, t)


class TestFocalModulated:
    @pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
    def test_the_textbook(self, gamma):
        loss, p = FocalModulated(of=PLAIN, gamma=gamma), Y[np.arange(40), INDEX]
        wanted = (1 - p) ** gamma * -np.log(p)
        for t in (INDEX, HOT):
            assert np.allclose(loss(Y, t, **EACH), wanted, rtol=1e-13)
        fused = loss.on_raw_outputs()
        assert np.allclose(fused(np.log(Y), INDEX, **EACH), wanted, rtol=1e-12)

    @pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 1.5, 2.0])
    @pytest.mark.parametrize("y", [[[1.0, 0.0]], [[0.0, 1.0]], [[0.5, 0.5]]])
    def test_no_nan_at_the_corners(self, gamma, y):
        loss = FocalModulated(of=CROSS, gamma=gamma)
        assert np.isfinite(loss(y, [0]))
        assert np.isfinite(loss.gradient(y, [0])).all()

    def test_infinite_losses_and_logits(self):
        # Where the loss is infinite its steepest term decides.
        loss = FocalModulated(of=lossfw.loss("binary_cross_entropy", guard="none"), gamma=3.0)
        y, t = [0.0, 1.0], [0.4, 0.4]
        assert loss.gradient(y, t, **EACH).tolist() == [-np.inf, np.inf]
        assert loss.hessian(y, t, **EACH).tolist() == [np.inf, np.inf]
        loss = FocalModulated(of=LOGITS)
        assert (loss([[np.inf, 0.0]], [0]), loss([[-np.inf, 0.0]], [0])) == (0.0, np.inf)
        assert np.isfinite(loss.gradient([[np.inf, 0.0]], [0])).all()

    @pytest.mark.parametrize(
        ("part", "gamma", "y", "t", "dtype", "order"),
        [
            # It keeps its digits where all is well.
            (LOGITS, 2.0, [40.0, 0.0, -3.0], 0, "float64", 0),
            # The part's curvature is above the largest float32.
            ("focal", 2.0, 1.4e-45, 1e-20, "float32", 2),
            # The square of the derivative of the power underflows.
            (BINARY.on_raw_outputs(), 0.5, -476.5, 1.1e-207, "float64", 2),
        ],
    )
    def test_a_factor_that_leaves_the_floats_does_not_end_the_product(
        self, part, gamma, y, t, dtype, order
    ):
        loss, y, t = FocalModulated(of=part, gamma=gamma), np.array([y], dtype), np.array([t])
        t = t if order == 0 else t.astype(dtype)
        truth = float(loss.exact(y, t, derivative=order)[0])
        assert 0 < abs(truth) < np.inf
        found = loss.hessian(y, t, **EACH) if order else loss(y, t, **EACH)
        assert found == pytest.approx(truth, rel=16 * float(np.finfo(dtype).eps), abs=0)


class TestMasked:
    @given(st.lists(st.booleans(), min_size=40, max_size=40).filter(any))
    def test_it_is_where(self, counts):
        counts = np.array(counts)
        for loss, y, t, marked in (
            (LOGITS, Z, INDEX, np.where(counts, INDEX, -100)),
            (CROSS, Y, SOFT, np.where(counts[:, None], SOFT, -100.0)),
            (HUBER, R[:, 0], S[:, 0], np.where(counts, S[:, 0], -100.0)),
        ):
            masked = Masked(of=loss, ignore=-100)
            assert masked(y, marked) == loss(y, t, where=counts)
            for denominator in ("weights", "count"):
                options = {"sample_weight": np.linspace(1, 2, 40), "denominator": denominator}
                assert masked(y, marked, **options) == loss(y, t, where=counts, **options)
            wanted = loss.gradient(y, t, where=counts)
            # Class indices and their rows take different roads to the gradient.
            assert np.allclose(masked.gradient(y, marked), wanted, rtol=1e-12, atol=0)
            assert masked.partial(y, marked).masked == 40 - counts.sum()

    def test_what_is_left_out_does_no_harm(self):
        masked = Masked(of=BINARY, ignore=-1)
        y, t = [[0.25, 7.0], [np.nan, 0.25]], [[1, -1], [-1, 1]]
        assert masked(y, t) == pytest.approx(np.log(4), rel=1e-15)
        assert masked.gradient(y, t).tolist() == [[-2.0, 0.0], [0.0, -2.0]]
        with pytest.raises(DomainError, match=r"target\[1\] = -2"):
            Masked(of=CROSS, ignore=-1)([[0.5, 0.5]] * 2, [-1, -2])

    def test_single_elements_rows_and_nothing(self):
        masked = Masked(of=SQUARED, ignore=-1)
        # The mask of the call counts, too.
        assert masked([1.0, 2.0, 3.0], [0.0, -1.0, 0.0], where=[True, True, False]) == 1.0
        assert masked(3.0, 1.0) == 4.0
        assert Masked(of=CROSS, ignore=-1)([0.5, 0.5], -1, empty="zero") == 0.0
        with pytest.raises(lossfw.EmptyReductionError):
            masked([1.0], [-1.0])
        # An element in a summed row adds nothing, and two rows count.
        by_row = Masked(of=SQUARED.replace(per="row"), ignore=-1)
        y, t = [[1.0, 5.0], [5.0, 5.0], [1.0, 2.0]], [[0.0, -1.0], [-1.0, -1.0], [0.0, 0.0]]
        assert by_row(y, t, **EACH).tolist() == [1.0, 0.0, 5.0]
        assert by_row(y, t) == 3.0

    def test_the_truth_is_masked_too(self):
        masked = Masked(of=CROSS, ignore=-100)
        for order in (0, 1):
            truth = masked.exact(Y, np.where(INDEX == 1, -100, INDEX), derivative=order)
            wanted = CROSS.exact(Y, INDEX, derivative=order)
            wanted[INDEX == 1] *= 0
            assert (truth == wanted).all()
