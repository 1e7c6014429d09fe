"""The contract of a call: shapes, dtypes, weights, masks, NaN, domains, reductions."""

import math
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import lossfw
from lossfw import (
    REAL,
    ArgumentError,
    CategoricalLoss,
    DistanceLoss,
    DomainError,
    DtypeError,
    EmptyReductionError,
    ParameterError,
    ShapeError,
)

SQUARED = lossfw.loss("squared_error")
CROSS = lossfw.loss("cross_entropy")
LOGITS = lossfw.loss("cross_entropy", from_logits=True)

# The ten numbers of the chapter: softmax outputs for a picture of a 2.
CHAPTER_Y = [0.1, 0.05, 0.6, 0.0, 0.05, 0.1, 0.0, 0.1, 0.0, 0.0]
CHAPTER_T = [0, 0, 1, 0, 0, 0, 0, 0, 0, 0]

finite = st.floats(-1e3, 1e3)
vectors = hnp.arrays(np.float64, st.integers(1, 20), elements=finite)


class TestTheChapter:
    def test_mean_squared_error(self):
        loss = lossfw.loss("squared_error", factor=0.5, per="row")
        assert loss(CHAPTER_Y, CHAPTER_T) == 0.09750000000000003
        assert loss([CHAPTER_Y] * 3, [CHAPTER_T] * 3) == 0.09750000000000003

    def test_cross_entropy(self):
        loss = lossfw.loss("cross_entropy", guard="additive", delta=1e-7)
        # The chapter prints 0.510825457099338; its last digit is log's own.
        assert loss(CHAPTER_Y, CHAPTER_T) == pytest.approx(0.510825457099338, rel=1e-15)
        assert loss(CHAPTER_Y, 2) == loss(CHAPTER_Y, CHAPTER_T)
        assert loss([CHAPTER_Y], [2]) == loss(CHAPTER_Y, CHAPTER_T)

    def test_the_squared_error_has_gradient_and_curvature(self):
        loss = lossfw.loss("squared_error", factor=0.5, per="row")
        expected = np.subtract(CHAPTER_Y, CHAPTER_T)
        assert np.array_equal(loss.gradient(CHAPTER_Y, CHAPTER_T), expected)
        assert np.array_equal(loss.hessian(CHAPTER_Y, CHAPTER_T), np.ones(10))


class TestShapes:
    @pytest.mark.parametrize("shape", [(), (1,), (3,), (0,), (2, 3), (0, 4), (2, 1, 3)])
    def test_an_unreduced_loss_has_the_shape_of_the_prediction(self, shape):
        y = np.ones(shape)
        assert SQUARED(y, y, reduction="none").shape == shape
        assert SQUARED.gradient(y, y, reduction="none").shape == shape

    @pytest.mark.parametrize("shape", [(3,), (1, 3), (0, 3), (4, 3), (2, 5, 3)])
    def test_a_loss_of_rows_has_one_axis_less(self, shape):
        z = np.zeros(shape)
        index = np.zeros(shape[:-1], int)
        assert LOGITS(z, index, reduction="none").shape == shape[:-1]
        assert LOGITS.gradient(z, index, reduction="none").shape == shape

    def test_strided_reversed_readonly_and_fortran_arrays(self):
        y = np.arange(24.0).reshape(4, 6)
        t = np.cos(y)
        y.flags.writeable = False
        expected = SQUARED(y, t, reduction="none")
        for view in (np.s_[::2], np.s_[::-1], np.s_[:, ::3]):
            assert np.array_equal(SQUARED(y[view], t[view], reduction="none"), expected[view])
        fortran = np.asfortranarray(y)
        assert np.array_equal(SQUARED(fortran, t, reduction="none"), expected)
        assert np.array_equal(LOGITS(fortran, t * 0 + 1 / 6), LOGITS(y, t * 0 + 1 / 6))


class TestDtypes:
    @pytest.mark.parametrize("name", ["float16", "float32", "float64"])
    def test_floats_stay_what_they_are(self, name):
        y = np.array([0.5, 2.0], name)
        for target in (np.zeros(2), np.zeros(2, np.float32), np.zeros(2, int)):
            assert SQUARED(y, target, reduction="none").dtype == name
            assert SQUARED.gradient(y, target).dtype == name
            assert SQUARED.hessian(y, target).dtype == name

    @pytest.mark.parametrize("y", [[1, 2], (1, 2), np.array([1, 2], "u1"), np.array([True, False])])
    def test_integers_and_lists_become_float64(self, y):
        result = SQUARED(y, np.array([3, 3], "u1"), reduction="none")
        assert result.dtype == np.float64
        assert np.array_equal(result, (np.asarray(y, float) - 3) ** 2)

    def test_half_precision_is_computed_in_float32(self):
        y = np.array([300, 0, 0, 0], np.float16)
        assert SQUARED(y, np.zeros(4)) == 22500.0  # 300^2 does not fit float16

    def test_bigendian_gives_native_results(self):
        y = np.array([1.0, 2.0], ">f8")
        assert SQUARED(y, [0.0, 0.0], reduction="none").dtype.isnative

    def test_sums_are_accumulated_in_float64(self):
        y = np.full(10_000_000, np.sqrt(np.float32(0.1)), np.float32)
        each = float(np.float32(y[0]) * np.float32(y[0]))
        assert SQUARED(y, np.zeros_like(y)) == pytest.approx(each, rel=1e-14)

    def test_inputs_are_not_written_to(self):
        y, t = np.array([1.0, np.nan]), np.array([3.0, 1.0])
        before = y.copy(), t.copy()
        SQUARED(y, t, where=[True, False], sample_weight=[0.0, 2.0], empty="zero")
        SQUARED.gradient(y, t)
        assert np.array_equal(y, before[0], equal_nan=True)
        assert np.array_equal(t, before[1])


class TestWeightsAndMasks:
    @given(vectors, st.data())
    def test_weight_two_is_the_row_twice_and_weight_zero_is_removal(self, y, data):
        weight = data.draw(hnp.arrays(np.int64, y.shape, elements=st.integers(0, 3)))
        repeated = np.repeat(y, weight)
        given_ = SQUARED(y, y * 0, sample_weight=weight, empty="zero")
        wanted = SQUARED(repeated, repeated * 0, empty="zero")
        assert given_ == pytest.approx(wanted, rel=1e-14, abs=1e-300)

    @given(vectors, st.floats(1e-3, 1e3))
    def test_scaling_all_weights_changes_no_mean(self, y, factor):
        weight = np.linspace(1, 2, y.size)
        a = SQUARED(y, y * 0, sample_weight=weight)
        b = SQUARED(y, y * 0, sample_weight=factor * weight)
        assert a == pytest.approx(b, rel=1e-13, abs=1e-300)

    def test_a_nan_that_does_not_count_does_no_harm(self):
        y, t = np.array([np.nan, 2.0]), np.zeros(2)
        for options in ({"where": [False, True]}, {"sample_weight": [0.0, 1.0]}):
            assert SQUARED(y, t, **options) == 4.0
            assert SQUARED.gradient(y, t, **options).tolist() == [0.0, 4.0]
            assert SQUARED(y, t, reduction="none", **options).tolist() == [0.0, 4.0]
            value, gradient = SQUARED.value_and_gradient(y, t, **options)
            assert (value, gradient.tolist()) == (4.0, [0.0, 4.0])

    def test_the_denominator_is_the_sum_of_weights_or_the_count(self):
        y, t, w = [1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [1.0, 1.0, 2.0]
        assert SQUARED(y, t, sample_weight=w) == 23 / 4
        assert SQUARED(y, t, sample_weight=w, denominator="count") == 23 / 3
        keep = [True, False, True]
        assert SQUARED(y, t, sample_weight=w, where=keep, denominator="count") == 19 / 2
        gradient = SQUARED.gradient(y, t, sample_weight=w, denominator="count")
        assert gradient.tolist() == [2 / 3, 4 / 3, 4.0]

    def test_one_weight_for_each_row(self):
        y = np.array([[1.0, 1.0], [2.0, 2.0]])
        by_row = SQUARED(y, y * 0, sample_weight=[1.0, 3.0])
        assert by_row == SQUARED(y, y * 0, sample_weight=[[1.0, 1.0], [3.0, 3.0]]) == 3.25
        assert SQUARED(y, y * 0, where=[True, False]) == 1.0

    def test_the_domain_is_not_asked_of_what_does_not_count(self):
        p = [[0.5, 0.5], [7.0, 1.0]]
        assert CROSS(p, [0, 1], where=[True, False]) == pytest.approx(math.log(2), rel=1e-6)


class TestReductions:
    @given(vectors)
    def test_they_agree_with_each_other(self, y):
        t = np.zeros_like(y)
        each = SQUARED(y, t, reduction="none")
        assert SQUARED(y, t, reduction="sum") == pytest.approx(math.fsum(each), rel=1e-14)
        assert SQUARED(y, t) == pytest.approx(math.fsum(each) / y.size, rel=1e-14)
        value, gradient = SQUARED.value_and_gradient(y, t)
        assert value == SQUARED(y, t)
        assert np.array_equal(gradient, SQUARED.gradient(y, t))

    def test_nothing_to_average_is_an_error_unless_asked_for(self):
        for options in ({}, {"sample_weight": []}, {"where": np.zeros(0, bool)}):
            with pytest.raises(EmptyReductionError, match='empty="nan"'):
                SQUARED([], [], **options)
            assert SQUARED([], [], empty="zero", **options) == 0.0
            assert math.isnan(SQUARED([], [], empty="nan", **options))
            assert SQUARED([], [], reduction="sum", **options) == 0.0
        with pytest.raises(EmptyReductionError):
            SQUARED([1.0], [0.0], sample_weight=[0.0])
        with pytest.raises(EmptyReductionError):
            SQUARED.gradient([1.0], [0.0], where=[False])

    def test_no_negative_zero_leaves_a_loss(self):
        class Zero(DistanceLoss):
            """Minus nothing."""

            def value(self, xp, r):
                return -0.0 * xp.abs(r)

        for reduction in ("mean", "sum", "none"):
            assert not np.signbit(Zero()([1.0], [0.0], reduction=reduction)).any()

    def test_per_row_sums_the_last_axis(self):
        loss = lossfw.loss("squared_error", per="row")
        y = np.array([[1.0, 2.0], [3.0, 0.0]])
        assert loss(y, y * 0, reduction="none").tolist() == [5.0, 9.0]
        assert loss(y, y * 0) == 7.0
        assert loss(y, y * 0, sample_weight=[1.0, 0.0]) == 5.0
        assert np.array_equal(loss.gradient(y, y * 0), y)
        with pytest.raises(ArgumentError, match="per: row"):
            loss(1.0, 2.0)


ROWS = np.zeros((2, 3))
REFUSED = [
    (SQUARED, np.ones(5), np.ones((5, 1)), {}, ShapeError,
     r"\(5,\).*\(5, 1\).*target\.squeeze\(-1\)"),
    (SQUARED, np.ones((5, 1)), np.ones(5), {}, ShapeError, r"prediction\.squeeze\(-1\)"),
    *((SQUARED, np.ones(y), np.ones(t), {}, ShapeError, "shape")
      for y, t in [((3,), (1,)), ((3,), ()), ((2, 3), (3,)), ((1,), ())]),
    (SQUARED, [[1.0], [1.0, 2.0]], [1.0, 2.0], {}, ShapeError,
     "prediction cannot be made an array"),
    # Its mask would be lost.
    (SQUARED, np.ma.masked_array([1.0], [True]), [1.0], {}, ArgumentError, "where=~mask"),
    (SQUARED, [1.0, 5.0], [0.0, 0.0],
     {"where": np.ma.masked_array([True, True], [False, True])}, ArgumentError,
     r"where is a masked array.*& ~where\.mask"),
    (SQUARED, [1.0, 5.0], [0.0, 0.0], {"where": [[True], [True, False]]}, ShapeError,
     "where cannot be made an array"),
    (SQUARED, [1.0, 2.0], [0.0, 0.0], {"sample_weight": [1.0]}, ShapeError,
     "sample_weight has shape"),
    (SQUARED, [1.0, 2.0], [0.0, 0.0], {"where": [True]}, ShapeError, "where has shape"),
    (SQUARED, [1.0, 2.0], [0.0, 0.0], {"where": [0, 1]}, DtypeError, "pass booleans"),
    *((SQUARED, [1.0, 2.0], [0.0, 0.0], {"sample_weight": [1.0, bad]}, DomainError,
       r"sample_weight\[1\]") for bad in (-1.0, math.nan, math.inf)),
    *((SQUARED, y, [0.0], {}, DtypeError, "prediction has unsupported dtype")
      for y in ([1j], ["a"], [None], np.array([1], "datetime64[s]"))),
    (LOGITS, ROWS, [0.0, 1.0], {}, DtypeError, r"target\.astype\(int\)"),
    *((LOGITS, ROWS, [0, wrong], {}, DomainError,
       rf"target\[1\] = {wrong} is not a class.*0 \.\. 2") for wrong in (-1, 3, 255)),
    (CROSS, [[0.5, 0.5], [1.2, -0.2]], [0, 1], {}, DomainError,
     r"prediction\[1\] = \[1\.2, -0\.2\].*SIMPLEX"),
    (CROSS, [[0.2, 0.2]], [0], {}, DomainError, r"prediction\[0\].*sum 0\.4"),
    (CROSS, [[0.5, 0.5]], [[1.0, 1.0]], {}, DomainError, r"target\[0\].*SIMPLEX"),
    (SQUARED, [1.0], [0.0], {"reduction": "avg"}, ArgumentError,
     r"reduction='avg' is not known.*'mean'"),
    (SQUARED, [1.0], [0.0], {"reduction": ["mean"]}, ArgumentError,
     r"reduction=\['mean'\] is not known"),
    (SQUARED, [1.0], [0.0], {"denominator": "n"}, ArgumentError, "denominator="),
    (SQUARED.value_and_gradient, [1.0], [0.0], {"reduction": "none"}, ArgumentError,
     "value_and_gradient needs"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "y", "t", "options", "error", "words"), REFUSED)
def test_what_a_call_refuses_is_named(call, y, t, options, error, words):
    with pytest.raises(error, match=words):
        call(y, t, **options)


class TestNanAndDomain:
    @pytest.mark.parametrize("guard", ["normalised", "additive", "floor", "none"])
    def test_nan_reaches_the_result_through_every_guard(self, guard):
        loss = lossfw.loss("cross_entropy", guard=guard)
        for row in ([np.nan, 0.5], [0.5, np.nan]):
            for target in (0, [1.0, 0.0]):
                values = loss([row, [0.5, 0.5]], [target, target], reduction="none")
                assert np.isnan(values).tolist() == [True, False]

    def test_the_index_is_the_callers_own_in_large_and_masked_input(self):
        p = np.full((100_000, 2), 0.5)
        p[77_777, 0] = 3.0
        with pytest.raises(DomainError, match=r"prediction\[77777\]"):
            CROSS(p, np.zeros(100_000, int))
        keep = np.ones(100_000, bool)
        keep[:5] = False
        assert CROSS(p[:1000], np.zeros(1000, int)) > 0
        with pytest.raises(DomainError, match=r"prediction\[77777\]"):
            CROSS(p, np.zeros(100_000, int), where=keep)

    def test_the_index_has_the_callers_own_axes(self):
        p = np.full((2, 3, 2), 0.5)
        p[1, 2, 0] = 3.0
        with pytest.raises(DomainError, match=r"prediction\[1, 2\] = \[3, 0\.5\]"):
            CROSS(p, np.zeros((2, 3), int))
        with pytest.raises(DomainError, match=r"^prediction = \[3, 0\.5\]"):
            CROSS([3.0, 0.5], 0)
        with pytest.raises(DomainError, match=r"^target = 2 is not a class"):
            CROSS([0.5, 0.5], 2)
        with pytest.raises(DomainError, match=r"target\[1, 0\] = 9 is not a class"):
            CROSS(np.full((2, 3, 2), 0.5), [[0, 0, 0], [9, 0, 0]])
        logits = np.zeros((140_000, 2))
        index = np.zeros(140_000, int)
        index[139_000] = 2
        with pytest.raises(DomainError, match=r"target\[139000\] = 2"):
            LOGITS(logits, index, where=logits[:, 0] == 0)


class TestCategoricalTargets:
    @given(st.integers(1, 6), st.integers(1, 5), st.data())
    def test_index_one_hot_and_soft_targets_agree(self, rows, classes, data):
        z = data.draw(hnp.arrays(np.float64, (rows, classes), elements=st.floats(-50, 50)))
        index = data.draw(hnp.arrays(np.int64, rows, elements=st.integers(0, classes - 1)))
        hot = np.eye(classes)[index]
        p = lossfw.activation("softmax")(z)
        for loss, y in ((LOGITS, z), (CROSS, p)):
            a, b = loss(y, index, reduction="none"), loss(y, hot, reduction="none")
            assert np.allclose(a, b, rtol=1e-13, atol=0)
            a, b = loss.gradient(y, index), loss.gradient(y, hot)
            assert np.allclose(a, b, rtol=1e-12, atol=0)
            assert np.array_equal(loss(y, hot.astype(int)), loss(y, hot))

    def test_infinite_logits_are_legal(self):
        inf = math.inf
        assert LOGITS([[inf, 0.0]], [0]) == 0.0
        assert LOGITS([[inf, 0.0]], [1]) == inf
        assert LOGITS([[-inf, 0.0]], [[0.0, 1.0]]) == 0.0
        assert LOGITS.gradient([[-inf, 0.0]], [1]).tolist() == [[0.0, 0.0]]


class TestAnAuthorsMistakes:
    def test_a_value_of_the_wrong_shape_names_class_and_shapes(self):
        class Total(DistanceLoss):
            """Reduces, which is not its task."""

            def value(self, xp, r):
                return xp.sum(r)

        with pytest.raises(ShapeError, match=r"Total\.value returned shape \(\).*expected shape"):
            Total()([1.0, 2.0], [0.0, 0.0])

    def test_a_parameter_called_name_is_refused(self):
        with pytest.raises(TypeError, match="cannot be a parameter"):

            class Named(DistanceLoss):
                """Says name."""

                name: str = "x"

                def value(self, xp, r):
                    return r

    def test_kinds_cannot_be_instantiated(self):
        with pytest.raises(TypeError):
            CategoricalLoss()


class TestParameters:
    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"factor": "small"}, "factor should be a number, got 'small'"),
            ({"factor": math.nan}, "factor should be a finite number"),
            ({"factro": 1}, "no parameter 'factro'. Did you mean 'factor'"),
            ({"per": "batch"}, "per should be 'element' or 'row'"),
        ],
    )
    def test_a_wrong_parameter_is_named_with_its_bound(self, parameters, message):
        with pytest.raises(ParameterError, match=message):
            lossfw.loss("squared_error", **parameters)

    def test_components_are_frozen_equal_and_hashable(self):
        a, b = lossfw.loss("mse", factor=2), lossfw.loss("squared_error", factor=np.float32(2))
        assert a == b
        assert hash(a) == hash(b)
        assert a != SQUARED
        with pytest.raises(ParameterError, match="frozen"):
            a.factor = 3.0

    def test_the_configuration_builds_an_equal_component(self):
        a = lossfw.loss("squared_error", factor=0.5, per="row")
        assert lossfw.loss(a.to_config()) == a
        assert eval(repr(a), {type(a).__name__: type(a)}) == a


@pytest.mark.parametrize("base", [lossfw.DistanceLoss, lossfw.Activation])
def test_a_function_of_terms_is_to_be_deleted(base):

    with pytest.raises(TypeError, match=r"^Old.terms is not a function .* Delete it"):
        type("Old", (base,), {"terms": lambda self, xp, y, t, order: ()})


class PairProduct(CategoricalLoss):
    """The product of two columns."""

    prediction, target = REAL, REAL
    fixed_classes: ClassVar[int] = 2

    def value(self, xp, y, t):
        return y[..., 0] * y[..., 1] + 0 * t[..., 0]


@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize("function", ["__call__", "gradient", "hessian", "value_and_gradient"])
def test_rows_of_other_columns_than_a_loss_is_made_for_are_refused(columns, function):
    rows = np.ones((4, columns))
    with pytest.raises(
        ShapeError, match=rf"\(4, {columns}\); pair_product expects rows of 2 columns"
    ):
        getattr(PairProduct(), function)(rows, rows)


def test_columns_are_those_of_the_call_and_not_of_what_counts():
    rows = np.ones((4, 3))
    with pytest.raises(ShapeError, match=r"prediction has shape \(4, 3\)"):
        PairProduct()(rows, rows, where=[False, True, False, False])


def test_rows_of_too_few_columns_are_refused():
    loss = lossfw.loss("multiclass_hinge")
    with pytest.raises(ShapeError, match=r"prediction (has|of) shape \(4, 1\)"):
        loss(np.ones((4, 1)), np.zeros(4, int))
