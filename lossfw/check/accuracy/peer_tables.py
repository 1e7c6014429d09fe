"""Tables of other libraries' losses and activations that have the formula of one of ours."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from lossfw.check.accuracy.peers import Maker, Peer, PeerFunction, PeerTable, offered
from lossfw.check.core.subject import Function
from lossfw.check.foreign import loading
from lossfw.check.foreign.libraries import Adapted, of_jax, of_keras, of_torch
from lossfw.numerics.arrays import NDArray


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


def _hinge_embedding(f: Any, p: Mapping[str, Any]) -> Adapted:
    # At the kink its slope is that of the other side, which is right as well.
    return Adapted(of_torch(lambda y, t: f(y, t, p["margin"], reduction="none")).value)


_TORCH: PeerTable = {
    **{ours: offered(f"{_F}:{name}", *more) for ours, (name, _, *more) in _ACTIVATIONS.items()},
    "exp": offered("torch:exp"),
    "gelu": offered(f"{_F}:gelu", make=lambda f, p: (
        lambda x: f(x, approximate="tanh" if p["form"] == "tanh" else "none"))),
    "log_softmax": offered(f"{_F}:log_softmax", make=lambda f, p: lambda x: f(x, -1)),
    "sigmoid": offered("torch:sigmoid"),
    "softmax": offered(f"{_F}:softmax", make=lambda f, p: lambda x: f(x, -1)),
    "softplus": offered(f"{_F}:softplus", "beta"),
    "tanh": offered("torch:tanh"),
    "absolute_error": offered(f"{_F}:l1_loss"),
    "binary_cross_entropy": (
        offered(f"{_F}:binary_cross_entropy_with_logits", make=_pos_weight, label_smoothing=0,
                **_ON_LOGITS),
        offered(f"{_F}:binary_cross_entropy", **_NO_GUARD, **_EVEN),
    ),
    "cosine_distance": offered(f"{_F}:cosine_similarity",
                             make=lambda f, p: lambda y, t: 1 - f(y, t, -1)),
    "cross_entropy": offered(f"{_F}:cross_entropy", "label_smoothing", **_ON_LOGITS),
    "gaussian_nll": offered(f"{_F}:gaussian_nll_loss", make=_gaussian),
    "hinge_embedding": offered(f"{_F}:hinge_embedding_loss", "margin", make=_hinge_embedding),
    "huber": (
        offered(f"{_F}:huber_loss", "delta"),
        offered(f"{_F}:smooth_l1_loss", "beta=delta", times="delta"),
    ),
    "kl_divergence": offered(f"{_F}:kl_div", **_DIVERGENCE, make=lambda f, p: (
        lambda y, t: f(y.log(), t, reduction="none").sum(-1))),
    "logistic": offered(f"{_F}:soft_margin_loss"),
    "multiclass_hinge": offered(f"{_F}:multi_margin_loss", "p=power", "margin",
                                form="multi_margin"),
    "poisson_nll": offered(f"{_F}:poisson_nll_loss", make=_poisson, full=False),
    "squared_error": offered(f"{_F}:mse_loss", factor=1),
}  # fmt: skip


def _one_hot(t: Any, z: Any) -> Any:
    import jax

    return t if t.ndim == z.ndim else jax.nn.one_hot(t, z.shape[-1], dtype=z.dtype)


def _by_either(f: Any, p: Mapping[str, Any]) -> Function:
    by_index = loading.load(f"{_O}:softmax_cross_entropy_with_integer_labels")
    return lambda z, t: (by_index if t.ndim < z.ndim else f)(z, t)


def _of_logarithm(f: Any, p: Mapping[str, Any]) -> Function:
    log = loading.load("jax.numpy:log")
    return lambda y, t: f(log(y), t)


_OPTAX: PeerTable = {
    **{ours: offered(f"jax.nn:{name}", *more) for ours, (_, name, *more) in _ACTIVATIONS.items()},
    "exp": offered("jax.numpy:exp"),
    "gelu": offered("jax.nn:gelu", make=lambda f, p: (
        lambda x: f(x, approximate=p["form"] == "tanh"))),
    "log_softmax": offered("jax.nn:log_softmax"),
    "sigmoid": offered("jax.nn:sigmoid"),
    "softmax": offered("jax.nn:softmax"),
    "softplus": offered("jax.nn:softplus", beta=1),
    "tanh": offered("jax.nn:tanh"),
    "binary_cross_entropy": offered(f"{_O}:sigmoid_binary_cross_entropy", **_EVEN, **_ON_LOGITS),
    "cosine_distance": offered(f"{_O}:cosine_distance"),
    "cross_entropy": offered(f"{_O}:softmax_cross_entropy", make=_by_either, label_smoothing=0,
                           **_ON_LOGITS),
    "focal": offered(f"{_O}:sigmoid_focal_loss", "alpha", "gamma", takes=hard, **_ON_LOGITS),
    "hinge": offered(f"{_O}:hinge_loss", margin=1),
    "huber": offered(f"{_O}:huber_loss", "delta"),
    "kl_divergence": offered(f"{_O}:kl_divergence", make=_of_logarithm, **_DIVERGENCE),
    "log_cosh": offered(f"{_O}:log_cosh"),
    "perceptron": offered(f"{_O}:perceptron_loss"),
    "poly_cross_entropy": offered(f"{_O}:poly_loss_cross_entropy", **_ON_LOGITS, make=lambda f, p: (
        lambda z, t: f(z, _one_hot(t, z), epsilon=p["epsilon"]))),
    "squared_error": (
        offered(f"{_O}:squared_error", factor=1),
        offered(f"{_O}:l2_loss", times=2, factor=1),
    ),
}  # fmt: skip


def _categorical(f: Any, p: Mapping[str, Any]) -> Function:
    by_index = loading.load(f"{_K}:sparse_categorical_crossentropy")
    return lambda y, t: (by_index if t.ndim < y.ndim else f)(t, y, from_logits=p["from_logits"])


# On probabilities it clips by a constant of its own: the guard "none" comes nearest.
_KERAS: PeerTable = {
    "absolute_error": offered(f"{_K}:mean_absolute_error"),
    "binary_cross_entropy": tuple(
        offered(f"{_K}:binary_crossentropy", "from_logits", "label_smoothing", pos_weight=1, **when)
        for when in (_ON_LOGITS, _NO_GUARD)
    ),
    "cosine_distance": offered(f"{_K}:cosine_similarity",
                               make=lambda f, p: lambda y, t: 1 + f(t, y)),
    "cross_entropy": tuple(
        offered(f"{_K}:categorical_crossentropy", make=_categorical, label_smoothing=0, **when)
        for when in (_ON_LOGITS, _NO_GUARD)
    ),
    "focal": offered(f"{_K}:binary_focal_crossentropy", "gamma", "from_logits", takes=hard,
                   alpha=None, **_ON_LOGITS),
    "hinge": offered(f"{_K}:hinge", margin=1),
    "huber": offered(f"{_K}:huber", "delta"),
    "kl_divergence": offered(f"{_K}:kl_divergence", **_DIVERGENCE),
    "log_cosh": offered(f"{_K}:log_cosh"),
    "poisson_nll": offered(f"{_K}:poisson", link="identity", full=False),
    "squared_error": offered(f"{_K}:mean_squared_error", factor=1),
    "squared_hinge": offered(f"{_K}:squared_hinge", margin=1),
    "squared_log_error": offered(f"{_K}:mean_squared_logarithmic_error", takes=positive),
}  # fmt: skip


def _compiled(factor: float, **parameters: str) -> Maker:
    """Adapt a compiled loss of scikit-learn's boosted trees, which takes targets first.

    These are private to it, and halves in several cases; doubling is exact.
    """

    def make(cls: Any, p: Mapping[str, Any]) -> Adapted:
        loss = cls(**{theirs: p[ours] for theirs, ours in parameters.items()})

        def value(y: NDArray, t: NDArray) -> NDArray:
            y, t = np.ascontiguousarray(y), np.ascontiguousarray(t)
            # Deviances are 0 at the best prediction; it leaves out the terms of the target alone.
            rest = loss.constant_to_optimal_zero(t) if factor == 2 else 0.0
            return np.asarray(factor * (loss.loss(t, y) + rest)).astype(y.dtype)

        def gradient(y: NDArray, t: NDArray) -> NDArray:
            slope = loss.gradient(np.ascontiguousarray(t), np.ascontiguousarray(y))
            return np.asarray(factor * slope)

        return Adapted(value, gradient)

    return make


def _half(function: str, *parameters: str, **when: Any) -> PeerFunction:
    """Return an entry for a loss that is half of ours."""
    named = {name: name for name in parameters}
    return offered(f"{_S}:{function}", *parameters, make=_compiled(2, **named), times=2, **when)


def _multinomial(cls: Any, p: Mapping[str, Any]) -> Adapted:
    def value(z: NDArray, t: NDArray) -> NDArray | None:
        if t.ndim == z.ndim:
            return None
        loss = cls(n_classes=z.shape[-1])
        return np.asarray(loss.loss(t.astype(z.dtype), np.ascontiguousarray(z)))

    return Adapted(value)


_SKLEARN: PeerTable = {
    "absolute_error": offered(f"{_S}:AbsoluteError", make=_compiled(1)),
    "binary_cross_entropy": offered(f"{_S}:HalfBinomialLoss", make=_compiled(1), **_EVEN,
                                    **_ON_LOGITS),
    "cross_entropy": offered(f"{_S}:HalfMultinomialLoss", make=_multinomial, label_smoothing=0,
                           **_ON_LOGITS),
    "gamma_deviance": _half("HalfGammaLoss", link="log"),
    "huber": offered(f"{_S}:HuberLoss", "delta", make=_compiled(1, delta="delta")),
    "poisson_deviance": _half("HalfPoissonLoss", link="log"),
    "poisson_nll": offered(f"{_S}:HalfPoissonLoss", make=_compiled(1), link="log", full=False),
    "quantile": offered(f"{_S}:PinballLoss", "quantile=q", make=_compiled(1, quantile="q")),
    "squared_error": _half("HalfSquaredError", factor=1),
    "tweedie_deviance": _half("HalfTweedieLoss", "power", link="log"),
}  # fmt: skip

# Keras has no derivatives of its own, and is called as outside of a training.
PEERS = (
    Peer("torch", "torch", _TORCH, of_torch),
    Peer("optax", "optax", _OPTAX, of_jax),
    Peer("keras", "keras", _KERAS, partial(of_keras, compiled=False), derivatives=0),
    Peer("scikit-learn", "sklearn", _SKLEARN, Adapted),
)


def installed() -> tuple[Peer, ...]:
    """Return the peers that are installed."""
    # Keras reads it when it is imported.
    os.environ.setdefault("KERAS_BACKEND", "jax")
    return tuple(peer for peer in PEERS if importlib.util.find_spec(peer.module))
