"""Arithmetic of losses: ``2 * a``, ``a / 3``, ``-a``, ``a + b``, ``a - b`` and ``sum``."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, TypeGuard, cast

from lossfw.errors import ParameterError

if TYPE_CHECKING:
    from lossfw.loss import Loss


class Arithmetic:
    """Operators that give wrapped losses; the wrappers stand in `lossfw.wrappers`.

    Examples
    --------
    >>> import lossfw
    >>> loss = lossfw.loss("squared_error")
    >>> (2 * loss)([3.0], [0.0]), (loss - loss / 3)([3.0], [0.0])
    (18.0, 6.0)
    >>> sum([loss, 2 * loss])([3.0], [0.0])
    27.0
    """

    # NumPy's numbers then leave ``number * loss`` to the methods below.
    __array_ufunc__: ClassVar[None] = None

    def __mul__(self, factor: object) -> Loss:
        # Imported on use: wrappers are losses themselves.
        from lossfw.wrappers.scaled import scaled

        return scaled(_loss(self), float(factor)) if _is_number(factor) else NotImplemented

    __rmul__ = __mul__

    def __truediv__(self, divisor: object) -> Loss:
        if _is_number(divisor) and not float(divisor):
            raise ParameterError(f"{type(self).__name__} cannot be divided by 0.")
        return self * (1.0 / float(divisor)) if _is_number(divisor) else NotImplemented

    def __neg__(self) -> Loss:
        return self * -1.0

    def __add__(self, other: object) -> Loss:
        from lossfw.wrappers.sum import Sum

        if not isinstance(other, Arithmetic):
            return NotImplemented
        return Sum(of=(_loss(self), _loss(other)))

    def __radd__(self, other: object) -> Loss:
        # Python's sum() begins with 0.
        return _loss(self) if _is_number(other) and not float(other) else NotImplemented

    def __sub__(self, other: object) -> Loss:
        return self + -other if isinstance(other, Arithmetic) else NotImplemented


def _loss(operand: Any) -> Loss:
    return cast("Loss", operand)


def _is_number(x: object) -> TypeGuard[Real]:
    # True and False are numbers to Python alone.
    return isinstance(x, Real) and not isinstance(x, bool)
