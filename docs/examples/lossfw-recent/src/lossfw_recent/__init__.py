"""Twenty losses of recent papers, each with `value` alone."""

from lossfw import hookimpl

# The version of lossfw's hooks that this plugin uses.
lossfw_api = 1

_ELEMENTS = {
    "arctan_pinball": "ArctanPinball",
    "convolved_quantile": "ConvolvedQuantile",
    "hawk_eye": "HawkEye",
    "roboss": "RoBoSS",
    "wave": "Wave",
    "sigmoid_pair": "SigmoidPair",
    "robust_preference": "RobustPreference",
    "hill": "Hill",
    "gumbel_cross_entropy": "GumbelCrossEntropy",
    "robust_focal": "RobustFocal",
}
_ROWS = {
    "squentropy": "Squentropy",
    "dual_focal": "DualFocal",
    "margin_smoothing": "MarginSmoothing",
    "class_distance": "ClassDistance",
    "active_negative": "ActiveNegative",
    "zlpr": "Zlpr",
    "dice_semimetric": "DiceSemimetric",
    "hl_gauss": "HlGauss",
    "censored_likelihood": "CensoredLikelihood",
    "mpd_iou": "MpdIou",
}


@hookimpl
def lossfw_losses():
    """Offer the losses by name; each is imported when it is used."""
    return {
        **{name: f"lossfw_recent.elements:{cls}" for name, cls in _ELEMENTS.items()},
        **{name: f"lossfw_recent.rows:{cls}" for name, cls in _ROWS.items()},
    }
