"""Losses and activations of other libraries that have the formula of one of ours.

A table for each library says which function that is, how its parameters are called, and at
which of our parameters. Each is adapted as by `lossfw.check.foreign.conventions`. Libraries are
optional. `make_accuracy.py` measures them beside ours, and ``make costs`` writes their names where
`lossfw show` reads them.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from lossfw.check.accuracy.measure import ComponentAccuracy, measure_config
from lossfw.check.core.points import ArgumentArrays
from lossfw.check.core.subject import Function
from lossfw.check.foreign.arrays import (
    AdaptedFunction,
    Lifting,
    adapt_jax,
    adapt_keras,
    adapt_torch,
)
from lossfw.check.foreign.conventions import ForeignFunction, adapt_by_convention, load_function
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import NDArray

# Makes a function of the library's arrays, or an `AdaptedFunction`, from its function and our
# parameters.
Maker = Callable[[Any, Mapping[str, Any]], Any]


class PeerImplementation(NamedTuple):
    """One function of a peer with the derivatives that it has, of NumPy's arrays, unreduced."""

    functions: tuple[Callable[..., NDArray | None], ...]  # by order of the derivative
    takes: Callable[..., NDArray] | None = None  # where it is the same function as ours

    def compute(self, order: int, arrays: ArgumentArrays) -> NDArray | None:
        """Return the peer's results; None where it lacks the derivative or refuses."""
        if order >= len(self.functions):
            return None
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                # A library's warnings about such arguments do not matter here.
                warnings.simplefilter("ignore")
                result = self.functions[order](*arrays)
        except Exception:
            # Some libraries refuse what others take, such as a row of one class.
            return None
        return None if result is None else result.astype(arrays[0].dtype, copy=False)


class PeerFunction:
    """A function of a library that has the formula of one of our components.

    Ours are the `parameters` that it gets, as ``"name"`` or ``"their_name=name"``, and those of
    `when`, at which it is the same function. `make` adapts it where the convention of the library
    does not, and `takes` returns where it computes the same for some arguments. Our loss is
    `times` what it computes: a number, or the name of a parameter.
    """

    def __init__(
        self,
        function: str,
        *parameters: str,
        make: Maker | None = None,
        takes: Callable[..., NDArray] | None = None,
        times: float | str = 1,
        **when: Any,
    ) -> None:
        named = (text.rpartition("=") for text in parameters)
        self._parameters = {theirs or name: name for theirs, _, name in named}
        self._function, self._make = function, make
        self.takes, self.times, self.when = takes, times, when

    @property
    def call(self) -> str:
        """The function as its library calls it, with those of its parameters that are ours."""
        arguments = ", ".join(f"{theirs}={ours}" for theirs, ours in self._parameters.items())
        return f"{self._function.replace(':', '.')}({arguments})"

    def fits(self, component: Loss | Activation) -> bool:
        """Tell whether it is the same function at the parameters of a component."""
        return all(component.parameters.get(k, False) == value for k, value in self.when.items())

    def body(self, component: Loss | Activation) -> Any:
        """Return it at the parameters of a component, as `make` does."""
        function, ours = load_function(self._function), component.parameters
        if self._make is not None:
            return self._make(function, ours)
        arguments = {theirs: ours[name] for theirs, name in self._parameters.items()}
        foreign = ForeignFunction(function, "", arguments, rows=component.takes_rows)
        if isinstance(component, Activation):
            return foreign.bind()
        adapted = adapt_by_convention(self._function, foreign)
        return adapted.scale_results(
            ours[self.times] if isinstance(self.times, str) else self.times
        )


# By our names; of several entries the first that fits counts.
PeerTable = dict[str, PeerFunction | tuple[PeerFunction, ...]]


@dataclass(frozen=True)
class Peer:
    """A library with losses or activations."""

    name: str  # the head of its column
    module: str  # has its version
    table: PeerTable
    lift: Lifting
    derivatives: int = 2  # so many are the library's own

    @property
    def version(self) -> str:
        """The version that is installed."""
        module = importlib.import_module(self.module)
        if self.module == "keras":
            return f"{module.__version__} on {module.backend.backend()}"
        if self.module == "optax":
            return f"{module.__version__} on JAX {importlib.import_module('jax').__version__}"
        return str(module.__version__)

    def functions(self, name: str) -> tuple[PeerFunction, ...]:
        """Return its functions with the formula of a component of this name."""
        functions = self.table.get(name, ())
        return functions if isinstance(functions, tuple) else (functions,)

    def find_function(self, component: Loss | Activation) -> PeerImplementation | None:
        """Return its function for a component, None where it has none."""
        fitting = (one for one in self.functions(component.name) if one.fits(component))
        function = next(fitting, None)
        if function is None:
            return None
        body = function.body(component)
        adapted = body if isinstance(body, AdaptedFunction) else self.lift(body)
        functions = [adapted.value, adapted.gradient, adapted.hessian]
        if component.takes_rows:
            functions[2] = None
            if isinstance(component, Activation):
                functions[1] = _jacobian(body, self.lift)
        known = (one for one in functions[: self.derivatives + 1] if one is not None)
        return PeerImplementation(tuple(known), function.takes)


def _jacobian(body: Function, lift: Lifting) -> Function:
    """Return the Jacobian of a function of rows, [row, result, argument]."""

    def jacobian(x: NDArray) -> NDArray:
        columns = (lift(lambda y, k=k: body(y)[:, k]) for k in range(x.shape[-1]))
        return np.stack([column.gradient(x) for column in columns if column.gradient], axis=1)

    return jacobian


def hard(y: NDArray, t: NDArray) -> NDArray:
    """Tell which targets are 0 or 1: of others, some libraries make something else."""
    return np.asarray((t == 0) | (t == 1))


def positive(y: NDArray, t: NDArray) -> NDArray:
    """Tell where both are above 0: some libraries take negative numbers for 0."""
    return np.asarray((y > 0) & (t > 0))


_ON_LOGITS: dict[str, Any] = {"from_logits": True}
_NO_GUARD: dict[str, Any] = {"from_logits": False, "guard": "none"}
_EVEN: dict[str, Any] = {"pos_weight": 1, "label_smoothing": 0}
_DIVERGENCE: dict[str, Any] = {**_NO_GUARD, "reverse": False}

# Activations: the names in PyTorch and in JAX, and the parameters of both.
_ACTIVATIONS = {
    "celu": ("celu", "celu", "alpha"),
    "elu": ("elu", "elu", "alpha"),
    "hard_sigmoid": ("hardsigmoid", "hard_sigmoid"),
    "hard_swish": ("hardswish", "hard_swish"),
    "leaky_relu": ("leaky_relu", "leaky_relu", "negative_slope"),
    "mish": ("mish", "mish"),
    "relu": ("relu", "relu"),
    "selu": ("selu", "selu"),
    "silu": ("silu", "silu"),
    "softsign": ("softsign", "soft_sign"),
}

_F, _O, _K, _S = "torch.nn.functional", "optax.losses", "keras.losses", "sklearn._loss.loss"


def _gaussian(f: Any, p: Mapping[str, Any]) -> Function:
    def function(y: Any, t: Any) -> Any:
        variance = p["variance"] + 0 * y.detach()
        return f(y, t, variance, full=p["full"], reduction="none")

    return function


def _pos_weight(f: Any, p: Mapping[str, Any]) -> Function:
    return lambda y, t: f(y, t, reduction="none", pos_weight=y.new_tensor(p["pos_weight"]))


def _poisson(f: Any, p: Mapping[str, Any]) -> Function:
    log = p["link"] == "log"
    return lambda y, t: f(y, t, log_input=log, eps=0.0, reduction="none")


def _hinge_embedding(f: Any, p: Mapping[str, Any]) -> AdaptedFunction:
    # At the kink its gradient is that of the other side, which is right as well.
    return AdaptedFunction(adapt_torch(lambda y, t: f(y, t, p["margin"], reduction="none")).value)


_TORCH: PeerTable = {
    **{ours: PeerFunction(f"{_F}:{name}", *more)
       for ours, (name, _, *more) in _ACTIVATIONS.items()},
    "exp": PeerFunction("torch:exp"),
    "gelu": PeerFunction(f"{_F}:gelu", make=lambda f, p: (
        lambda x: f(x, approximate="tanh" if p["form"] == "tanh" else "none"))),
    "log_softmax": PeerFunction(f"{_F}:log_softmax", make=lambda f, p: lambda x: f(x, -1)),
    "sigmoid": PeerFunction("torch:sigmoid"),
    "softmax": PeerFunction(f"{_F}:softmax", make=lambda f, p: lambda x: f(x, -1)),
    "softplus": PeerFunction(f"{_F}:softplus", "beta"),
    "tanh": PeerFunction("torch:tanh"),
    "absolute_error": PeerFunction(f"{_F}:l1_loss"),
    "binary_cross_entropy": (
        PeerFunction(f"{_F}:binary_cross_entropy_with_logits", make=_pos_weight, label_smoothing=0,
                **_ON_LOGITS),
        PeerFunction(f"{_F}:binary_cross_entropy", **_NO_GUARD, **_EVEN),
    ),
    "cosine_distance": PeerFunction(f"{_F}:cosine_similarity",
                             make=lambda f, p: lambda y, t: 1 - f(y, t, -1)),
    "cross_entropy": PeerFunction(f"{_F}:cross_entropy", "label_smoothing", **_ON_LOGITS),
    "gaussian_nll": PeerFunction(f"{_F}:gaussian_nll_loss", make=_gaussian),
    "hinge_embedding": PeerFunction(f"{_F}:hinge_embedding_loss", "margin", make=_hinge_embedding),
    "huber": (
        PeerFunction(f"{_F}:huber_loss", "delta"),
        PeerFunction(f"{_F}:smooth_l1_loss", "beta=delta", times="delta"),
    ),
    "kl_divergence": PeerFunction(f"{_F}:kl_div", **_DIVERGENCE, make=lambda f, p: (
        lambda y, t: f(y.log(), t, reduction="none").sum(-1))),
    "logistic": PeerFunction(f"{_F}:soft_margin_loss"),
    "multiclass_hinge": PeerFunction(f"{_F}:multi_margin_loss", "p=power", "margin",
                                form="multi_margin"),
    "poisson_nll": PeerFunction(f"{_F}:poisson_nll_loss", make=_poisson, full=False),
    "squared_error": PeerFunction(f"{_F}:mse_loss", factor=1),
}  # fmt: skip


def _one_hot(t: Any, z: Any) -> Any:
    import jax

    return t if t.ndim == z.ndim else jax.nn.one_hot(t, z.shape[-1], dtype=z.dtype)


def _by_either(f: Any, p: Mapping[str, Any]) -> Function:
    by_index = load_function(f"{_O}:softmax_cross_entropy_with_integer_labels")
    return lambda z, t: (by_index if t.ndim < z.ndim else f)(z, t)


def _of_logarithm(f: Any, p: Mapping[str, Any]) -> Function:
    log = load_function("jax.numpy:log")
    return lambda y, t: f(log(y), t)


_OPTAX: PeerTable = {
    **{ours: PeerFunction(f"jax.nn:{name}", *more)
       for ours, (_, name, *more) in _ACTIVATIONS.items()},
    "exp": PeerFunction("jax.numpy:exp"),
    "gelu": PeerFunction("jax.nn:gelu", make=lambda f, p: (
        lambda x: f(x, approximate=p["form"] == "tanh"))),
    "log_softmax": PeerFunction("jax.nn:log_softmax"),
    "sigmoid": PeerFunction("jax.nn:sigmoid"),
    "softmax": PeerFunction("jax.nn:softmax"),
    "softplus": PeerFunction("jax.nn:softplus", beta=1),
    "tanh": PeerFunction("jax.nn:tanh"),
    "binary_cross_entropy": PeerFunction(f"{_O}:sigmoid_binary_cross_entropy", **_EVEN,
                                         **_ON_LOGITS),
    "cosine_distance": PeerFunction(f"{_O}:cosine_distance"),
    "cross_entropy": PeerFunction(f"{_O}:softmax_cross_entropy", make=_by_either, label_smoothing=0,
                           **_ON_LOGITS),
    "focal": PeerFunction(f"{_O}:sigmoid_focal_loss", "alpha", "gamma", takes=hard, **_ON_LOGITS),
    "hinge": PeerFunction(f"{_O}:hinge_loss", margin=1),
    "huber": PeerFunction(f"{_O}:huber_loss", "delta"),
    "kl_divergence": PeerFunction(f"{_O}:kl_divergence", make=_of_logarithm, **_DIVERGENCE),
    "log_cosh": PeerFunction(f"{_O}:log_cosh"),
    "perceptron": PeerFunction(f"{_O}:perceptron_loss"),
    "poly_cross_entropy": PeerFunction(f"{_O}:poly_loss_cross_entropy", **_ON_LOGITS,
                                       make=lambda f, p: (
        lambda z, t: f(z, _one_hot(t, z), epsilon=p["epsilon"]))),
    "squared_error": (
        PeerFunction(f"{_O}:squared_error", factor=1),
        PeerFunction(f"{_O}:l2_loss", times=2, factor=1),
    ),
}  # fmt: skip


def _categorical(f: Any, p: Mapping[str, Any]) -> Function:
    by_index = load_function(f"{_K}:sparse_categorical_crossentropy")
    return lambda y, t: (by_index if t.ndim < y.ndim else f)(t, y, from_logits=p["from_logits"])


# On probabilities it clips by a constant of its own: the guard "none" comes nearest.
_KERAS: PeerTable = {
    "absolute_error": PeerFunction(f"{_K}:mean_absolute_error"),
    "binary_cross_entropy": tuple(
        PeerFunction(f"{_K}:binary_crossentropy", "from_logits", "label_smoothing", pos_weight=1,
                     **when)
        for when in (_ON_LOGITS, _NO_GUARD)
    ),
    "cosine_distance": PeerFunction(f"{_K}:cosine_similarity",
                               make=lambda f, p: lambda y, t: 1 + f(t, y)),
    "cross_entropy": tuple(
        PeerFunction(f"{_K}:categorical_crossentropy", make=_categorical, label_smoothing=0, **when)
        for when in (_ON_LOGITS, _NO_GUARD)
    ),
    "focal": PeerFunction(f"{_K}:binary_focal_crossentropy", "gamma", "from_logits", takes=hard,
                   alpha=None, **_ON_LOGITS),
    "hinge": PeerFunction(f"{_K}:hinge", margin=1),
    "huber": PeerFunction(f"{_K}:huber", "delta"),
    "kl_divergence": PeerFunction(f"{_K}:kl_divergence", **_DIVERGENCE),
    "log_cosh": PeerFunction(f"{_K}:log_cosh"),
    "poisson_nll": PeerFunction(f"{_K}:poisson", link="identity", full=False),
    "squared_error": PeerFunction(f"{_K}:mean_squared_error", factor=1),
    "squared_hinge": PeerFunction(f"{_K}:squared_hinge", margin=1),
    "squared_log_error": PeerFunction(f"{_K}:mean_squared_logarithmic_error", takes=positive),
}  # fmt: skip


def _compiled(factor: float, **parameters: str) -> Maker:
    """Adapt a compiled loss of scikit-learn's boosted trees, which takes targets first.

    These are private to it, and halves in several cases; doubling is exact.
    """

    def make(cls: Any, p: Mapping[str, Any]) -> AdaptedFunction:
        loss = cls(**{theirs: p[ours] for theirs, ours in parameters.items()})

        def value(y: NDArray, t: NDArray) -> NDArray:
            y, t = np.ascontiguousarray(y), np.ascontiguousarray(t)
            # Deviances are 0 at the best prediction; it leaves out terms of the target.
            constant = loss.constant_to_optimal_zero(t) if factor == 2 else 0.0
            return np.asarray(factor * (loss.loss(t, y) + constant)).astype(y.dtype)

        def gradient(y: NDArray, t: NDArray) -> NDArray:
            found = loss.gradient(np.ascontiguousarray(t), np.ascontiguousarray(y))
            return np.asarray(factor * found)

        return AdaptedFunction(value, gradient)

    return make


def _half(function: str, *parameters: str, **when: Any) -> PeerFunction:
    """Return an entry for a loss that is half of ours."""
    named = {name: name for name in parameters}
    return PeerFunction(
        f"{_S}:{function}", *parameters, make=_compiled(2, **named), times=2, **when
    )


def _multinomial(cls: Any, p: Mapping[str, Any]) -> AdaptedFunction:
    def value(z: NDArray, t: NDArray) -> NDArray | None:
        if t.ndim == z.ndim:
            return None
        loss = cls(n_classes=z.shape[-1])
        return np.asarray(loss.loss(t.astype(z.dtype), np.ascontiguousarray(z)))

    return AdaptedFunction(value)


_SKLEARN: PeerTable = {
    "absolute_error": PeerFunction(f"{_S}:AbsoluteError", make=_compiled(1)),
    "binary_cross_entropy": PeerFunction(f"{_S}:HalfBinomialLoss", make=_compiled(1), **_EVEN,
                                    **_ON_LOGITS),
    "cross_entropy": PeerFunction(f"{_S}:HalfMultinomialLoss", make=_multinomial, label_smoothing=0,
                           **_ON_LOGITS),
    "gamma_deviance": _half("HalfGammaLoss", link="log"),
    "huber": PeerFunction(f"{_S}:HuberLoss", "delta", make=_compiled(1, delta="delta")),
    "poisson_deviance": _half("HalfPoissonLoss", link="log"),
    "poisson_nll": PeerFunction(f"{_S}:HalfPoissonLoss", make=_compiled(1), link="log", full=False),
    "quantile": PeerFunction(f"{_S}:PinballLoss", "quantile=q", make=_compiled(1, quantile="q")),
    "squared_error": _half("HalfSquaredError", factor=1),
    "tweedie_deviance": _half("HalfTweedieLoss", "power", link="log"),
}  # fmt: skip

# Keras has no derivatives of its own, and is called as outside of a training.
PEERS = (
    Peer("torch", "torch", _TORCH, adapt_torch),
    Peer("optax", "optax", _OPTAX, adapt_jax),
    Peer("keras", "keras", _KERAS, partial(adapt_keras, compiled=False), derivatives=0),
    Peer("scikit-learn", "sklearn", _SKLEARN, AdaptedFunction),
)


def installed() -> tuple[Peer, ...]:
    """Return the peers that are installed."""
    # Keras reads it when it is imported.
    os.environ.setdefault("KERAS_BACKEND", "jax")
    return tuple(peer for peer in PEERS if importlib.util.find_spec(peer.module))


def measure_with_peers(**given: Any) -> ComponentAccuracy:
    """Measure a component and the installed libraries; see `measure_config`."""
    return measure_config(**given, peers=installed())


def peer_calls() -> dict[str, list[dict[str, Any]]]:
    """Return for each of our components the functions of other libraries with its formula.

    The component is ``times`` the call (a text names a parameter) at the parameters of ``when``.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for peer in PEERS:
        for name in peer.table:
            found.setdefault(name, []).extend(
                {"library": peer.name, "call": one.call, "times": one.times, "when": one.when}
                for one in peer.functions(name)
            )
    return dict(sorted(found.items()))
