"""Adapters: functions of other libraries as the harness calls functions.

The harness hands NumPy arrays to ``value(y, t)`` and wants an unreduced loss
back. A library has its own arrays, its own order of arguments and its own name
for "do not reduce". What is known of it goes by naming conventions alone: the
first part of the module's name is the library, and the parameters of a function
are handed over by their own names.

::

    adapt("torch.nn.functional:huber_loss", function, {"delta": 1.0}) -> Adapted

=============  =================================================================
library        convention
=============  =================================================================
torch          ``f(input, target, reduction="none")``; a class is made with the
               same; the gradient is by autograd
optax, jax     ``f(predictions, targets)`` on arrays of 64 bits; the gradient is
               by ``jax.grad``
keras          ``f(y_true, y_pred)``, which averages over the last axis, so that
               each pair is handed over as a row of one; on JAX, with its gradient
sklearn        ``f(y_true, y_pred, sample_weight=w)``, a mean: of one example it
               is the loss, of many the weighted mean that is checked
torchmetrics   ``f(preds, target)``, a mean likewise
=============  =================================================================

What an adapter does to arguments is no finding about a library: predictions of
integers become float64, targets get the dtype of predictions, arrays are copied.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lossfw.errors import ArgumentError
from lossfw.numerics.arrays import NDArray

Function = Callable[..., Any]


@dataclass(frozen=True)
class Adapted:
    """A function of another library, as the harness calls it.

    Attributes
    ----------
    value : callable
        ``value(y, t)``, unreduced, on NumPy arrays.
    gradient : callable or None
        Its first derivative as the library computes it.
    reduce : callable or None
        ``reduce(y, t, sample_weight=None, where=None)``, its weighted mean.
    setup : str
        Code that defines the three by the library alone, for snippets.
    """

    value: Function
    gradient: Function | None = None
    reduce: Function | None = None
    setup: str = ""


@dataclass(frozen=True)
class _Given:
    """What an adapter is made for: a function or class, its name, its parameters, its kind."""

    function: Function
    path: str
    parameters: dict[str, Any]
    rows: bool

    @property
    def is_class(self) -> bool:
        return isinstance(self.function, type)

    def has(self, parameter: str) -> bool:
        return parameter in _names(self.function)

    def code(self, y: str, t: str, **more: Any) -> str:
        """Return the call in the words of the library."""
        options = ", ".join(f"{k}={v!r}" for k, v in {**self.parameters, **more}.items())
        if self.is_class:
            return f"{self.path}({options})({y}, {t})"
        return f"{self.path}({y}, {t}{options and ', '}{options})"


def adapt(
    name: str,
    function: Function,
    parameters: Mapping[str, Any] | None = None,
    *,
    rows: bool = False,
) -> Adapted:
    """Return a function as the harness calls it.

    Parameters
    ----------
    name : str
        ``module:function``; the first part of the module is the library.
    function : callable
        What the name means.
    parameters : mapping, optional
        Those that the function has go to it, others are left out: they belong
        to what it is compared with.
    rows : bool
        Whether a prediction is a row.

    Examples
    --------
    >>> adapt("mine:square", lambda y, t: (y - t) ** 2).value(3.0, 1.0)
    4.0
    """
    module, _, path = name.partition(":")
    names = _names(function)
    given = {k: v for k, v in (parameters or {}).items() if k in names}
    make = _LIBRARIES.get(module.partition(".")[0], _plain)
    adapted = make(_Given(function, f"{module}.{path}", given, rows))
    before = f"import numpy as np\nfrom numpy import array, inf, nan\nimport {module}\n"
    return replace(adapted, setup=before + adapted.setup)


def _names(function: Function) -> set[str]:
    """Return the names of a function's parameters; none for a compiled one without a signature."""
    try:
        return set(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return set()


def _float(y: Any) -> NDArray:
    """Return predictions as a new array of floats; integers become float64."""
    y = np.asarray(y)
    return np.array(y, y.dtype if y.dtype.kind == "f" else np.float64, order="C")


def _target(y: NDArray, t: Any) -> NDArray:
    """Return targets in the dtype of predictions; class indices stay integers."""
    t = np.asarray(t)
    index = t.dtype.kind in "iu" and t.ndim < y.ndim
    return np.array(t, np.int64 if index else y.dtype, order="C")


def _plain(given: _Given) -> Adapted:
    """Return a function of any other library: it takes NumPy arrays, and is unreduced."""

    def value(y: Any, t: Any) -> Any:
        return given.function(y, t, **given.parameters)

    plain = value if given.parameters else given.function
    code = f"def value(y, t): return {given.code('y', 't')}" if given.parameters else ""
    return Adapted(plain, setup=code or f"value = {given.path}")


# PyTorch.

_TORCH = """import torch
def value(y, t): return {value}.numpy()
def gradient(y, t):
    y = torch.tensor(y, requires_grad=True)
    return torch.autograd.grad({slope}.sum(), y)[0].numpy()"""


def _torch(given: _Given) -> Adapted:
    more = {"reduction": "none"} if given.has("reduction") else {}
    made = given.function(**given.parameters, **more) if given.is_class else None

    def unreduced(y: Any, t: Any) -> Any:
        return made(y, t) if made else given.function(y, t, **given.parameters, **more)

    def tensors(y: Any, t: Any) -> tuple[Any, Any]:
        import torch

        y = _float(y)
        return torch.from_numpy(y), torch.from_numpy(_target(y, t))

    def value(y: Any, t: Any) -> NDArray:
        return np.asarray(unreduced(*tensors(y, t)).numpy(force=True))

    def gradient(y: Any, t: Any) -> NDArray:
        import torch

        prediction, target = tensors(y, t)
        prediction.requires_grad_()
        (slope,) = torch.autograd.grad(unreduced(prediction, target).sum(), prediction)
        return np.asarray(slope.numpy(force=True))

    code = _TORCH.format(
        value=given.code("torch.tensor(y)", "torch.tensor(t)", **more),
        slope=given.code("y", "torch.tensor(t)", **more),
    )
    return Adapted(value, gradient, setup=code)


# JAX.

_JAX = """import jax
jax.config.update("jax_enable_x64", True)
def value(y, t): return {value}
def gradient(y, t): return jax.grad(lambda y: value(y, t).sum())(y)"""


def _jax(given: _Given) -> Adapted:
    import jax
    import jax.numpy as jnp

    # Of the whole process; without it every result is in single precision.
    jax.config.update("jax_enable_x64", True)

    def unreduced(y: Any, t: Any) -> Any:
        return given.function(y, t, **given.parameters)

    # Compiled once for each shape, where single operations would be, many times over.
    compiled = jax.jit(unreduced)
    slope = jax.jit(jax.grad(lambda y, t: unreduced(y, t).sum()))

    def arrays(y: Any, t: Any) -> tuple[Any, Any]:
        y = _float(y)
        return jnp.asarray(y), jnp.asarray(_target(y, t))

    def value(y: Any, t: Any) -> NDArray:
        return np.asarray(compiled(*arrays(y, t)))

    def gradient(y: Any, t: Any) -> NDArray:
        return np.asarray(slope(*arrays(y, t)))

    return Adapted(value, gradient, setup=_JAX.format(value=given.code("y", "t")))


# Keras.

_KERAS = """import jax
jax.config.update("jax_enable_x64", True)
def value(y, t):
    keras.config.set_floatx(y.dtype.name)
    return {value}
def gradient(y, t): return jax.grad(lambda y: value(y, t).sum())(y)"""


def _keras(given: _Given) -> Adapted:
    import jax
    import jax.numpy as jnp
    import keras

    if keras.backend.backend() != "jax":
        raise ArgumentError(
            f"keras runs on {keras.backend.backend()}: set KERAS_BACKEND=jax to check its losses."
        )
    jax.config.update("jax_enable_x64", True)
    more = {"reduction": "none"} if given.is_class else {}
    made = given.function(**given.parameters, **more) if given.is_class else None

    def unreduced(y: Any, t: Any) -> Any:
        # Each pair as a row of one, of which the mean is itself.
        y, t = (y, t) if given.rows else (y[..., None], t[..., None])
        return made(t, y) if made else given.function(t, y, **given.parameters)

    def with_its_floats(call: Function, y: NDArray, t: Any) -> NDArray:
        usual = keras.config.floatx()
        # Its functions convert to this dtype, whatever they are given.
        keras.config.set_floatx(y.dtype.name)
        try:
            return np.asarray(call(jnp.asarray(y), jnp.asarray(_target(y, t))))
        finally:
            keras.config.set_floatx(usual)

    slope = jax.grad(lambda y, t: unreduced(y, t).sum())
    names = ("t", "y") if given.rows else ("t[..., None]", "y[..., None]")
    return Adapted(
        lambda y, t: with_its_floats(unreduced, _float(y), t),
        lambda y, t: with_its_floats(slope, _float(y), t),
        setup=_KERAS.format(value=given.code(*names, **more)),
    )


# scikit-learn and torchmetrics: means.

_SKLEARN = """def reduce(y, t, sample_weight=None): return {mean}
def value(y, t): return array([reduce(y[i:i+1], t[i:i+1]) for i in range(len(y))])"""

_TORCHMETRICS = """import torch
def reduce(y, t): return {mean}.numpy()
def value(y, t): return array([reduce(y[i:i+1], t[i:i+1]) for i in range(len(y))])"""


def _sklearn(given: _Given) -> Adapted:
    labels = given.has("labels") and given.rows

    def mean(y: NDArray, t: NDArray, **options: Any) -> float:
        # One example does not show which classes there are.
        more = {"labels": np.arange(y.shape[-1])} if labels else {}
        return float(given.function(t, y, **given.parameters, **more, **options))

    def reduce(y: Any, t: Any, sample_weight: Any = None, where: Any = None) -> float:
        y = _float(y)
        t = _target(y, t)
        weight = None if sample_weight is None else np.asarray(sample_weight)
        if where is not None:
            y, t = y[where], t[where]
            weight = None if weight is None else weight[where]
        return mean(y, t, sample_weight=weight)

    call = given.code("t", "y, sample_weight=sample_weight")
    if labels:
        call = f"{call[:-1]}, labels=np.arange(y.shape[-1]))"
    return Adapted(_one_by_one(mean, given.rows), reduce=reduce, setup=_SKLEARN.format(mean=call))


def _torchmetrics(given: _Given) -> Adapted:
    def mean(y: NDArray, t: NDArray) -> Any:
        import torch

        result = given.function(torch.from_numpy(y), torch.from_numpy(t), **given.parameters)
        return result.numpy(force=True)

    call = given.code("torch.tensor(y)", "torch.tensor(t)")
    return Adapted(_one_by_one(mean, given.rows), setup=_TORCHMETRICS.format(mean=call))


def _one_by_one(mean: Function, rows: bool) -> Function:
    """Return the losses whose mean is known: each is the mean of one example."""

    def value(y: Any, t: Any) -> NDArray:
        y = _float(y)
        t = _target(y, t)
        if (len(y) != len(t)) if rows else (y.shape != t.shape):
            raise ArgumentError(f"predictions {y.shape} and targets {t.shape} do not fit.")
        shape = y.shape[:-1] if rows else y.shape
        y, t = (y, t) if rows else (y.ravel(), t.ravel())
        found = [mean(y[i : i + 1], t[i : i + 1]) for i in range(len(y))]
        return np.array(found, dtype=y.dtype).reshape(shape)

    return value


_LIBRARIES: dict[str, Callable[[_Given], Adapted]] = {
    "torch": _torch,
    "optax": _jax,
    "jax": _jax,
    "keras": _keras,
    "sklearn": _sklearn,
    "torchmetrics": _torchmetrics,
}
