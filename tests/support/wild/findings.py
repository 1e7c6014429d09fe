"""What each finding is, looked at by eye: a defect, lost precision, or another convention.

A rule is the beginning of a case's name, a check, and what it is. The first rule
that fits counts; the general ones stand last. A finding without a rule fails the
tests.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """What a finding is; case and check may be the start of a name."""

    case: str
    check: str  # and behind a bar the error that a result has
    sort: str  # defect, precision or convention
    words: str  # what a person found
    saying: str = ""  # what is in the message

    def fits(self, case, finding):
        check, _, error = self.check.partition("|")
        named = str(case).startswith(self.case) and finding["check"].startswith(check)
        return named and error in ("", finding["error"]) and self.saying in finding["message"]


F, O, K, S, M = (  # noqa: E741
    "torch.nn.functional:", "optax.losses:", "keras.losses:", "sklearn.metrics:",
    "torchmetrics.functional"
)  # fmt: skip

DEFECT, PRECISION, CONVENTION = "defect", "precision", "convention"

RULES = (
    Rule("", "", CONVENTION, "there is no half precision", "not implemented for 'Half'"),
    # PyTorch.
    Rule(f"{F}soft_margin_loss", "dtype:half", DEFECT, "as the overflow below, in half precision"),
    Rule(f"{F}soft_margin_loss", "|overflow", DEFECT,
         "it computes log(1 + exp(-t y)) as it is written: from a margin of -710 on (in float32 of "
         "-89) the loss is infinite where it is 710, and the gradient is NaN"),
    Rule(f"{F}soft_margin_loss", "nan", DEFECT,
         "the overflow again: in float16 the gradient is NaN from a margin of -12 on"),
    Rule(f"{F}binary_cross_entropy_with_logits", "value", PRECISION,
         "the same difference, of very large logits and very small targets"),
    Rule(f"{F}cosine_similarity", "value", CONVENTION,
         "documented: a row that is shorter than 1e-8 counts as that long"),
    Rule(f"{F}cosine_similarity", "gradient", CONVENTION,
         "documented: a row that is shorter than 1e-8 counts as that long"),
    Rule(f"{F}binary_cross_entropy(", "value:negative_zero", CONVENTION,
         "-0.0 where nothing is lost"),
    Rule(f"{F}binary_cross_entropy(", "value", CONVENTION,
         "documented: logarithms are cut off at -100"),
    Rule(f"{F}binary_cross_entropy(", "gradient", CONVENTION,
         "the gradient has a guard of its own, 1e-12 below y (1 - y), while the value is cut off "
         "at e^-100: between both, one is not the derivative of the other"),
    Rule(f"{F}binary_cross_entropy(", "nan", CONVENTION, "a NaN is refused"),
    Rule(f"{F}binary_cross_entropy_with_logits", "gradient|digits", PRECISION,
         "a sigmoid below the normal numbers is 0"),
    Rule(f"{F}binary_cross_entropy_with_logits", "|digits", PRECISION,
         "for a negative logit of a negative example the loss is the difference of two numbers "
         "of the logit's size: at -30 a hundredth is wrong, at -40 it is 0 and not 4e-18; in "
         "float32 at -10 and -20"),
    Rule(f"{F}cross_entropy", "value:negative_zero", CONVENTION, "-0.0 for a single class"),
    Rule(f"{F}cross_entropy", "gradient|digits", PRECISION,
         "the gradient for the right class is p - 1, which loses what p is short of 1"),
    Rule(f"{F}cross_entropy", "|digits", PRECISION,
         "the logarithm of a sum that is nearly 1: a small loss loses digits, and from a lead of "
         "37 on it is 0"),
    Rule(f"{F}kl_div", "value", CONVENTION,
         "0 times the logarithm of 0 is NaN: it takes logarithms, and wants them finite"),
    Rule(f"{F}kl_div", "nan:legal", CONVENTION, "as above, at a prediction of 0"),
    Rule(f"{F}kl_div", "claim:zero_at_target", CONVENTION, "as above, at a prediction of 0"),
    Rule(f"{F}poisson_nll_loss(log_input=False)", "gradient", CONVENTION,
         "documented: 1e-8 is added in the logarithm. Against differences of its own values; "
         "close to 0 they are too coarse to tell"),
    Rule(f"{F}multi_margin_loss", "nan", DEFECT,
         "a NaN among the predictions of other classes costs nothing: a comparison with it is "
         "false, so the loss is 0"),
    Rule(f"{F}l1_loss", "nan", CONVENTION,
         "the loss of a NaN is NaN, but its gradient is 0: the sign of NaN is 0 in PyTorch"),
    Rule(f"{F}cosine_similarity", "shape:layout", PRECISION,
         "sums in another order; of nearly parallel rows little is left"),
    Rule(f"{F}cosine_similarity", "claim", PRECISION,
         "1 less a cosine that is rounded: a distance of -2e-16, and of not quite 0 from itself"),
    Rule(f"{F}cosine_similarity", "|digits", PRECISION,
         "1 less a cosine of nearly 1: of nearly parallel rows all digits are lost"),
    # optax.
    Rule(f"{O}huber_loss", "gradient|digits", PRECISION,
         "its derivative is a difference: autograd goes back through min(|r|, delta) and "
         "|r| - min(|r|, delta), and adds r - delta and delta. In float32 the gradient at a "
         "residual of 1e-6 is off by a hundredth, at 3e-8 it is twice what it should be, and "
         "below 1e-8 it is 0"),
    Rule(f"{O}log_cosh", "gradient|digits", PRECISION,
         "as the value: in float32 it is twice as large as it should be at 3e-8, then 0"),
    Rule(f"{O}log_cosh", "|digits", PRECISION,
         "logaddexp(r, -r) - log 2 is a difference: in float32 it is off by 7 % at r = 1e-3"),
    Rule(f"{O}log_cosh", "claim:nonnegative", PRECISION, "the same difference: -6e-8 in float32"),
    Rule(f"{O}kl_divergence", "nan:legal", CONVENTION,
         "0 times the logarithm of 0 is NaN: it takes logarithms, and wants them finite"),
    Rule(f"{O}poly_loss_cross_entropy", "nan:legal", CONVENTION, "the same"),
    Rule(f"{O}hinge_loss", "nan", CONVENTION,
         "the loss of a NaN is NaN, but its gradient is 0"),
    Rule(f"{O}perceptron_loss", "nan", CONVENTION,
         "the loss of a NaN is NaN, but its gradient is 0"),
    Rule(f"{O}softmax_cross_entropy", "value:negative_zero", CONVENTION, "-0.0 for a single class"),
    Rule(f"{O}safe_softmax_cross_entropy", "value:negative_zero", CONVENTION,
         "-0.0 for a single class"),
    Rule(f"{O}softmax_cross_entropy", "|digits", PRECISION,
         "a small loss is the difference of a logit and a logarithm of a sum"),
    Rule(f"{O}safe_softmax_cross_entropy", "|digits", PRECISION,
         "a small loss is the difference of a logit and a logarithm of a sum"),
    Rule(f"{O}softmax_cross_entropy_with_integer_labels", "domain:class_index", CONVENTION,
         "JAX cannot raise for an index; -1 is the last class"),
    Rule(f"{O}multiclass_hinge_loss", "domain:class_index", CONVENTION,
         "JAX cannot raise for an index: -1 is taken, and is not a class"),
    Rule(f"{O}multiclass_hinge_loss", "nan", CONVENTION,
         "the loss of a NaN is NaN, but its gradient is not"),
    Rule(f"{O}multiclass_hinge_loss", "dtype:result", CONVENTION,
         "with 64 bits switched on, one-hot rows are float64 whatever predictions are, and so is "
         "the result"),
    Rule(f"{O}multiclass_hinge_loss", "value", CONVENTION,
         "the same: a float64 with the digits of a float32"),
    Rule(f"{O}multiclass_hinge_loss", "dtype:half", PRECISION,
         "1 is added to scores and taken away again: in float16 the loss is -1"),
    Rule(f"{O}multiclass_hinge_loss", "claim:nonnegative", PRECISION,
         "1 is added to scores and taken away again: a loss of -2e-16"),
    Rule(f"{O}kl_divergence", "value", CONVENTION,
         "0 times the logarithm of 0 is NaN: it takes logarithms, and wants them finite"),
    Rule(f"{O}kl_divergence", "claim:zero_at_target", CONVENTION, "as above"),
    Rule(f"{O}poly_loss_cross_entropy", "value", CONVENTION,
         "0 times the logarithm of 0 is NaN, as for the divergence below"),
    Rule(f"{O}cosine_distance", "claim", PRECISION,
         "1 less a cosine that is rounded: a distance of -2e-16, and of not quite 0 from itself"),
    Rule(f"{O}cosine_distance", "|digits", PRECISION,
         "1 less a cosine of nearly 1: of nearly parallel rows all digits are lost"),
    Rule(f"{O}cosine_distance", "dtype:half", PRECISION,
         "squares overflow in half precision: opposite rows have a distance of 1"),
    # Keras.
    Rule(f"{K}binary_focal_crossentropy", "gradient", DEFECT,
         "from_logits=True takes a sigmoid and cuts it off 1e-7 from 0 and 1: where the "
         "prediction is most wrong, from a logit of 17 on, the gradient is 0, and the loss stays "
         "at 15.9"),
    Rule(f"{K}binary_crossentropy(guard=none)", "gradient", CONVENTION,
         "documented: probabilities are cut off 1e-7 from 0 and 1, where half the gradient is "
         "left, and beyond none"),
    Rule(f"{K}categorical_crossentropy(guard=none)", "", CONVENTION,
         "documented: rows are scaled to sum to 1 and cut off 1e-7 from 0 and 1"),
    Rule(f"{K}kl_divergence", "", CONVENTION, "probabilities are cut off at 1e-7"),
    Rule(f"{K}mean_squared_logarithmic_error", "gradient", CONVENTION,
         "predictions are cut off at 1e-7, below which there is no gradient"),
    Rule(f"{K}poisson", "gradient", CONVENTION,
         "documented: 1e-7 is added in the logarithm; close to 0 differences are too coarse"),
    Rule(f"{K}poisson", "claim:convex", PRECISION, "the mean in single precision, again"),
    Rule(f"{K}mean_absolute_error", "nan", CONVENTION,
         "the loss of a NaN is NaN, but its gradient is 1"),
    Rule(f"{K}hinge", "nan", CONVENTION, "the loss of a NaN is NaN, but its gradient is 0"),
    Rule(f"{K}log_cosh", "gradient|digits", PRECISION,
         "the difference of a residual and a logarithm of a sum: in float32 the gradient is off "
         "by a twentieth of a per cent at 1e-4, by half at 3e-8"),
    Rule(f"{K}log_cosh", "claim", PRECISION,
         "the difference of a residual and a logarithm of a sum: below 0, and not the same for "
         "-r; in float32 it is off by 7 % at r = 1e-3, and 0 at 1e-4"),
    Rule(f"{K}sparse_categorical_crossentropy", "dtype:result", CONVENTION,
         "with 64 bits switched on, one-hot rows are float64 whatever predictions are, and so is "
         "the result"),
    Rule(f"{K}sparse_categorical_crossentropy", "value:negative_zero", CONVENTION,
         "-0.0 for a single class"),
    Rule(f"{K}sparse_categorical_crossentropy", "value", CONVENTION,
         "the same: a float64 with the digits of a float32"),
    Rule(f"{K}sparse_categorical_crossentropy", "domain:class_index", CONVENTION,
         "JAX cannot raise for an index; -1 costs nothing"),
    Rule(f"{K}categorical_crossentropy", "value:negative_zero", CONVENTION,
         "-0.0 for a single class"),
    Rule(f"{K}categorical_crossentropy", "|digits", PRECISION,
         "a small loss, or gradient, is the difference of two larger numbers"),
    Rule(f"{K}sparse_categorical_crossentropy", "|digits", PRECISION,
         "a small loss, or gradient, is the difference of two larger numbers"),
    Rule(K, "value", PRECISION,
         "all Keras losses of float64 are averaged in single precision on JAX: 7 digits are "
         "right, whatever floatx says"),
    Rule(K, "|overflow", PRECISION,
         "the same mean in single precision: what is above 3e38 is infinite"),
    Rule(K, "claim:nonnegative", PRECISION, "rounding"),
    Rule(K, "claim:zero_at_target", PRECISION, "rounding"),
    Rule(K, "|digits", PRECISION, "rounding of logarithms of sums"),
    # scikit-learn.
    Rule(S, "nan", CONVENTION, "a NaN is refused"),
    Rule(S, "weights:long", PRECISION,
         "float32 is averaged in float32: of a million equal losses the mean is off in the "
         "seventh digit"),
    Rule(f"{S}log_loss", "value", CONVENTION,
         "documented: probabilities are cut off at the rounding step of their dtype"),
    Rule(f"{S}log_loss", "claim:zero_at_target", CONVENTION, "the same"),
    Rule(f"{S}mean_squared_log_error", "|digits", PRECISION,
         "a difference of two logarithms: of close numbers few digits are left"),
    Rule(f"{S}mean_poisson_deviance", "|overflow", PRECISION,
         "a target of 1.5e-323 over a prediction of 746 is 0, and its logarithm infinite: only "
         "subnormal targets do this"),
    Rule(f"{S}mean_poisson_deviance", "claim:nonnegative", PRECISION, "the same: minus infinity"),
    Rule(f"{S}mean_gamma_deviance", "value", PRECISION,
         "quotients of very different numbers overflow: infinity less infinity"),
    Rule(f"{S}mean_gamma_deviance", "|overflow", PRECISION,
         "quotients of very different numbers overflow before their logarithm is taken"),
    Rule(S, "|digits", PRECISION,
         "differences of powers, or of a logarithm and a quotient: where prediction and target "
         "are close, few digits are left"),
    Rule(S, "claim:nonnegative", PRECISION, "the same differences: a deviance just below 0"),
    Rule(S, "claim:zero_at_target", PRECISION,
         "the same differences: at 710, a deviance of -1.4e-14 from itself"),
    # torchmetrics.
    Rule("torchmetrics:MeanMetric", "", PRECISION,
         "float64 is averaged in float32 unless `set_dtype` says otherwise: seven digits"),
    Rule(f"{M}.regression:log_cosh_error", "value", DEFECT,
         "it computes log((exp(r) + exp(-r)) / 2) as it is written: infinite for residuals from "
         "710 on, in float32 from 89 on"),
    Rule(f"{M}.regression:log_cosh_error", "|overflow", DEFECT, "the same"),
    Rule(M, "|digits", PRECISION,
         "differences of powers or logarithms: of close numbers few digits are left"),
    Rule(M, "claim", PRECISION, "the same differences: a deviance of -1.4e-14 at its target"),
    # Everyone.
    Rule("", "shape:broadcast", CONVENTION,
         "arrays that do not fit are broadcast: (3,) with (3, 1) gives (3, 3), or the mean of it"),
    Rule("", "dtype:half", PRECISION, "float16 is computed in float16"),
    Rule("", "classes", PRECISION, "float16 is computed in float16", "in float16")
)  # fmt: skip


def rule_for(case, finding):
    """Return the rule for a refutation, a mapping; None where nobody has looked at it."""
    return next((rule for rule in RULES if rule.fits(case, finding)), None)
