"""Recipes: ways of training, over folds and seeds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lossfw.evaluation.intervals.recipes import (
    difference_over_folds,
    difference_over_seeds,
    wider_of,
)
from support.calibration.setting import LEVEL, Outcome, Setting, left_out

FOLDS = 5


def held_out_errors(inputs, targets, fold, ridge=0.0):
    """Return the squared error of each row by least squares on the other folds."""
    each = np.zeros((FOLDS, *inputs.shape))
    each[fold, np.arange(len(inputs))] = inputs
    of_fold = np.swapaxes(each, 1, 2)
    gram, gradient = of_fold @ inputs, of_fold @ targets
    rest = gram.sum(axis=0) - gram + ridge * np.eye(inputs.shape[1])
    found = np.linalg.solve(rest, (gradient.sum(axis=0) - gradient)[..., np.newaxis])[..., 0]
    return (targets - (inputs * found[fold]).sum(axis=1)) ** 2


def recipe_star(errors, folds, who):
    """Return whether the difference of two recipes has a star, from each seed's row errors."""
    units = int(who.max()) + 1
    size = np.bincount(who).astype(float)
    mean = left_out(np.bincount(who, np.mean(errors, axis=0), units), size)
    by_fold = [
        (np.bincount(fold, one) / np.bincount(fold)).tolist()
        for one, fold in zip(errors, folds, strict=True)
    ]
    by_seed = [float(one.mean()) for one in errors]
    found = difference_over_seeds(by_seed, float(mean.standard_error), mean.freedom)
    low, high = wider_of(found, difference_over_folds(by_fold), LEVEL).ends(LEVEL)
    return Outcome(not low <= 0 <= high)


def least_squares(rows, inputs, seeds):
    """Return the comparison of least squares on two sets of inputs that are exchangeable."""

    def compared(random):
        x = random.normal(size=(rows, 2 * inputs))
        targets = x[:, 0] + x[:, inputs] + random.normal(size=rows)
        learners = [
            np.column_stack([np.ones(rows), part]) for part in (x[:, :inputs], x[:, inputs:])
        ]
        folds = [random.permutation(rows) % FOLDS for _ in range(seeds)]
        errors = []
        for fold in folds:
            one, base = (held_out_errors(of, targets, fold) for of in learners)
            errors.append(one - base)
        return recipe_star(errors, folds, np.arange(rows))

    return compared


def random_features(clusters, seeds):
    """Return the comparison of one recipe with itself, whose features are drawn by a seed."""
    rows = 200
    units = clusters or rows
    who = np.arange(rows) * units // rows

    def compared(random):
        x = random.normal(size=(units, 3))[who]
        noise = random.normal(size=units)[who]
        targets = np.sin(2 * x[:, 0]) + x[:, 1] + 0.5 * noise
        folds, errors = [], []
        for _ in range(seeds):
            fold = (random.permutation(units) % FOLDS)[who]
            made = (
                np.cos(x @ random.normal(size=(3, 20)) + random.uniform(0, 6, 20)) for _ in range(2)
            )
            one, base = (held_out_errors(of, targets, fold, ridge=1e-3) for of in made)
            folds.append(fold)
            errors.append(one - base)
        return recipe_star(errors, folds, who)

    return compared


def trainings() -> Iterator[Setting]:
    for rows, inputs, three, ten in (
        (60, 1, 67.5, 91.2),
        (60, 10, 33.5, 71.5),
        (300, 1, 85.0, 94.2),
        (300, 40, 32.5, 73.5),
    ):
        for seeds, before in ((3, three), (10, ten)):
            name = f"least squares, {rows} rows, {inputs} inputs, {FOLDS} folds, {seeds} seeds"
            yield Setting(name, least_squares(rows, inputs, seeds), before)
    for clusters, seeds, before in ((0, 3, 4.8), (0, 5, 5.8), (40, 3, 3.5), (40, 5, 3.8)):
        units = f"{clusters} clusters" if clusters else "rows"
        name = f"random features, 200 rows by {units}, {FOLDS} folds, {seeds} seeds"
        yield Setting(name, random_features(clusters, seeds), before)
