"""How often a star of recipes is false: ways of training that are equally good on average.

The settings are those of a table that simulations gave before there was this code; seeds are fixed.
Both recipes learn anew in each repetition, from new rows, so a star is false whatever the trained
models are worth.
"""

from collections import Counter

import numpy as np
import pytest

import lossfw
from lossfw.evaluation.intervals.freedom import size_terms
from lossfw.evaluation.intervals.paired import MeasuredNumber
from lossfw.evaluation.intervals.recipes import (
    RecipeDifference,
    difference_over_folds,
    difference_over_seeds,
    mean_difference,
    recipe_difference,
)
from lossfw.evaluation.intervals.unit_keys import hashed_numbers
from lossfw.evaluation.intervals.unit_sums import UnitCells, UnitSums
from lossfw.evaluation.intervals.units import Units
from lossfw.metrics import LossMetric, SumTerm
from lossfw.metrics.cell_sums import RowTerms

MEAN = LossMetric(of=lossfw.loss("squared_error"))
FOLDS = 5


def measured(losses, keys):
    rows, place = np.arange(len(losses)), np.zeros(len(losses), np.int64)
    terms = [SumTerm(place, losses), SumTerm(place + 1, np.ones(len(losses)))]
    cells = UnitCells.of(keys)
    table = UnitSums.of(RowTerms.of(1, 2, rows, terms), cells)
    sizes = UnitSums.of(size_terms(rows, np.ones(len(losses))), cells)
    return MeasuredNumber(MEAN, np.asarray(losses.mean()), table, sizes)


def held_out_errors(x, y, fold, ridge=1e-9):
    """Return the squared error of each row by least squares on the rows of the other folds."""
    errors = np.empty(len(y))
    for number in range(FOLDS):
        train = fold != number
        a = x[train]
        solved = np.linalg.solve(a.T @ a + ridge * np.eye(a.shape[1]), a.T @ y[train])
        errors[~train] = (y[~train] - x[~train] @ solved) ** 2
    return errors


def with_constant(x):
    return np.column_stack([np.ones(len(x)), x])


def exchangeable(rows, inputs):
    """Least squares on one half of the inputs or on the other; only the folds are random."""

    def draw(random):
        x = random.normal(size=(rows, 2 * inputs))
        y = x[:, 0] + x[:, inputs] + random.normal(size=rows)
        halves = with_constant(x[:, :inputs]), with_constant(x[:, inputs:])
        return np.arange(rows), lambda fold: [held_out_errors(half, y, fold) for half in halves]

    return draw


def random_features(rows, clusters):
    """Two networks that differ in their random features; rows of a cluster are alike."""

    def draw(random):
        who = np.repeat(np.arange(clusters), rows // clusters)
        x = random.normal(size=(clusters, 3))[who]
        y = np.sin(2 * x[:, 0]) + x[:, 1] + 0.5 * random.normal(size=clusters)[who]

        def errors(fold):
            weights = random.normal(size=(3, 20)), random.uniform(0, 6, 20)
            return held_out_errors(np.cos(x @ weights[0] + weights[1]), y, fold, ridge=1e-3)

        return who, lambda fold: [errors(fold), errors(fold)]

    return draw


def alike(clusters, each):
    """Least squares on one input or another, of clusters whose rows have them in common."""

    def draw(random):
        who = np.repeat(np.arange(clusters), each)
        x = random.normal(size=(clusters, 2))[who]
        y = x.sum(axis=1) + 0.3 * random.normal(size=len(who))
        inputs = with_constant(x[:, :1]), with_constant(x[:, 1:])
        return who, lambda fold: [held_out_errors(own, y, fold) for own in inputs]

    return draw


def false_stars(draw, seeds, repetitions, *, whole=True):
    """Return the percentage of false stars of each interval.

    `whole` holds out the rows of a cluster together.
    """
    stars = Counter()
    for number in range(repetitions):
        random = np.random.default_rng([7, seeds, number])
        who, train = draw(random)
        pairs, by_fold, keys = [], [], hashed_numbers(who)
        for _ in range(seeds):
            held_out = who if whole else np.arange(len(who))
            fold = (random.permutation(held_out.max() + 1) % FOLDS)[held_out]
            base, one = train(fold)
            pairs.append((measured(one, keys), measured(base, keys)))
            by_fold.append([float((one - base)[fold == k].mean()) for k in range(FOLDS)])
        by_seed = [float(one.value - base.value) for one, base in pairs]
        mean = mean_difference(pairs, Units())
        error = float(mean.standard_error)
        of_seeds = float(np.std(by_seed, ddof=1)) / seeds**0.5
        first = [[folds[0]] for folds in by_fold]
        for name, found in (
            ("t over seeds", RecipeDifference(float(np.mean(by_seed)), of_seeds, seeds - 1.0)),
            ("given models", RecipeDifference(float(mean.middle), error, mean.freedom)),
            ("units and seeds", difference_over_seeds(by_seed, error, mean.freedom)),
            ("folds", difference_over_folds(by_fold)),
            ("recipe", recipe_difference(by_seed, mean, by_fold, 0.95)),
            # One fold of each seed, as of trainings that hold out a fraction of the rows.
            ("shares", difference_over_folds(first, 1 / FOLDS)),
        ):
            low, high = found.ends(0.95)
            stars[name] += not low <= 0 <= high
    return {name: 100 * count / repetitions for name, count in stars.items()}


def test_a_difference_of_recipes_is_wider_than_one_of_models():
    found = false_stars(random_features(100, 20), 3, 40)
    # Of 40 with 5 % each, 8 and more come up once in 1,000 times.
    assert found["recipe"] < 20
    assert found["given models"] > found["recipe"]


# Repetitions of a setting: a rate of 5 % then has a standard error of 0.5 %.
REPETITIONS = 2000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("draw", "seeds", "whole"),
    [
        pytest.param(exchangeable(60, 1), 3, True, id="60 rows, 1 input"),
        pytest.param(exchangeable(60, 10), 3, True, id="60 rows, 10 inputs"),
        # Known before as 7.5 % by folds and 9.5 % by units and seeds, of 400.
        pytest.param(exchangeable(60, 10), 10, True, id="60 rows, 10 inputs, 10 seeds"),
        pytest.param(exchangeable(300, 1), 3, True, id="300 rows, 1 input"),
        pytest.param(exchangeable(300, 40), 3, True, id="300 rows, 40 inputs"),
        pytest.param(random_features(200, 200), 3, True, id="random features, rows"),
        pytest.param(random_features(200, 40), 5, True, id="random features, clusters"),
        pytest.param(alike(40, 20), 3, False, id="clusters over several folds"),
    ],
)
def test_stars_of_recipes_are_false_at_most_eight_times_in_a_hundred(draw, seeds, whole, request):
    found = false_stars(draw, seeds, REPETITIONS, whole=whole)
    print(request.node.callspec.id, found)
    assert found["recipe"] <= 8
    if whole:
        assert found["shares"] <= 8
    else:
        # What the folds do not know: rows of one cluster are on both sides.
        assert found["folds"] > 20 > found["units and seeds"]
