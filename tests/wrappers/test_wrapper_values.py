"""What wrappers compute: from their parts, in every form of a call."""

import itertools
import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wrapper_samples import Binary, Hinge, Logistic, Rounded, Squares

import lossfw
from lossfw import ParameterError, ShapeError, foreign
from lossfw.wrappers import ClassWeighted, FocalModulated, LabelSmoothed, Masked, Scaled, Sum

SQUARED = lossfw.loss("squared_error")
CROSS = lossfw.loss("cross_entropy")
LOGITS = lossfw.loss("cross_entropy", from_logits=True)

RNG = np.random.default_rng(7)
Y = RNG.dirichlet(np.ones(3), size=40)
Z = RNG.normal(size=(40, 3))
SOFT = RNG.dirichlet(np.ones(3), size=40)
INDEX = RNG.integers(3, size=40)
HOT = np.eye(3)[INDEX]
R, S = RNG.normal(size=(40, 3)), RNG.normal(size=(40, 3))

# One of each wrapper, and some in each other: (loss, prediction, target).
CASES = {
    "scaled": (-2.5 * Rounded(), R, S),
    "scaled to nothing": (0 * Rounded(), R, S),
    "sum of elements": (SQUARED + 0.3 * Rounded(), R, S),
    "sum by row": (SQUARED.replace(per="row") + Rounded(), R, S),
    "sum of margins": (Logistic() + 0.5 * SQUARED, R, np.sign(S)),
    "sum of rows": (CROSS - 0.5 * Squares(), Y, SOFT),
    "sum of rows and elements": (0.5 * SQUARED + CROSS + Binary(), Y, SOFT),
    "sum on logits": (LOGITS + 0.1 * SQUARED, Z, SOFT),
    "weighted": (ClassWeighted(of=CROSS, weights=[1.0, 0.5, 3.0]), Y, SOFT),
    "weighted logits": (ClassWeighted(of=LOGITS, weights=[1.0, 0.0, 3.0]), Z, SOFT),
    "weights as factors": (
        ClassWeighted(of=LOGITS, weights=[1.0, 0.5, 3.0], in_denominator=False),
        Z,
        SOFT,
    ),
    "smoothed": (LabelSmoothed(of=CROSS, smoothing=0.2), Y, SOFT),
    "smoothed scores": (LabelSmoothed(of=Squares(), smoothing=0.2), Y, SOFT),
    "focal": (FocalModulated(of=CROSS, gamma=1.5), Y, SOFT),
    "focal on logits": (FocalModulated(of=LOGITS), Z, SOFT),
    "focal of elements": (FocalModulated(of=Binary(), gamma=3.0), Y, SOFT),
    "focal of element's logits": (FocalModulated(of=Binary(from_logits=True)), Z, SOFT),
    "masked": (Masked(of=Rounded(), ignore=-1.0), R, np.where(S < 0, -1.0, S)),
    "masked by row": (
        Masked(of=SQUARED.replace(per="row"), ignore=-1.0),
        R,
        np.where((S < 0) | (S[:, :1] < -1), -1.0, S),
    ),
    "masked rows": (Masked(of=CROSS, ignore=-1.0), Y, np.where(S[:, :1] < 0, -1.0, SOFT)),
    "all at once": (
        2
        * Masked(
            of=ClassWeighted(
                of=LabelSmoothed(of=CROSS + 0.5 * Binary(), smoothing=0.1), weights=[1.0, 2.0, 3.0]
            ),
            ignore=-1.0,
        ),
        Y,
        np.where(S[:, :1] < 0, -1.0, SOFT),
    ),
}
cases = pytest.mark.parametrize(("loss", "y", "t"), CASES.values(), ids=CASES.keys())


@cases
def test_gradient_and_hessian_are_differences_of_the_value(loss, y, t):
    step = 1e-6
    size = 1 if not loss.takes_rows else y.shape[-1]
    for k in range(y.shape[-1]):
        moved = np.zeros(y.shape[-1])
        moved[k] = step
        with np.errstate(all="ignore"):
            # The lifted functions check no domain, so a step off the simplex is legal.
            up, down = loss.values(np, y + moved, t), loss.values(np, y - moved, t)
            if size == 1:
                up, down = up[..., k], down[..., k]
            slope = (loss.gradients(np, y + moved, t) - loss.gradients(np, y - moved, t))[..., k]
            first, second = loss.gradients(np, y, t)[..., k], loss.hessians(np, y, t)[..., k]
        assert np.allclose((up - down) / (2 * step), first, rtol=1e-6, atol=1e-6)
        assert np.allclose(slope / (2 * step), second, rtol=1e-5, atol=1e-5)


@cases
def test_value_and_gradient_are_those_of_separate_calls(loss, y, t):
    value, gradient = loss.value_and_gradient(y, t)
    assert value == pytest.approx(loss(y, t), rel=1e-14)
    assert np.allclose(gradient, loss.gradient(y, t), rtol=1e-13, atol=1e-16)


@cases
def test_formula_and_value_agree_on_exact_numbers(loss, y, t):
    pytest.importorskip("mpmath")
    exact = loss.exact(y[:6], t[:6]).astype(float)
    assert np.allclose(loss(y[:6], t[:6], reduction="none"), exact, rtol=1e-13, atol=1e-16)


@cases
@pytest.mark.parametrize("denominator", ["weights", "count"])
def test_arrays_of_other_libraries_take_another_road_to_the_same_place(loss, y, t, denominator):
    for reduction in ("mean", "sum", "none"):
        weight, where = np.linspace(0, 2, len(y)), np.arange(len(y)) % 3 > 0
        arguments = (y, t, weight, where, reduction, denominator, "raise")
        options = {"reduction": reduction, "denominator": denominator}
        wanted = loss(y, t, sample_weight=weight, where=where, **options)
        assert np.allclose(foreign.value(loss, *arguments), wanted, rtol=1e-13)
        slope = loss.gradient(y, t, sample_weight=weight, where=where, **options)
        assert np.allclose(foreign.derivative(loss, *arguments), slope, rtol=1e-12, atol=1e-16)


@cases
@given(cuts=st.sets(st.integers(0, 40), max_size=3))
def test_partials_merge_to_the_same_bits(loss, y, t, cuts):
    edges = sorted({0, 40, *cuts})
    whole = loss.partial(y, t)
    parts = [loss.partial(y[a:b], t[a:b], start=a) for a, b in itertools.pairwise(edges)]
    merged = parts[0]
    for part in parts[1:]:
        merged = part.merge(merged)
    assert merged.sums() == whole.sums()
    assert merged.mean() == loss(y, t)


@cases
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_smaller_dtypes_stay(loss, y, t, dtype):
    small, target = y.astype(dtype), t.astype(dtype)
    assert loss(small, target, reduction="none").dtype == dtype
    assert loss.gradient(small, target).dtype == dtype
    assert loss(small, target) == pytest.approx(loss(y, t), rel=0.02, abs=0.02)


@cases
def test_a_nan_in_a_prediction_reaches_the_result(loss, y, t):
    y = y.copy()
    y[3, 1] = np.nan
    keep = loss(y, t, reduction="none")
    if "ignore" in json.dumps(loss.to_config()):
        y[3], t = y[4], np.where(np.arange(len(t))[:, None] == 3, SOFT, t)
        y[3, 1] = np.nan
        keep = loss(y, t, reduction="none")
    assert np.isnan(keep[3]).any()
    assert np.isnan(loss.gradient(y, t, reduction="none")[3]).any()


@cases
def test_a_wrapper_is_a_value(loss, y, t):
    again = pickle.loads(pickle.dumps(loss))
    assert again == loss
    assert hash(again) == hash(loss)
    assert again(y, t) == loss(y, t)
    assert repr(again) == repr(loss)


REGISTERED = {
    name: case
    for name, case in CASES.items()
    if name in ("sum by row", "weighted", "weights as factors", "smoothed", "masked rows")
}
REGISTERED["focal"] = (FocalModulated(of=CROSS, gamma=1.5), Y, SOFT)
REGISTERED["sum"] = (0.5 * SQUARED - CROSS, Y, SOFT)
REGISTERED["sum by row"] = (SQUARED.replace(per="row") + 2 * SQUARED, R, S)
REGISTERED["deep"] = (
    3 * Masked(of=ClassWeighted(of=2 * LabelSmoothed(of=CROSS), weights=[1.0, 2.0, 0.0]), ignore=9),
    Y,
    SOFT,
)


@pytest.mark.parametrize(("loss", "y", "t"), REGISTERED.values(), ids=REGISTERED.keys())
def test_the_configuration_of_a_wrapper_builds_it_again(loss, y, t):
    config = loss.to_config()
    for again in (
        lossfw.loss(config),
        lossfw.loss(json.loads(json.dumps(config))),
        type(loss).model_validate_json(loss.model_dump_json()),
        type(loss).model_validate(loss.model_dump()),
    ):
        assert again == loss
        assert again(y, t) == loss(y, t)


class TestScaledAndSum:
    @pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
    @pytest.mark.parametrize("scale", [2.0, -0.25, 0.0])
    @pytest.mark.parametrize("name", ["sum of elements", "weighted", "masked by row", "focal"])
    def test_twice_a_loss_is_twice_its_value(self, reduction, scale, name):
        loss, y, t = CASES[name]
        doubled = scale * loss
        for call in ("__call__", "gradient", "hessian"):
            wanted = scale * getattr(loss, call)(y, t, reduction=reduction)
            got = getattr(doubled, call)(y, t, reduction=reduction)
            assert np.allclose(got, wanted, rtol=1e-13, atol=1e-16)

    @pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
    def test_the_loss_of_a_sum_is_the_sum_of_losses(self, reduction):
        weight, where = np.linspace(0, 2, 40), np.arange(40) % 3 > 0
        options = {"sample_weight": weight, "where": where, "reduction": reduction}
        parts = (CROSS, Squares(), SQUARED.replace(per="row"))
        total = sum((2 * parts[0], parts[1], -1 * parts[2]))
        for call in ("__call__", "gradient", "hessian"):
            a, b, c = (getattr(part, call)(Y, SOFT, **options) for part in parts)
            got = getattr(total, call)(Y, SOFT, **options)
            assert np.allclose(got, 2 * a + b - c, rtol=1e-12, atol=1e-14)

    def test_elements_are_summed_beside_rows(self):
        loss = CROSS + SQUARED
        wanted = CROSS(Y, SOFT, reduction="none") + ((Y - SOFT) ** 2).sum(-1)
        assert np.allclose(loss(Y, SOFT, reduction="none"), wanted, rtol=1e-14)

    @pytest.mark.parametrize("call", ["__call__", "gradient", "hessian"])
    def test_an_index_is_its_one_hot_row_for_every_part(self, call):
        loss = CROSS + 0.5 * SQUARED + Binary()
        got, wanted = (getattr(loss, call)(Y, t, reduction="none") for t in (INDEX, HOT))
        assert np.allclose(got, wanted, rtol=1e-14)

    def test_nothing_of_an_infinite_loss_is_nothing(self):
        nothing = 0 * lossfw.loss("cross_entropy", guard="none")
        assert nothing([[0.0, 1.0]], [0]) == 0.0
        assert nothing.gradient([[0.0, 1.0]], [0]).tolist() == [[0.0, 0.0]]
        assert np.isnan(nothing([[np.nan, 1.0]], [0]))

    def test_no_negative_zero(self):
        assert str((-1 * SQUARED)([1.0, 2.0], [1.0, 2.0], reduction="none")) == "[0. 0.]"
        assert str((-1 * SQUARED)([1.0], [1.0])) == "0.0"

    def test_operators(self):
        assert 2 * SQUARED == SQUARED * 2 == Scaled(of=SQUARED, scale=2.0)
        assert np.float32(2) * SQUARED == np.int64(2) * SQUARED == 2 * SQUARED
        assert SQUARED / 4 == 0.25 * SQUARED
        assert 2 * (3 * SQUARED) == -(-6 * SQUARED) == 6 * SQUARED
        assert SQUARED + (Rounded() + Hinge()) == Sum(of=(SQUARED, Rounded(), Hinge()))
        assert SQUARED - Rounded() == Sum(of=(SQUARED, -Rounded()))
        assert sum([SQUARED]) is SQUARED

    @pytest.mark.parametrize(
        "wrong",
        [
            lambda: SQUARED * "2",
            lambda: SQUARED * True,
            lambda: SQUARED * SQUARED,
            lambda: SQUARED + 1,
            lambda: 1 + SQUARED,
            lambda: SQUARED - 1,
            lambda: 1 / SQUARED,
            lambda: np.ones(3) * SQUARED,
        ],
    )
    def test_what_is_no_operation_is_refused(self, wrong):
        with pytest.raises(TypeError):
            wrong()

    def test_a_division_by_zero_is_refused(self):
        with pytest.raises(ParameterError, match="cannot be divided by 0"):
            SQUARED / 0

    @pytest.mark.parametrize(
        ("parts", "message"),
        [
            ([], "of should be a list that is not empty"),
            ([SQUARED, 3], r"of\.1 should be a loss, its name, or a mapping"),
            ([CROSS, Hinge()], r"targets of cross_entropy lie in CLASS_INDEX.*hinge in SIGN"),
            ([LOGITS, CROSS], "cross_entropy is set to take logits"),
            ([LOGITS, Squares()], "squares takes predictions in SIMPLEX"),
            ([Masked(of=SQUARED, ignore=0)], "masked cannot stand inside of sum"),
            ([ClassWeighted(of=CROSS, weights=[1.0])], "in_denominator=False"),
            (["squared_eror"], "Did you mean 'squared_error'"),
            ([{"name": "squared_error", "factr": 1}], "no parameter 'factr'"),
            ([{"name": "squared_error", "scale": "x"}], "scale should be a valid number"),
            ([{"factor": 1}], "needs 'name'"),
        ],
    )
    def test_parts_that_do_not_fit_are_named(self, parts, message):
        with pytest.raises((ParameterError, lossfw.UnknownNameError), match=message):
            Sum(of=parts)

    def test_it_is_as_linked_as_its_parts(self):
        assert (2 * CROSS).link_activation() == "softmax"
        assert (2 * CROSS).fused() == 2 * LOGITS
        assert (CROSS + 3 * CROSS).fused() == LOGITS + 3 * LOGITS
        assert (CROSS + Binary()).link_activation() is None
        assert (CROSS + SQUARED).fused() is None
        assert (LOGITS + SQUARED).input_form == "logits"
        assert SQUARED.fused() is (SQUARED + SQUARED).fused() is None


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
        with pytest.raises(ShapeError, match="3 weights, and the prediction has 2 classes"):
            ClassWeighted(of=CROSS, weights=[1.0, 1.0, 1.0])(y, t)

    @pytest.mark.parametrize(
        ("of", "weights", "message"),
        [
            (SQUARED, [1.0], "squared_error is no loss of classes"),
            (Squares(), [1.0], "squares does not claim linear_in_target"),
            (CROSS, [-1.0, 1.0], r"weights\.0 should be greater than or equal to 0"),
            (CROSS, [0.0, 0.0], "one of them above 0"),
            (CROSS, [], "one of them above 0"),
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
        with pytest.raises(ParameterError, match="squared_error is no loss of classes"):
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
        fused = loss.fused()
        assert np.allclose(fused(np.log(Y), INDEX, reduction="none"), wanted, rtol=1e-12)

    def test_it_keeps_its_digits_where_all_is_well(self):
        pytest.importorskip("mpmath")
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

    def test_infinite_logits_are_legal(self):
        loss = FocalModulated(of=LOGITS)
        assert loss([[np.inf, 0.0]], [0]) == 0.0
        assert loss([[-np.inf, 0.0]], [0]) == np.inf
        assert np.isfinite(loss.gradient([[np.inf, 0.0]], [0])).all()

    def test_what_has_no_probabilities_is_refused(self):
        with pytest.raises(ParameterError, match="which are no probabilities"):
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
            (Rounded(), R[:, 0], S[:, 0], np.where(counts, S[:, 0], -100.0)),
        ):
            masked = Masked(of=loss, ignore=-100)
            assert masked(y, marked) == loss(y, t, where=counts)
            for denominator in ("weights", "count"):
                options = {"sample_weight": np.linspace(1, 2, 40), "denominator": denominator}
                assert masked(y, marked, **options) == loss(y, t, where=counts, **options)
            wanted = loss.gradient(y, t, where=counts)
            assert np.array_equal(masked.gradient(y, marked), wanted)
            assert masked.partial(y, marked).masked == 40 - counts.sum()

    def test_the_mask_of_the_call_counts_too(self):
        masked = Masked(of=SQUARED, ignore=-1)
        assert masked([1.0, 2.0, 3.0], [0.0, -1.0, 0.0], where=[True, True, False]) == 1.0

    def test_what_is_left_out_does_no_harm(self):
        masked = Masked(of=Binary(), ignore=-1)
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

    def test_nothing_left_is_an_error(self):
        with pytest.raises(lossfw.EmptyReductionError):
            Masked(of=SQUARED, ignore=-1)([1.0], [-1.0])

    def test_what_is_not_marked_is_still_checked(self):
        with pytest.raises(lossfw.DomainError, match=r"target\[1\] = -2"):
            Masked(of=CROSS, ignore=-1)([[0.5, 0.5]] * 2, [-1, -2])
        with pytest.raises(ParameterError, match="needs the parameter 'ignore'"):
            Masked(of=CROSS)
