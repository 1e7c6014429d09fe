"""Arguments of one shape and dtype at which a component is measured, with the truth there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lossfw.check.core.exact import Formula
from lossfw.check.core.oracle import Oracle
from lossfw.check.core.subject import ArgumentArrays, of_component
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import NDArray


@dataclass(frozen=True)
class Case:
    """Some arguments of a component.

    Attributes
    ----------
    component : Loss or Activation
    arrays : tuple of ndarray
        Prediction and target, or the argument of an activation. The first axis
        runs over elements or rows.
    some : ndarray of int
        The rows whose derivatives are measured; a row of many columns has many.
    """

    component: Loss | Activation
    arrays: ArgumentArrays
    some: NDArray

    @property
    def formula(self) -> Formula:
        """The textbook formula."""
        if isinstance(self.component, Loss):
            return of_component(self.component).exact
        rows = self.component.takes_rows
        return Formula(self.component.formula, rows, vector=rows)

    @property
    def orders(self) -> tuple[int, ...]:
        """The derivatives that there are, 0 for the value.

        A class index changes the way to the value alone; a function of rows has a
        Jacobian and no second derivative.
        """
        if isinstance(self.component, Activation):
            return (0, 1) if self.component.takes_rows else (0, 1, 2)
        y, t = self.arrays
        by_index = self.component.takes_rows and t.ndim < y.ndim
        return (0,) if by_index and not self.component.target_per_row else (0, 1, 2)

    def at(self, order: int) -> ArgumentArrays:
        """Return the arguments at which one derivative is measured."""
        return self.arrays if order == 0 else tuple(x[self.some] for x in self.arrays)

    def computed(self, order: int) -> NDArray:
        """Return the component's results: called as by a user, or an author's derivatives."""
        part = self.component
        with np.errstate(all="ignore"):
            if isinstance(part, Loss):
                function = (part, part.gradient, part.hessian)[order]
                return np.asarray(function(*self.at(order), reduction="none"))
            body = (part.value, part.derivative, part.second_derivative)[order]
            return np.asarray(body(np, *self.at(order)))

    def truths(self) -> Iterator[Oracle]:
        """Yield the exact value and derivatives."""
        formula, last = self.formula, self.orders[-1]
        slopes = formula.derivatives(last, *self.at(1)) if last else ()
        exact = [formula.values(*self.arrays), *slopes]
        for order in self.orders:
            terms = self._terms(order)
            yield Oracle(formula, order, self.at(order), exact[order], terms).verified()

    def _terms(self, order: int) -> tuple[NDArray, ...]:
        """Return the terms that the component says may cancel; usually none."""
        y, *targets = self.at(order)
        full = [self.formula.full(y, t).astype(np.float64) for t in targets]
        with np.errstate(all="ignore"):
            return self.component.terms(np, y.astype(np.float64), *full, order)  # type: ignore[call-arg,arg-type]  # by its kind; one of 0, 1 and 2
