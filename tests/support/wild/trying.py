"""Try the losses of another library."""

import importlib.util
import os
import sys

import numpy as np

import lossfw
from lossfw.check import check_function
from lossfw.check.api import kind_and_spaces
from lossfw.check.foreign.arrays import AdaptedFunction, as_arrays
from lossfw.check.foreign.conventions import adapt, load_function
from lossfw.components.spaces import LOGITS

# Claims of ours that a function with the same formula should keep on floats too.
KEPT = ("nonnegative", "zero_at_target", "symmetric", "permutation_equivariant")

EXAMPLES = 150


def missing(case):
    """Return the library that is not installed, empty where it is."""
    needed = ("keras", "jax") if case.library == "keras" else (case.library,)
    gone = [name for name in needed if importlib.util.find_spec(name) is None]
    return ", ".join(gone)


def adapted(case):
    """Return the functions of a case."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    if not case.code:
        rows = described(case)["kind"] == "categorical"
        own = {**case.params, **case.given}
        return adapt(case.name, load_function(case.name), own, rows=rows)
    names = {"np": np}
    exec(case.code, names)
    return AdaptedFunction(
        arrays(names["value"]),
        names.get("gradient") and arrays(names["gradient"]),
        reduce=names.get("reduce"),
        setup=f"import numpy as np\nfrom numpy import array, inf, nan\n{case.code}",
    )


def arrays(function):
    """Hand over what an adapter would, and take a NumPy array back."""

    def call(y, t):
        return np.asarray(function(*as_arrays(y, t)))

    return call


def of_rows(function):
    """Make one-hot rows of class indices, which the function does not take."""

    def call(y, t):
        t = np.asarray(t)
        if t.ndim < np.ndim(y) and t.dtype.kind in "iu":
            if ((t < 0) | (t >= np.shape(y)[-1])).any():
                raise ValueError("no such class")
            t = np.eye(np.shape(y)[-1])[t]
        return function(y, t)

    return call


def described(case):
    """Return the kind of a case, and where its arguments live."""
    loss = lossfw.loss(case.against, **case.params) if case.against else None
    given = {"kind": case.kind, "prediction": case.prediction, "target": case.target}
    found = kind_and_spaces(loss, given)
    if found["prediction"] in ("LOGITS", LOGITS):
        # That infinite logits are legal is our rule, and nobody else's.
        found["prediction"] = "REAL"
    return found


def claims(case):
    """Return what is claimed."""
    if case.against is None:
        return case.claims
    made = lossfw.loss(case.against, **case.params).claims().to_dict()
    kept = {k: v for k, v in made.items() if k in KEPT}
    if case.target == "SIMPLEX":
        # What is 0 for a class is not for a soft target.
        kept.pop("zero_at_target", None)
    return {**kept, **case.claims}


def attempt(case, seed=0, examples=EXAMPLES):
    """Return the report of a case."""
    try:
        return report(case, seed, examples)
    finally:
        # What JAX has compiled for the shapes of this case serves no other one, and grows to
        # gigabytes.
        if "jax" in sys.modules:
            sys.modules["jax"].clear_caches()


def report(case, seed, examples):
    """Return the report of a case, and leave behind what JAX has compiled."""
    functions = adapted(case)
    value, gradient = functions.value, functions.gradient
    if case.distribution:
        value, gradient = of_rows(value), gradient and of_rows(gradient)
    return check_function(
        value,
        gradient=gradient,
        reduce=functions.reduce,
        name=str(case),
        against=case.against,
        params=case.params,
        claims=claims(case),
        setup=functions.setup,
        # XLA takes them for 0 on processors, whatever is computed.
        subnormal=case.library not in ("optax", "keras"),
        fewest_classes=case.fewest_classes,
        seed=seed,
        examples=examples,
        **described(case),
    )
