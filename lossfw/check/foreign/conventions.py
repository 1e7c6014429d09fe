"""Load functions of other libraries, and adapt them to the calls of the harness.

The harness calls ``value(y, t)`` with NumPy arrays and expects an unreduced loss. Libraries differ
in their arrays, their order of arguments and their name for "do not reduce". The first part of the
module's name is the library, and parameters are passed by name.

::

    adapt("torch.nn.functional:huber_loss", function, {"delta": 1.0}) -> AdaptedFunction

=============  =================================================================
library        convention
=============  =================================================================
torch          ``f(input, target, reduction="none")``; a class is made with the
               same; the gradient is by autograd
optax, jax     ``f(predictions, targets)`` on arrays of 64 bits; the gradient is
               by ``jax.grad``
keras          ``f(y_true, y_pred)``, which averages over the last axis, so that
               each pair is passed as a row of one; on JAX or PyTorch, with the
               gradient of either
sklearn        ``f(y_true, y_pred, sample_weight=w)``, a mean: for one example it
               is the loss, for many the weighted mean that is checked
torchmetrics   ``f(preds, target)``, a mean likewise
=============  =================================================================

Conversions by the harness are not findings about a library: predictions of integers become
float64, targets get the dtype of predictions, arrays are copied.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

import numpy as np

from lossfw.check.core.subject import Function
from lossfw.check.foreign.arrays import (
    AdaptedFunction,
    adapt_jax,
    adapt_keras,
    adapt_torch,
    as_arrays,
)
from lossfw.errors import ArgumentError, LossfwError
from lossfw.numerics.arrays import NDArray


def is_outside_function(name: str) -> bool:
    """Tell whether a name is that of an outside function.

    Examples
    --------
    >>> is_outside_function("numpy:hypot"), is_outside_function("huber")
    (True, False)
    """
    module, colon, function = name.partition(":")
    return bool(colon) and all(
        part.isidentifier() for path in (module, function) for part in path.split(".")
    )


def load_function(name: str) -> Function:
    """Return the function of a name; its module may be a file of the current folder.

    The current folder is searched last, because a file may have the name of a library.

    Raises
    ------
    ArgumentError
        If it cannot be imported, or is not a function.
    """
    module, _, path = name.partition(":")
    here = str(Path.cwd())
    is_new = here not in sys.path
    if is_new:
        sys.path.append(here)
    try:
        _import_from(here, module.partition(".")[0])
        function: Any = importlib.import_module(module)
        for part in path.split("."):
            function = getattr(function, part)
    except LossfwError:
        raise
    except Exception as error:
        raise ArgumentError(
            f"{name} cannot be imported: {type(error).__name__}: {error}. An outside function is "
            "written module:function."
        ) from error
    finally:
        if is_new:
            sys.path.remove(here)
    if not callable(function):
        raise ArgumentError(f"{name} is a {type(function).__name__}; expected a function.")
    loaded: Function = function
    return loaded


def _import_from(folder: str, name: str) -> None:
    """Import a module or package of a folder, if it is there and none of this name is loaded."""
    spec = PathFinder.find_spec(name, [folder]) if name not in sys.modules else None
    if spec is None or spec.loader is None:
        return
    sys.modules[name] = module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise


@dataclass(frozen=True)
class ForeignFunction:
    """A function or class of another library."""

    function: Function
    path: str  # how code calls it once its module is imported
    parameters: dict[str, Any]  # passed by name
    rows: bool  # whether a prediction is a row

    @property
    def is_class(self) -> bool:
        """Whether it is a class, whose instances are called."""
        return isinstance(self.function, type)

    def has_parameter(self, parameter: str) -> bool:
        """Tell whether it has a parameter of this name."""
        return parameter in _parameter_names(self.function)

    def bind(self, **more: Any) -> Function:
        """Return it with its parameters, and further ones, filled in."""
        if self.is_class:
            instance: Function = self.function(**self.parameters, **more)
            return instance
        return lambda *arrays: self.function(*arrays, **self.parameters, **more)

    def code(self, *arguments: str, **more: Any) -> str:
        """Return the code of the library's call."""
        options = [f"{k}={v!r}" for k, v in {**self.parameters, **more}.items()]
        if self.is_class:
            return f"{self.path}({', '.join(options)})({', '.join(arguments)})"
        return f"{self.path}({', '.join([*arguments, *options])})"


def adapt(
    name: str,
    function: Function,
    parameters: Mapping[str, Any] | None = None,
    *,
    rows: bool = False,
) -> AdaptedFunction:
    """Return the named function in the calling convention of the harness.

    The first part of the name is the library. Parameters that the function lacks are left out:
    they belong to the reference loss.

    Examples
    --------
    >>> adapt("mine:square", lambda y, t: (y - t) ** 2).value(3.0, 1.0)
    4.0
    """
    names = _parameter_names(function)
    accepted = {k: v for k, v in (parameters or {}).items() if k in names}
    module, _, path = name.partition(":")
    adapted = adapt_by_convention(
        name, ForeignFunction(function, f"{module}.{path}", accepted, rows)
    )
    before = f"import numpy as np\nfrom numpy import array, inf, nan\nimport {module}\n"
    return replace(adapted, setup=before + adapted.setup)


def adapt_by_convention(name: str, foreign: ForeignFunction) -> AdaptedFunction:
    """Return a function adapted by the convention of its library, the first part of its name."""
    return _CONVENTIONS.get(name.partition(":")[0].partition(".")[0], _adapt_any)(foreign)


def _parameter_names(function: Function) -> set[str]:
    """Return the names of a function's parameters; none for a compiled one without a signature."""
    try:
        return set(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return set()


def _adapt_any(foreign: ForeignFunction) -> AdaptedFunction:
    """Adapt a function of any other library: it takes NumPy arrays, and is unreduced."""
    if not foreign.parameters:
        return AdaptedFunction(foreign.function, setup=f"value = {foreign.path}")
    code = f"def value(y, t): return {foreign.code('y', 't')}"
    return AdaptedFunction(foreign.bind(), setup=code)


_TORCH = """import torch
def value(y, t): return {value}.numpy()
def gradient(y, t):
    y = torch.tensor(y, requires_grad=True)
    return torch.autograd.grad({derivative}.sum(), y)[0].numpy()"""


def _adapt_torch(foreign: ForeignFunction) -> AdaptedFunction:
    more = {"reduction": "none"} if foreign.has_parameter("reduction") else {}
    code = _TORCH.format(
        value=foreign.code("torch.tensor(y)", "torch.tensor(t)", **more),
        derivative=foreign.code("y", "torch.tensor(t)", **more),
    )
    return replace(adapt_torch(foreign.bind(**more)), setup=code)


_JAX = """import jax
jax.config.update("jax_enable_x64", True)
def value(y, t): return {value}
def gradient(y, t): return jax.grad(lambda y: value(y, t).sum())(y)"""


def _adapt_jax(foreign: ForeignFunction) -> AdaptedFunction:
    return replace(adapt_jax(foreign.bind()), setup=_JAX.format(value=foreign.code("y", "t")))


_VALUE = "def value(y, t): return "
_IN_ITS_FLOATS = """def value(y, t):
    keras.config.set_floatx(y.dtype.name)
    return """


def _adapt_keras(foreign: ForeignFunction) -> AdaptedFunction:
    import keras

    more = {"reduction": "none"} if foreign.is_class else {}
    body = foreign.bind(**more)

    def unreduced_loss(y: Any, t: Any) -> Any:
        # Each pair as a row of one: its mean is the loss itself.
        return body(t, y) if foreign.rows else body(t[..., None], y[..., None])

    ending = "" if foreign.rows else "[..., None]"
    call = foreign.code(f"t{ending}", f"y{ending}", **more)
    code = _JAX.format(value=call)
    if keras.backend.backend() == "torch":
        of_tensors = foreign.code(f"torch.tensor(t){ending}", f"torch.tensor(y){ending}", **more)
        derivative = foreign.code(f"torch.tensor(t){ending}", f"y{ending}", **more)
        code = _TORCH.format(value=of_tensors, derivative=derivative)
    return replace(adapt_keras(unreduced_loss), setup=code.replace(_VALUE, _IN_ITS_FLOATS))


_SKLEARN = """def reduce(y, t, sample_weight=None): return {mean}
def value(y, t): return array([reduce(y[i:i+1], t[i:i+1]) for i in range(len(y))])"""

_TORCHMETRICS = """import torch
def reduce(y, t): return {mean}.numpy()
def value(y, t): return array([reduce(y[i:i+1], t[i:i+1]) for i in range(len(y))])"""


def _adapt_sklearn(foreign: ForeignFunction) -> AdaptedFunction:
    labels = foreign.has_parameter("labels") and foreign.rows

    def mean(y: NDArray, t: NDArray, **options: Any) -> float:
        # One example does not show which classes there are.
        more = {"labels": np.arange(y.shape[-1])} if labels else {}
        return float(foreign.function(t, y, **foreign.parameters, **more, **options))

    def reduce(y: Any, t: Any, sample_weight: Any = None, where: Any = None) -> float:
        y, t = as_arrays(y, t)
        weight = None if sample_weight is None else np.asarray(sample_weight)
        if where is not None:
            y, t = y[where], t[where]
            weight = None if weight is None else weight[where]
        return mean(y, t, sample_weight=weight)

    call = foreign.code("t", "y", "sample_weight=sample_weight")
    if labels:
        call = f"{call[:-1]}, labels=np.arange(y.shape[-1]))"
    value = _loss_per_example(mean, foreign.rows)
    return AdaptedFunction(value, reduce=reduce, setup=_SKLEARN.format(mean=call))


def _adapt_torchmetrics(foreign: ForeignFunction) -> AdaptedFunction:
    call = foreign.code("torch.tensor(y)", "torch.tensor(t)")
    value = _loss_per_example(adapt_torch(foreign.bind()).value, foreign.rows)
    return AdaptedFunction(value, setup=_TORCHMETRICS.format(mean=call))


def _loss_per_example(mean: Function, rows: bool) -> Function:
    """Return the losses whose mean is known: each is the mean of one example."""

    def value(y: Any, t: Any) -> NDArray:
        y, t = as_arrays(y, t)
        if (len(y) != len(t)) if rows else (y.shape != t.shape):
            raise ArgumentError(f"predictions {y.shape} and targets {t.shape} do not fit.")
        shape = y.shape[:-1] if rows else y.shape
        y, t = (y, t) if rows else (y.ravel(), t.ravel())
        each = [mean(y[i : i + 1], t[i : i + 1]) for i in range(len(y))]
        return np.array(each, dtype=y.dtype).reshape(shape)

    return value


_CONVENTIONS: dict[str, Callable[[ForeignFunction], AdaptedFunction]] = {
    "torch": _adapt_torch,
    "optax": _adapt_jax,
    "jax": _adapt_jax,
    "keras": _adapt_keras,
    "sklearn": _adapt_sklearn,
    "torchmetrics": _adapt_torchmetrics,
}
