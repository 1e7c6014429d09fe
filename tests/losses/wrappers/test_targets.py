"""Wrappers that change what a target means: weights, smoothing, modulation, masks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw
from lossfw import ParameterError, ShapeError
from lossfw.losses.wrappers import ClassWeighted, FocalModulated, LabelSmoothed, Masked
from support.wrapper_cases import CROSS, HOT, INDEX, LOGITS, SOFT, SQUARED, R, S, Y, Z
from support.wrapper_samples import BINARY, BRIER, HUBER


class TestClassWeighted:
    # Of the pages of a peer: its results by index and one-hot differ by 7 times.
    LOGIT_ROWS = np.array([[2.0, 0, 0], [0, 1, 0], [0, 0, 0.5]])
    WEIGHTED = ClassWeighted(of=LOGITS, weights=[1.0, 10.0, 1.0])

    def test_the_weighted_mean_by_index_and_by_row(self):
        for t in ([0, 1, 1], np.eye(3)[[0, 1, 1]]):
            assert self.WEIGHTED(self.LOGIT_ROWS, t) == pytest.approx(0.89037, abs=5e-6)
        assert self.WEIGHTED.replace(in_denominator=False)(
            self.LOGIT_ROWS, [0, 1, 1]
        ) == pytest.approx(6.23259, abs=5e-6)

    @pytest.mark.parametrize("call", ["__call__", "gradient", "hessian"])
    @pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
    def test_index_and_one_hot_agree(self, call, reduction):
        loss = ClassWeighted(of=LOGITS, weights=[0.3, 1.7, 0.0])
        got, wanted = (getattr(loss, call)(Z, t, reduction=reduction) for t in (INDEX, HOT))
        assert np.allclose(got, wanted, rtol=1e-15, atol=0)

    @given(st.floats(0, 1))
    def test_a_soft_target_is_the_mixture_of_its_classes(self, share):
        weights = (1.0, 5.0, 2.0)
        loss = ClassWeighted(of=LOGITS, weights=weights)
        z, soft = Z[:1], [[share, 1 - share, 0.0]]
        a, b = (LOGITS(z, [k]) for k in (0, 1))
        total = weights[0] * share * a + weights[1] * (1 - share) * b
        size = weights[0] * share + weights[1] * (1 - share)
        assert loss(z, soft, reduction="sum") == pytest.approx(total, rel=1e-12)
        assert loss(z, soft) == pytest.approx(total / size, rel=1e-12)
        mixture = LOGITS(
            np.repeat(z, 2, axis=0),
            [0, 1],
            sample_weight=[weights[0] * share, weights[1] * (1 - share)],
        )
        assert loss(z, soft) == pytest.approx(mixture, rel=1e-12)

    def test_a_whole_weight_is_the_row_so_many_times(self):
        loss = ClassWeighted(of=LOGITS, weights=[1.0, 3.0, 0.0])
        repeated = np.repeat(np.arange(40), np.array([1, 3, 0])[INDEX])
        assert loss(Z, INDEX) == pytest.approx(LOGITS(Z[repeated], INDEX[repeated]), rel=1e-14)
        weight = np.linspace(0, 2, 40)
        assert loss(Z, INDEX, sample_weight=weight) == pytest.approx(
            LOGITS(Z[repeated], INDEX[repeated], sample_weight=weight[repeated]), rel=1e-14
        )

    def test_a_class_of_weight_0_is_not_there(self):
        loss = ClassWeighted(of=LOGITS, weights=[1.0, 3.0, 0.0])
        z = Z.copy()
        z[INDEX == 2] = np.nan
        assert loss(z, INDEX) == loss(Z, INDEX)
        assert (loss.gradient(z, HOT)[INDEX == 2] == 0).all()

    def test_count_counts_rows(self):
        loss = ClassWeighted(of=LOGITS, weights=[1.0, 3.0, 0.5])
        total = loss(Z, INDEX, reduction="sum")
        assert loss(Z, INDEX, denominator="count") == pytest.approx(total / 40, rel=1e-15)
        assert loss.replace(in_denominator=False)(Z, INDEX) == pytest.approx(total / 40, rel=1e-15)

    def test_weights_of_one_change_nothing(self):
        loss = ClassWeighted(of=CROSS, weights=[1.0, 1.0, 1.0])
        assert loss(Y, INDEX) == CROSS(Y, INDEX)
        assert loss(Y, SOFT) == pytest.approx(CROSS(Y, SOFT), rel=1e-14)

    @pytest.mark.parametrize("t", [[7], [-1], [[0.5, 0.6, 0.5]], [[-1.0, 1.0, 1.0]], [[0.0] * 3]])
    def test_what_is_no_target_is_seen_whatever_the_weights(self, t):
        for weights in ([1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]):
            with pytest.raises(lossfw.DomainError):
                ClassWeighted(of=CROSS, weights=weights)([[0.5, 0.25, 0.25]], t)

    @pytest.mark.parametrize(("y", "t"), [([[0.5, 0.5]], [0]), ([[0.5, 0.5]], [[1.0, 0.0]])])
    def test_another_number_of_classes_is_an_error(self, y, t):
        with pytest.raises(ShapeError, match="class_weighted expects rows of 3 columns"):
            ClassWeighted(of=CROSS, weights=[1.0, 1.0, 1.0])(y, t)

    @pytest.mark.parametrize(
        ("of", "weights", "message"),
        [
            (SQUARED, [1.0], "squared_error is not a loss of classes"),
            (BRIER, [1.0], "brier does not claim linear_in_target"),
            (CROSS, [-1.0, 1.0], r"weights\.0 should be at least 0"),
            (CROSS, [0.0, 0.0], "not all 0"),
            (CROSS, [], "not all 0"),
            (Masked(of=CROSS, ignore=-1), [1.0], "put it around the class_weighted"),
        ],
    )
    def test_what_cannot_be_weighted_is_refused(self, of, weights, message):
        with pytest.raises(ParameterError, match=message):
            ClassWeighted(of=of, weights=weights)

    def test_around_and_inside_of_smoothing(self):
        w, s = np.array([1.0, 2.0, 3.0]), 0.3
        smoothed = (1 - s) * HOT + s / 3
        terms = -np.log(Y)
        plain = lossfw.loss("cross_entropy", guard="none")
        inside = LabelSmoothed(
            of=ClassWeighted(of=plain, weights=w.tolist(), in_denominator=False), smoothing=s
        )
        around = ClassWeighted(of=LabelSmoothed(of=plain, smoothing=s), weights=w.tolist())
        each = {"reduction": "none"}
        assert np.allclose(inside(Y, INDEX, **each), (smoothed * w * terms).sum(-1))
        assert np.allclose(around(Y, INDEX, **each), w[INDEX] * (smoothed * terms).sum(-1))


class TestLabelSmoothed:
    @pytest.mark.parametrize("t", [INDEX, HOT, SOFT])
    @pytest.mark.parametrize(("part", "y"), [(CROSS, Y), (LOGITS, Z)])
    def test_it_is_the_parameter_of_cross_entropy(self, part, y, t):
        smoothed = LabelSmoothed(of=part, smoothing=0.2)
        own = part.replace(label_smoothing=0.2)
        assert smoothed(y, t) == pytest.approx(own(y, t), rel=1e-15)
        assert np.allclose(smoothed.gradient(y, t), own.gradient(y, t), rtol=1e-14, atol=1e-17)

    def test_no_smoothing_changes_nothing(self):
        for t in (INDEX, HOT, SOFT):
            assert LabelSmoothed(of=CROSS, smoothing=0.0)(Y, t) == CROSS(Y, t)

    def test_what_cannot_be_smoothed_is_refused(self):
        with pytest.raises(ParameterError, match="squared_error is not a loss of classes"):
            LabelSmoothed(of=SQUARED)
        with pytest.raises(ParameterError, match="smoothing should be less than 1"):
            LabelSmoothed(of=CROSS, smoothing=1.0)


class TestFocalModulated:
    @pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
    def test_the_textbook(self, gamma):
        loss = FocalModulated(of=lossfw.loss("cross_entropy", guard="none"), gamma=gamma)
        p = Y[np.arange(40), INDEX]
        wanted = (1 - p) ** gamma * -np.log(p)
        for t in (INDEX, HOT):
            assert np.allclose(loss(Y, t, reduction="none"), wanted, rtol=1e-13)
        fused = loss.on_raw_outputs()
        assert np.allclose(fused(np.log(Y), INDEX, reduction="none"), wanted, rtol=1e-12)

    def test_it_keeps_its_digits_where_all_is_well(self):
        pytest.importorskip("flint")
        loss, z = FocalModulated(of=LOGITS, gamma=2.0), [[40.0, 0.0, -3.0]]
        truth = loss.exact(z, [0]).astype(float)
        assert loss(z, [0]) == pytest.approx(truth[0], rel=1e-14)
        assert truth[0] < 1e-50

    @pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 1.5, 2.0])
    @pytest.mark.parametrize("y", [[[1.0, 0.0]], [[0.0, 1.0]], [[0.5, 0.5]]])
    def test_no_nan_at_the_corners(self, gamma, y):
        loss = FocalModulated(of=CROSS, gamma=gamma)
        assert np.isfinite(loss(y, [0]))
        assert np.isfinite(loss.gradient(y, [0])).all()

    def test_where_the_loss_is_infinite_its_steepest_term_decides(self):
        loss = FocalModulated(of=lossfw.loss("binary_cross_entropy", guard="none"), gamma=3.0)
        y, t = [0.0, 1.0], [0.4, 0.4]
        assert loss.gradient(y, t, reduction="none").tolist() == [-np.inf, np.inf]
        assert loss.hessian(y, t, reduction="none").tolist() == [np.inf, np.inf]

    def test_infinite_logits_are_legal(self):
        loss = FocalModulated(of=LOGITS)
        assert loss([[np.inf, 0.0]], [0]) == 0.0
        assert loss([[-np.inf, 0.0]], [0]) == np.inf
        assert np.isfinite(loss.gradient([[np.inf, 0.0]], [0])).all()

    @pytest.mark.parametrize(
        ("part", "y", "t", "dtype"),
        [
            # The part's curvature is above the largest float32.
            ("focal", 1.4e-45, 1e-20, "float32"),
            # The square of the derivative of the power underflows.
            ({"name": "binary_cross_entropy", "from_logits": True}, -476.5, 1.1e-207, "float64"),
        ],
    )
    def test_a_factor_that_leaves_the_floats_does_not_end_the_product(self, part, y, t, dtype):
        pytest.importorskip("flint")
        loss = lossfw.loss("focal_modulated", of=part, gamma=0.5 if y < 0 else 2.0)
        y, t = np.array([y], dtype), np.array([t], dtype)
        truth = float(loss.exact(y, t, derivative=2)[0])
        assert 0 < abs(truth) < np.inf
        rtol = 16 * float(np.finfo(dtype).eps)
        assert loss.hessian(y, t, reduction="none") == pytest.approx(truth, rel=rtol, abs=0)

    def test_what_has_no_probabilities_is_refused(self):
        with pytest.raises(ParameterError, match="which are neither probabilities"):
            FocalModulated(of=SQUARED)
        with pytest.raises(ParameterError, match="put it around the focal_modulated"):
            FocalModulated(of=ClassWeighted(of=CROSS, weights=[1.0, 2.0]))


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

    def test_the_mask_of_the_call_counts_too(self):
        masked = Masked(of=SQUARED, ignore=-1)
        assert masked([1.0, 2.0, 3.0], [0.0, -1.0, 0.0], where=[True, True, False]) == 1.0

    def test_what_is_left_out_does_no_harm(self):
        masked = Masked(of=BINARY, ignore=-1)
        y, t = [[0.25, 7.0], [np.nan, 0.25]], [[1, -1], [-1, 1]]
        assert masked(y, t) == pytest.approx(np.log(4), rel=1e-15)
        assert masked.gradient(y, t).tolist() == [[-2.0, 0.0], [0.0, -2.0]]

    def test_an_element_in_a_summed_row_adds_nothing(self):
        masked = Masked(of=SQUARED.replace(per="row"), ignore=-1)
        y, t = [[1.0, 5.0], [5.0, 5.0], [1.0, 2.0]], [[0.0, -1.0], [-1.0, -1.0], [0.0, 0.0]]
        assert masked(y, t, reduction="none").tolist() == [1.0, 0.0, 5.0]
        assert masked(y, t) == 3.0  # two rows count

    def test_a_single_number_and_a_single_row(self):
        assert Masked(of=SQUARED, ignore=-1)(3.0, 1.0) == 4.0
        assert Masked(of=CROSS, ignore=-1)([0.5, 0.5], -1, empty="zero") == 0.0

    def test_the_truth_is_masked_too(self):
        pytest.importorskip("flint")
        masked = Masked(of=CROSS, ignore=-100)
        for order in (0, 1):
            truth = masked.exact(Y, np.where(INDEX == 1, -100, INDEX), derivative=order)
            wanted = CROSS.exact(Y, INDEX, derivative=order)
            wanted[INDEX == 1] *= 0
            assert (truth == wanted).all()

    def test_nothing_left_is_an_error(self):
        with pytest.raises(lossfw.EmptyReductionError):
            Masked(of=SQUARED, ignore=-1)([1.0], [-1.0])

    def test_what_is_not_marked_is_still_checked(self):
        with pytest.raises(lossfw.DomainError, match=r"target\[1\] = -2"):
            Masked(of=CROSS, ignore=-1)([[0.5, 0.5]] * 2, [-1, -2])
        with pytest.raises(ParameterError, match="needs the parameter 'ignore'"):
            Masked(of=CROSS)
