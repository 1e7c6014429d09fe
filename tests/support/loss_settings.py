"""Where built-in losses are tested: their defaults and other parameters, and legal arguments."""

import numpy as np

import lossfw
from lossfw.components.spaces import LOGITS, POSITIVE, REAL, SIMPLEX, UNIT
from support.formulas import DISTANCES, MARGINS, PAIRS, ROWS

# Most of these no float32 is equal to.
_SCALES = (0.1, 1e-3, 0.0123, 1e3)
_GUARDS = ("normalised", "additive", "floor", "none")
_SHARES = ({"q": 0.1}, {"q": 1e-3}, {"q": 0.999})
_LINKS = ("identity", "log")
_POWERS = (-3.0, -0.3, 1.000001, 1.1, 1.5, 1.999999, 2.5, 7.5)
_UNEVEN = {"pos_weight": 3.7, "label_smoothing": 0.1}
_FOCAL = ({}, {"gamma": 0.5, "alpha": 0.25}, {"gamma": 5.0}, {"gamma": 1.37})
_GUARDED = [{"guard": guard, "delta": 1e-3} for guard in _GUARDS]

PARAMETERS = {
    **{
        name: [{"c": c} for c in _SCALES]
        for name in ("charbonnier", "cauchy", "geman_mcclure", "fair", "tukey", "welsch")
    },
    **{name: [{"delta": c} for c in _SCALES] for name in ("huber", "pseudo_huber")},
    **dict.fromkeys(("quantile", "expectile"), _SHARES),
    "epsilon_insensitive": [
        {"epsilon": epsilon, "squared": squared}
        for epsilon, squared in ((0.1, True), (0.0, False), (0.0, True), (1e3, True))
    ],
    "gaussian_nll": [
        {"variance": variance, "full": full}
        for variance, full in ((1.0, False), (0.1, False), (1e-3, True), (1e3, True))
    ],
    **{
        name: [{"margin": 0.1}, {"margin": 1e3}]
        for name in ("hinge", "squared_hinge", "hinge_embedding")
    },
    "smoothed_hinge": [{"gamma": gamma} for gamma in (0.1, 1e-3, 1e3)],
    "dwd": [{"q": q} for q in (0.3, 4.0, 100.0, 1e-3)],
    "absolute_percentage_error": [{"floor": 0.3}],
    "poisson_deviance": [{"link": "log"}],
    "poisson_nll": [{"link": k, "full": full} for k in _LINKS for full in (False, True)],
    "gamma_deviance": [{"link": "log"}],
    "tweedie_deviance": [{"power": p, "link": k} for p in _POWERS for k in _LINKS],
    "binary_cross_entropy": [
        *({"guard": guard, "delta": delta} for guard in _GUARDS for delta in (1e-7, 0.3)),
        {"from_logits": True},
        *({"guard": guard, "delta": 0.3, **_UNEVEN} for guard in _GUARDS),
        {"guard": "none", "pos_weight": 1e3},
        *({"from_logits": True, **more} for more in (_UNEVEN, {"pos_weight": 0.01})),
    ],
    "focal": [{**p, "from_logits": logits} for p in _FOCAL for logits in (False, True)],
    "heteroscedastic_gaussian_nll": [{"full": False}],
    "cross_entropy": [
        *(
            {"guard": guard, "delta": delta, "label_smoothing": share}
            for guard in _GUARDS
            for delta, share in ((1e-7, 0.0), (0.3, 0.1))
        ),
        *({"from_logits": True, "label_smoothing": share} for share in (0.0, 0.1)),
    ],
    "categorical_focal": [
        {"gamma": 0.3},
        {"gamma": 5.5, "alpha": (0.1, 0.2, 0.3)},
        *({"gamma": gamma, "from_logits": True} for gamma in (0.0, 0.3, 2.0)),
    ],
    "generalised_cross_entropy": [{"q": q} for q in (0.1, 1.0, 1e-6)],
    "poly_cross_entropy": [
        *({"epsilon": epsilon} for epsilon in (-1.0, 1e3)),
        *({"epsilon": epsilon, "from_logits": True} for epsilon in (-1.0, -0.3, 1.0, 30.0)),
    ],
    "multiclass_hinge": [
        {"margin": 0.3, "power": 2},
        *({"form": form} for form in ("weston_watkins", "multi_margin")),
        {"form": "weston_watkins", "margin": 0.3, "power": 2},
        {"form": "multi_margin", "margin": 7.5, "power": 2},
    ],
    "kl_divergence": [{**one, "reverse": reverse} for one in _GUARDED for reverse in (False, True)],
    "js_divergence": _GUARDED,
    "tversky": [
        {"alpha": 0.3, "beta": 0.7, "smooth": 1.0},
        {"alpha": 0.0, "beta": 1.0},
        {"alpha": 1e-3, "beta": 1e3},
    ],
    "jaccard": [{"smooth": 1e-3}],
}


def settings(names):
    """Return losses at their defaults and at other parameters, each once."""
    made = [lossfw.loss(name, **p) for name in names for p in ({}, *PARAMETERS.get(name, ()))]
    return list({repr(loss): loss for loss in made}.values())


ALL = settings([*DISTANCES, *MARGINS, *PAIRS, *ROWS])

# One setting of each loss and form, for what takes a second for each.
ONE_OF_EACH = list({(loss.name, loss._input_form): loss for loss in reversed(ALL)}.values())

LINE = [-90.5, -6.1, -1.7, -0.6, -1.3e-3, 1e-8, 0.07, 0.45, 1.3, 4.4, 31.0]
SHARES = [0.0, 1e-8, 0.1, 0.3, 0.5, 0.9, 1.0]
ROWS_OF_SHARES = [[0.1, 0.2, 0.7], [0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [1e-8, 0.25, 0.75]]
ROWS_OF_NUMBERS = [[0.0, 1.0, 2.5], [-3.0, -3.0, 1.0], [40.0, -7.0, 1e-8]]


def arguments(loss):
    """Return predictions and targets, each with each."""
    space = loss.prediction_space
    if loss.name == "heteroscedastic_gaussian_nll":
        y, t = [[0.5, -1.0], [3.0, 2.5]], [0.5, 1.0, -7.0]
    elif loss.name in ROWS:
        y = ROWS_OF_NUMBERS if space in (REAL, LOGITS) else ROWS_OF_SHARES
        binary = loss.name in ("dice", "jaccard", "tversky")
        t = [[0.0, 1.0, 1.0]] if binary else ROWS_OF_SHARES[: 2 if space is REAL else 4]
    elif loss.name in MARGINS:
        y, t = LINE, [-1.0, 1.0]
    elif loss.name in DISTANCES:
        y, t = LINE, [0.0]
    elif loss.name == "hinge_embedding":
        y, t = [x for x in LINE if x > 0], [-1.0, 1.0]
    elif loss.target_space is UNIT:
        y, t = [x for x in LINE if abs(x) < 50] if space is LOGITS else SHARES, SHARES
    else:
        y = [x for x in LINE if x > 0 or (x > -1 and space is not POSITIVE) or space is REAL]
        t = [x for x in y if x > 0 and x < 10] if loss.target_space is not REAL else y
        if loss.name == "tweedie_deviance" and loss.power < 0:
            # Some below 0, and not so large that float32 has no power of them.
            t = [x for x in y if abs(x) < 10]
    pairs = [(a, b) for a in y for b in t]
    return [np.array(x) for x in zip(*pairs, strict=True)]


def smooth(loss, y, t):
    """Tell where a row has a second derivative: on the simplex's edge it may be infinite."""
    inner = y.min(axis=-1) > 0 if loss.prediction_space is SIMPLEX else np.full(len(y), True)
    return inner & (t.min(axis=-1) > 0) if loss.name == "kl_divergence" else inner
