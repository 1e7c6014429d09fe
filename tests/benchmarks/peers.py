"""The peers of `losses.py`: torch, JAX and scikit-learn, each where it is installed.

Their own functions where they have them, else the textbook's formula in their operations.
"""

import numpy as np

WELSCH = 2.985


def _huber(m, r):
    a = m.abs(r)
    return m.where(a <= 1, 0.5 * r * r, a - 0.5)


def _poisson(m, y, t):
    some = m.where(t > 0, t, m.ones_like(t))
    return 2 * (t * m.log(some / y) - t + y)


# Of the namespace of a library, prediction and target.
TEXTBOOK = {
    "squared_error": lambda m, y, t: (y - t) ** 2,
    "huber": lambda m, y, t: _huber(m, y - t),
    "log_cosh": lambda m, y, t: (
        m.abs(y - t) + m.log1p(m.exp(-2 * m.abs(y - t))) - 0.6931471805599453
    ),
    "welsch": lambda m, y, t: 0.5 * WELSCH**2 * (1 - m.exp(-(((y - t) / WELSCH) ** 2))),
    "cauchy": lambda m, y, t: 0.5 * m.log1p((y - t) ** 2),
    "poisson_deviance": _poisson,
}


def torch_contenders(work, y, t, threads):
    try:
        import torch
        import torch.nn.functional as F  # noqa: N812  # its usual name
    except ImportError:
        return {}
    torch.set_num_threads(threads)
    # A function is compiled anew for a few shapes and dtypes only, and runs uncompiled after.
    torch.compiler.reset()
    if work.kind == "activation":
        return _torch_activation(torch, F, work, y)
    own = {
        "squared_error": F.mse_loss,
        "huber": F.huber_loss,
        "binary_cross_entropy": F.binary_cross_entropy_with_logits,
        "cross_entropy": F.cross_entropy,
    }
    function = own.get(work.name, lambda a, b: TEXTBOOK[work.name](torch, a, b).mean())
    a, b = torch.from_numpy(y), torch.from_numpy(t)

    def pair(function):
        def both():
            leaf = a.detach().requires_grad_()
            value = function(leaf, b)
            value.backward()
            return float(value.detach()), leaf.grad.numpy()

        return {"value": lambda: float(function(a, b)), "gradient": both}

    return {
        "torch eager": pair(function),
        "torch compiled": pair(torch.compile(function, dynamic=False)),
    }


def _torch_activation(torch, F, work, y):  # noqa: N803  # its usual name
    rows = {"softmax", "log_softmax"}
    if work.name in rows:
        plain = getattr(F, work.name)

        def function(x):
            return plain(x, dim=-1)
    else:
        function = getattr(F, work.name, None) or getattr(torch, work.name)
    x = torch.from_numpy(y)
    compiled = torch.compile(function, dynamic=False)
    return {
        "torch eager": {"value": lambda: function(x).numpy()},
        "torch compiled": {"value": lambda: compiled(x).numpy()},
    }


def jax_contenders(work, y, t):
    try:
        import jax
        import jax.numpy as jnp
        import optax
    except ImportError:
        return {}
    jax.config.update("jax_enable_x64", True)
    if work.kind == "activation":
        function = jax.jit(getattr(jax.nn, work.name))
        x = jax.device_put(y)
        return {"jax jit": {"value": lambda: np.asarray(function(x).block_until_ready())}}
    own = {
        "squared_error": optax.squared_error,
        "huber": optax.huber_loss,
        "log_cosh": optax.log_cosh,
        "binary_cross_entropy": optax.sigmoid_binary_cross_entropy,
        "cross_entropy": optax.softmax_cross_entropy_with_integer_labels,
    }
    function = own.get(work.name, lambda a, b: TEXTBOOK[work.name](jnp, a, b))
    mean = jax.jit(lambda a, b: jnp.mean(function(a, b)))
    derivative = jax.jit(jax.value_and_grad(lambda a, b: jnp.mean(function(a, b))))
    a, b = jax.device_put(y), jax.device_put(t)

    def both():
        value, gradient = derivative(a, b)
        gradient.block_until_ready()
        return float(value), np.asarray(gradient)

    return {"jax jit": {"value": lambda: float(mean(a, b)), "gradient": both}}


def sklearn_contenders(work, y, t, threads):
    if work.kind == "activation":
        return {}
    try:
        from sklearn._loss import loss as losses
    except ImportError:
        return {}
    made = {
        "squared_error": (losses.HalfSquaredError, 2.0),
        "binary_cross_entropy": (losses.HalfBinomialLoss, 1.0),
        "cross_entropy": (lambda: losses.HalfMultinomialLoss(n_classes=y.shape[-1]), 1.0),
    }
    if work.name not in made:
        return {}
    make, factor = made[work.name]
    function, truth = make(), t.astype(y.dtype)

    def both():
        value, derivative = function.loss_gradient(truth, y, n_threads=threads)
        return factor * np.mean(value, dtype="f8"), derivative * (factor / len(y))

    def value():
        return factor * np.mean(function.loss(truth, y, n_threads=threads), dtype="f8")

    return {"scikit-learn": {"value": value, "gradient": both}}
