"""Losses of other libraries, each with the loss of ours whose formula it should follow."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """A function of another library."""

    name: str  # module:function, or for code the words of the page
    # Our loss with the formula; without one the gradient is judged by differences.
    against: str | None = None
    params: dict = field(default_factory=dict)  # of our loss; the function gets those it has
    given: dict = field(default_factory=dict)  # only of the function
    code: str = ""  # defines value, gradient and reduce if no convention fits
    kind: str | None = None
    prediction: str | None = None
    target: str | None = None
    claims: dict = field(default_factory=dict)  # besides those of our loss
    distribution: bool = False  # an index becomes a one-hot row: the function takes none
    fewest_classes: int = 0

    @property
    def library(self):
        return self.name.partition(":")[0].partition(".")[0]

    def __str__(self):
        options = ", ".join(f"{k}={v}" for k, v in {**self.given, **self.params}.items())
        return f"{self.name}({options})" if options else self.name


def torch_code(body, gradient=True):
    """Return code whose loss is `body`, in terms of tensors y and t."""
    lines = ["import torch", "from torch.nn import functional as F", f"def f(y, t): return {body}",
             "def value(y, t): return f(torch.tensor(y), torch.tensor(t)).numpy()"]  # fmt: skip
    if gradient:
        lines += [
            "def gradient(y, t):",
            "    y = torch.tensor(y, requires_grad=True)",
            "    return torch.autograd.grad(f(y, torch.tensor(t)).sum(), y)[0].numpy()",
        ]
    return "\n".join(lines)


def jax_code(body, imports="import optax", gradient=True):
    """Return code whose loss is `body`, in terms of arrays y and t."""
    lines = [
        "import jax, jax.numpy as jnp",
        imports,
        'jax.config.update("jax_enable_x64", True)',
        f"def f(y, t): return {body}",
        "def value(y, t): return f(jnp.asarray(y), jnp.asarray(t))",
    ]
    if gradient:
        lines += [
            "def gradient(y, t):",
            "    return jax.grad(lambda y: f(y, jnp.asarray(t)).sum())(jnp.asarray(y))",
        ]
    return "\n".join(lines)


F = "torch.nn.functional"
O = "optax.losses"  # noqa: E741
K = "keras.losses"
S = "sklearn.metrics"
M = "torchmetrics.functional"

LOGITS = {"from_logits": True}
NO_GUARD = {"guard": "none"}

# Targets that are rows, and arguments that are not below 0.
SOFT = {"target": "SIMPLEX", "distribution": True}
ABOVE_ZERO = {"prediction": "NONNEGATIVE", "target": "NONNEGATIVE"}

TORCH = (
    Case(f"{F}:mse_loss", "squared_error"),
    Case(f"{F}:l1_loss", "absolute_error"),
    Case(f"{F}:huber_loss", "huber", {"delta": 1.0}),
    Case(f"{F}:huber_loss", "huber", {"delta": 0.3}),
    Case(f"{F}:smooth_l1_loss", "huber", {"delta": 1.0}, {"beta": 1.0}),
    Case(f"{F}:soft_margin_loss", "logistic"),
    Case(f"{F}:binary_cross_entropy", "binary_cross_entropy", NO_GUARD),
    Case(f"{F}:binary_cross_entropy_with_logits", "binary_cross_entropy", LOGITS),
    Case(f"{F}:cross_entropy", "cross_entropy", LOGITS),
    Case(f"{F}:cross_entropy", "cross_entropy", {**LOGITS, "label_smoothing": 0.1}),
    Case(f"{F}:kl_div, summed over classes", "kl_divergence", NO_GUARD, distribution=True,
         code=torch_code("F.kl_div(y.log(), t, reduction='none').sum(-1)")),
    Case(f"{F}:gaussian_nll_loss, variance 1", "gaussian_nll", {"full": False},
         code=torch_code("F.gaussian_nll_loss(y, t, torch.ones_like(y), reduction='none')")),
    Case(f"{F}:poisson_nll_loss", given={"log_input": True}, kind="pointwise",
         prediction="REAL", target="NONNEGATIVE", claims={"convex": True, "twice_smooth": True}),
    Case(f"{F}:poisson_nll_loss", given={"log_input": False}, kind="pointwise",
         prediction="POSITIVE", target="NONNEGATIVE", claims={"convex": True}),
    Case(f"{F}:multi_margin_loss, times the classes", "multiclass_hinge",
         {"form": "weston_watkins"},
         code=torch_code("F.multi_margin_loss(y, t, reduction='none') * y.shape[-1]")),
    Case(f"{F}:cosine_similarity, from 1", "cosine_distance",
         code=torch_code("1 - F.cosine_similarity(y, t, -1)"))
)  # fmt: skip

OPTAX = (
    Case(f"{O}:squared_error", "squared_error"),
    Case(f"{O}:l2_loss", "squared_error", {"factor": 0.5}),
    Case(f"{O}:huber_loss", "huber", {"delta": 1.0}),
    Case(f"{O}:huber_loss", "huber", {"delta": 0.3}),
    Case(f"{O}:log_cosh", "log_cosh"),
    Case(f"{O}:hinge_loss", "hinge"),
    Case(f"{O}:perceptron_loss", "perceptron"),
    Case(f"{O}:sigmoid_binary_cross_entropy", "binary_cross_entropy", LOGITS),
    Case(f"{O}:softmax_cross_entropy", "cross_entropy", LOGITS, **SOFT),
    Case(f"{O}:safe_softmax_cross_entropy", "cross_entropy", LOGITS, **SOFT),
    Case(f"{O}:softmax_cross_entropy_with_integer_labels", "cross_entropy", LOGITS,
         target="CLASS_INDEX"),
    Case(f"{O}:poly_loss_cross_entropy, of logarithms", "poly_cross_entropy", {"epsilon": 1.0},
         **SOFT,
         code=jax_code("optax.losses.poly_loss_cross_entropy(jnp.log(y), t, epsilon=1.0)",
                       # The softmax in it scales the row that it is given.
                       gradient=False)),
    Case(f"{O}:kl_divergence, of logarithms", "kl_divergence", NO_GUARD, distribution=True,
         code=jax_code("optax.losses.kl_divergence(jnp.log(y), t)")),
    Case(f"{O}:sigmoid_focal_loss", "focal", {"gamma": 2.0, **LOGITS}, target="BINARY"),
    Case(f"{O}:cosine_distance", "cosine_distance"),
    Case(f"{O}:multiclass_hinge_loss", "multiclass_hinge", target="CLASS_INDEX")
)  # fmt: skip

KERAS = (
    Case(f"{K}:mean_squared_error", "squared_error"),
    Case(f"{K}:mean_absolute_error", "absolute_error"),
    Case(f"{K}:mean_squared_logarithmic_error", "squared_log_error", **ABOVE_ZERO),
    Case(f"{K}:huber", "huber", {"delta": 1.0}),
    Case(f"{K}:log_cosh", "log_cosh"),
    Case(f"{K}:hinge", "hinge"),
    Case(f"{K}:squared_hinge", "squared_hinge"),
    Case(f"{K}:poisson", kind="pointwise", prediction="POSITIVE", target="NONNEGATIVE",
         claims={"convex": True}),
    Case(f"{K}:binary_crossentropy", "binary_cross_entropy", NO_GUARD),
    Case(f"{K}:binary_crossentropy", "binary_cross_entropy", LOGITS),
    Case(f"{K}:binary_focal_crossentropy", "focal", {"gamma": 2.0, **LOGITS}, target="BINARY"),
    Case(f"{K}:categorical_crossentropy", "cross_entropy", NO_GUARD, **SOFT),
    Case(f"{K}:categorical_crossentropy", "cross_entropy", LOGITS, **SOFT),
    Case(f"{K}:categorical_crossentropy", "cross_entropy", {**LOGITS, "label_smoothing": 0.1},
         **SOFT),
    Case(f"{K}:sparse_categorical_crossentropy", "cross_entropy", LOGITS, target="CLASS_INDEX"),
    Case(f"{K}:kl_divergence", "kl_divergence", NO_GUARD, distribution=True),
    Case(f"{K}:cosine_similarity, plus 1", "cosine_distance",
         code=jax_code("1 + keras.losses.cosine_similarity(t, y)", "import keras"))
)  # fmt: skip

SKLEARN = (
    Case(f"{S}:mean_squared_error", "squared_error"),
    Case(f"{S}:mean_absolute_error", "absolute_error"),
    Case(f"{S}:mean_pinball_loss", "quantile", {"q": 0.9}, {"alpha": 0.9}),
    Case(f"{S}:mean_squared_log_error", "squared_log_error", **ABOVE_ZERO),
    Case(f"{S}:mean_poisson_deviance", "poisson_deviance"),
    Case(f"{S}:mean_gamma_deviance", "gamma_deviance"),
    Case(f"{S}:mean_tweedie_deviance", "tweedie_deviance", {"power": 1.5}),
    Case(f"{S}:log_loss", "cross_entropy", NO_GUARD, target="CLASS_INDEX",
         fewest_classes=2)
)  # fmt: skip

TORCHMETRICS = (
    Case(f"{M}:mean_squared_error", "squared_error"),
    Case(f"{M}:mean_absolute_error", "absolute_error"),
    Case(f"{M}:mean_squared_log_error", "squared_log_error", **ABOVE_ZERO),
    Case(f"{M}.regression:log_cosh_error", "log_cosh"),
    Case(f"{M}:tweedie_deviance_score", "tweedie_deviance", {"power": 1.5}),
    Case("torchmetrics:MeanMetric of squares", "squared_error", code="\n".join([
        "import torch, torchmetrics",
        "def value(y, t):",
        "    if y.shape != t.shape: raise ValueError('shapes differ')",
        "    return (y - t) ** 2",
        "def reduce(y, t, sample_weight=None, where=None):",
        "    w = np.ones(len(y)) if sample_weight is None else sample_weight",
        "    w = w if where is None else np.where(where, w, 0)",
        "    mean = torchmetrics.MeanMetric()",
        "    return mean(torch.tensor(value(y, t)), torch.tensor(w)).numpy()"
    ]))
)  # fmt: skip

CASES = TORCH + OPTAX + KERAS + SKLEARN + TORCHMETRICS
