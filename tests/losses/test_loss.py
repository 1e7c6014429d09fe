"""The contract of a call: shapes, dtypes, weights, masks, NaN, domains, reductions."""

import math
from typing import ClassVar

import numpy as np
import pytest

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


def test_the_chapter():
    half = lossfw.loss("squared_error", factor=0.5, per="row")
    assert half(CHAPTER_Y, CHAPTER_T) == 0.09750000000000003
    assert half([CHAPTER_Y] * 3, [CHAPTER_T] * 3) == 0.09750000000000003
    assert np.array_equal(half.gradient(CHAPTER_Y, CHAPTER_T), np.subtract(CHAPTER_Y, CHAPTER_T))
    assert np.array_equal(half.hessian(CHAPTER_Y, CHAPTER_T), np.ones(10))
    cross = lossfw.loss("cross_entropy", guard="additive", delta=1e-7)
    # The chapter prints 0.510825457099338; its last digit is log's own.
    assert cross(CHAPTER_Y, CHAPTER_T) == pytest.approx(0.510825457099338, rel=1e-15)
    assert cross(CHAPTER_Y, 2) == cross([CHAPTER_Y], [2]) == cross(CHAPTER_Y, CHAPTER_T)


def test_big_endian_numbers_and_infinite_logits_are_legal():
    assert SQUARED(np.array([1.0, 2.0], ">f8"), [0.0, 0.0], reduction="none").dtype.isnative
    inf = math.inf
    for y, t, loss in (([inf, 0.0], 0, 0.0), ([inf, 0.0], 1, inf), ([-inf, 0.0], [0.0, 1.0], 0.0)):
        assert LOGITS([y], [t]) == loss
    assert LOGITS.gradient([[-inf, 0.0]], [1]).tolist() == [[0.0, 0.0]]


class TestWeightsAndMasks:
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


def test_the_index_of_what_lies_outside_is_the_callers_own():
    # In large and masked input.
    p = np.full((100_000, 2), 0.5)
    p[77_777, 0] = 3.0
    keep = np.ones(100_000, bool)
    keep[:5] = False
    for options in ({}, {"where": keep}):
        with pytest.raises(DomainError, match=r"prediction\[77777\]"):
            CROSS(p, np.zeros(100_000, int), **options)
    assert CROSS(p[:1000], np.zeros(1000, int)) > 0
    # With its axes.
    p = np.full((2, 3, 2), 0.5)
    p[1, 2, 0] = 3.0
    index = np.zeros(140_000, int)
    index[139_000] = 2
    for loss, y, t, options, words in (
        (CROSS, p, np.zeros((2, 3), int), {}, r"prediction\[1, 2\] = \[3, 0\.5\]"),
        (CROSS, [3.0, 0.5], 0, {}, r"^prediction = \[3, 0\.5\]"),
        (CROSS, [0.5, 0.5], 2, {}, r"^target = 2 is not a class"),
        (CROSS, np.full((2, 3, 2), 0.5), [[0, 0, 0], [9, 0, 0]], {},
         r"target\[1, 0\] = 9 is not a class"),
        (LOGITS, np.zeros((140_000, 2)), index, {"where": np.ones(140_000, bool)},
         r"target\[139000\] = 2"),
    ):  # fmt: skip
        with pytest.raises(DomainError, match=words):
            loss(y, t, **options)


def test_mistakes_of_an_author_get_words():
    class Total(DistanceLoss):
        def value(self, xp, r):
            return xp.sum(r)

    with pytest.raises(ShapeError, match=r"Total\.value returned shape \(\).*expected shape"):
        Total()([1.0, 2.0], [0.0, 0.0])
    with pytest.raises(TypeError, match="cannot be a parameter"):

        class Named(DistanceLoss):
            name: str = "x"

            def value(self, xp, r):
                return r

    with pytest.raises(TypeError):
        CategoricalLoss()
    for base in (DistanceLoss, lossfw.Activation):
        with pytest.raises(TypeError, match=r"^Old.terms is not a function .* Delete it"):
            type("Old", (base,), {"terms": lambda self, xp, y, t, order: ()})


def test_components_are_frozen_equal_and_hashable_and_their_configuration_builds_an_equal_one():
    a, b = lossfw.loss("mse", factor=2), lossfw.loss("squared_error", factor=np.float32(2))
    assert a == b
    assert hash(a) == hash(b)
    assert a != SQUARED
    with pytest.raises(ParameterError, match="frozen"):
        a.factor = 3.0
    a = lossfw.loss("squared_error", factor=0.5, per="row")
    assert lossfw.loss(a.to_config()) == a
    assert eval(repr(a), {type(a).__name__: type(a)}) == a


class PairProduct(CategoricalLoss):
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
    # Columns are those of the call, and not of what counts.
    with pytest.raises(ShapeError, match=rf"prediction has shape \(4, {columns}\)"):
        PairProduct()(rows, rows, where=[False, True, False, False])
    with pytest.raises(ShapeError, match=r"prediction (has|of) shape \(4, 1\)"):
        lossfw.loss("multiclass_hinge")(np.ones((4, 1)), np.zeros(4, int))
