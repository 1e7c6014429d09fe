"""The built-in components: a plugin like any other.

One line for each component or alias, sorted by name. A component is a string,
``"lossfw_std.losses.squared_error:SquaredError"``, so that listing imports nothing; an alias has
the name that it stands for, ``"squared_error"``.
"""

from lossfw import hookimpl
from lossfw_std.bridges import BRIDGES

lossfw_api = 1

_LOSSES: dict[str, str] = {
    "absolute_error": "lossfw_std.losses.absolute_error:AbsoluteError",
    "absolute_percentage_error": (
        "lossfw_std.losses.absolute_percentage_error:AbsolutePercentageError"
    ),
    "aft": "lossfw_std.losses.aft:Aft",
    "aft_nll": "lossfw_std.losses.aft_nll:AftNll",
    "approx_ndcg": "lossfw_std.losses.approx_ndcg:ApproxNdcg",
    "bce": "binary_cross_entropy",
    "binary_cross_entropy": "lossfw_std.losses.binary_cross_entropy:BinaryCrossEntropy",
    "binary_crossentropy": "binary_cross_entropy",
    "bisquare": "tukey",
    "biweight": "tukey",
    "brier": "lossfw_std.losses.brier:Brier",
    "categorical_crossentropy": "cross_entropy",
    "categorical_focal": "lossfw_std.losses.categorical_focal:CategoricalFocal",
    "cauchy": "lossfw_std.losses.cauchy:Cauchy",
    "censored_weibull_nll": ("lossfw_std.losses.censored_weibull_nll:CensoredWeibullNll"),
    "charbonnier": "lossfw_std.losses.charbonnier:Charbonnier",
    "class_weighted": "lossfw.losses.wrappers:ClassWeighted",
    "cosine_distance": "lossfw_std.losses.cosine_distance:CosineDistance",
    "cosine_embedding": "lossfw_std.losses.cosine_embedding:CosineEmbedding",
    "cox": "lossfw_std.losses.cox:Cox",
    "cross_entropy": "lossfw_std.losses.cross_entropy:CrossEntropy",
    "crps_ensemble": "lossfw_std.losses.crps_ensemble:CrpsEnsemble",
    "crps_logistic": "lossfw_std.losses.crps:CrpsLogistic",
    "crps_normal": "lossfw_std.losses.crps:CrpsNormal",
    "cumulative_link": "lossfw_std.losses.cumulative_link:CumulativeLink",
    "dice": "lossfw_std.losses.tversky:Dice",
    "discrete_hazard": "lossfw_std.losses.discrete_hazard:DiscreteHazard",
    "distance_weighted_discrimination": "dwd",
    "dwd": "lossfw_std.losses.dwd:Dwd",
    "energy_score": "lossfw_std.losses.energy_score:EnergyScore",
    "epsilon_insensitive": "lossfw_std.losses.epsilon_insensitive:EpsilonInsensitive",
    "expectile": "lossfw_std.losses.expectile:Expectile",
    "exponential": "lossfw_std.losses.exponential:Exponential",
    "fair": "lossfw_std.losses.fair:Fair",
    "focal": "lossfw_std.losses.focal:Focal",
    "focal_modulated": "lossfw.losses.wrappers:FocalModulated",
    "gamma_deviance": "lossfw_std.losses.gamma_deviance:GammaDeviance",
    "gamma_nll": "lossfw_std.losses.gamma_nll:GammaNll",
    "gaussian_nll": "lossfw_std.losses.gaussian_nll:GaussianNll",
    "gce": "generalised_cross_entropy",
    "geman_mcclure": "lossfw_std.losses.geman_mcclure:GemanMcclure",
    "generalised_cross_entropy": (
        "lossfw_std.losses.generalised_cross_entropy:GeneralisedCrossEntropy"
    ),
    "generalized_cross_entropy": "generalised_cross_entropy",
    "heteroscedastic_gaussian_nll": (
        "lossfw_std.losses.heteroscedastic_gaussian_nll:HeteroscedasticGaussianNll"
    ),
    "hinge": "lossfw_std.losses.hinge:Hinge",
    "hinge_embedding": "lossfw_std.losses.hinge_embedding:HingeEmbedding",
    "huber": "lossfw_std.losses.huber:Huber",
    "info_nce": "lossfw_std.losses.contrastive:InfoNce",
    "interval_score": "lossfw_std.losses.interval_score:IntervalScore",
    "iou": "jaccard",
    "jaccard": "lossfw_std.losses.tversky:Jaccard",
    "js_divergence": "lossfw_std.losses.js_divergence:JsDivergence",
    "kl": "kl_divergence",
    "kl_divergence": "lossfw_std.losses.kl_divergence:KlDivergence",
    "kld": "kl_divergence",
    "l1": "absolute_error",
    "l1_hinge": "hinge",
    "l2": "squared_error",
    "l2_hinge": "squared_hinge",
    "label_smoothed": "lossfw.losses.wrappers:LabelSmoothed",
    "lambda_ndcg": "lossfw_std.losses.lambda_ndcg:LambdaNdcg",
    "listmle": "lossfw_std.losses.listmle:Listmle",
    "listnet": "lossfw_std.losses.softmax_ranking:Listnet",
    "log_cosh": "lossfw_std.losses.log_cosh:LogCosh",
    "logcosh": "log_cosh",
    "logistic": "lossfw_std.losses.logistic:Logistic",
    "lognormal_nll": "lossfw_std.losses.lognormal_nll:LognormalNll",
    "mae": "absolute_error",
    "mape": "absolute_percentage_error",
    "margin_ranking": "lossfw_std.losses.margin_ranking:MarginRanking",
    "masked": "lossfw.losses.wrappers:Masked",
    "mean_absolute_error": "absolute_error",
    "mean_absolute_percentage_error": "absolute_percentage_error",
    "mean_squared_error": "squared_error",
    "mean_squared_log_error": "squared_log_error",
    "modified_huber": "lossfw_std.losses.modified_huber:ModifiedHuber",
    "mse": "squared_error",
    "msle": "squared_log_error",
    "multi_quantile": "lossfw_std.losses.multi_quantile:MultiQuantile",
    "multiclass_hinge": "lossfw_std.losses.multiclass_hinge:MulticlassHinge",
    "negative_binomial_nll": "lossfw_std.losses.negative_binomial_nll:NegativeBinomialNll",
    "normal_mixture_nll": "lossfw_std.losses.normal_mixture_nll:NormalMixtureNll",
    "nt_xent": "lossfw_std.losses.contrastive:NtXent",
    "pairwise_hinge": "lossfw_std.losses.pairwise:PairwiseHinge",
    "pairwise_logistic": "lossfw_std.losses.pairwise:PairwiseLogistic",
    "perceptron": "lossfw_std.losses.perceptron:Perceptron",
    "pinball": "quantile",
    "poisson_deviance": "lossfw_std.losses.poisson_deviance:PoissonDeviance",
    "poisson_nll": "lossfw_std.losses.poisson_nll:PoissonNll",
    "poly_cross_entropy": "lossfw_std.losses.poly_cross_entropy:PolyCrossEntropy",
    "pseudo_huber": "lossfw_std.losses.pseudo_huber:PseudoHuber",
    "quantile": "lossfw_std.losses.quantile:Quantile",
    "ramp": "lossfw_std.losses.ramp:Ramp",
    "savage": "lossfw_std.losses.savage:Savage",
    "scaled": "lossfw.losses.wrappers:Scaled",
    "smooth_hinge": "smoothed_hinge",
    "smoothed_hinge": "lossfw_std.losses.smoothed_hinge:SmoothedHinge",
    "soft_margin": "logistic",
    "softmax_cross_entropy": "cross_entropy",
    "softmax_ranking": "lossfw_std.losses.softmax_ranking:SoftmaxRanking",
    "squared_error": "lossfw_std.losses.squared_error:SquaredError",
    "squared_hinge": "lossfw_std.losses.squared_hinge:SquaredHinge",
    "squared_log_error": "lossfw_std.losses.squared_log_error:SquaredLogError",
    "student_t_nll": "lossfw_std.losses.student_t_nll:StudentTNll",
    "sum": "lossfw.losses.wrappers:Sum",
    "supervised_contrastive": "lossfw_std.losses.contrastive:SupervisedContrastive",
    "tasks": "lossfw.losses.wrappers:Tasks",
    "triplet_margin": "lossfw_std.losses.triplet_margin:TripletMargin",
    "tukey": "lossfw_std.losses.tukey:Tukey",
    "tversky": "lossfw_std.losses.tversky:Tversky",
    "tweedie_deviance": "lossfw_std.losses.tweedie_deviance:TweedieDeviance",
    "weibull_nll": "lossfw_std.losses.weibull_nll:WeibullNll",
    "welsch": "lossfw_std.losses.welsch:Welsch",
    "zero_inflated_poisson_nll": (
        "lossfw_std.losses.zero_inflated_poisson_nll:ZeroInflatedPoissonNll"
    ),
    "zero_one": "lossfw_std.losses.zero_one:ZeroOne",
}

_ACTIVATIONS: dict[str, str] = {
    "celu": "lossfw_std.activations.elu:Celu",
    "elu": "lossfw_std.activations.elu:Elu",
    "exp": "lossfw_std.activations.exp:Exp",
    "gelu": "lossfw_std.activations.gelu:Gelu",
    "hard_sigmoid": "lossfw_std.activations.hard:HardSigmoid",
    "hard_swish": "lossfw_std.activations.hard:HardSwish",
    "identity": "lossfw_std.activations.identity:Identity",
    "leaky_relu": "lossfw_std.activations.relu:LeakyRelu",
    "linear": "identity",
    "log_softmax": "lossfw_std.activations.softmax:LogSoftmax",
    "mish": "lossfw_std.activations.mish:Mish",
    "relu": "lossfw_std.activations.relu:Relu",
    "selu": "lossfw_std.activations.elu:Selu",
    "sigmoid": "lossfw_std.activations.sigmoid:Sigmoid",
    "silu": "lossfw_std.activations.silu:Silu",
    "softmax": "lossfw_std.activations.softmax:Softmax",
    "softplus": "lossfw_std.activations.softplus:Softplus",
    "softsign": "lossfw_std.activations.softsign:Softsign",
    "sparsemax": "lossfw_std.activations.sparsemax:Sparsemax",
    "step": "lossfw_std.activations.step:Step",
    "swish": "silu",
    "tanh": "lossfw_std.activations.tanh:Tanh",
}

_METRICS: dict[str, str] = {
    "accuracy": "lossfw_std.metrics.accuracy:Accuracy",
    "average_precision": "lossfw_std.metrics.ranking:AveragePrecision",
    "average_precision_at": "lossfw_std.metrics.rankings:AveragePrecisionAt",
    "balanced_accuracy": "lossfw_std.metrics.class_counts:BalancedAccuracy",
    "bias": "lossfw_std.metrics.bias:Bias",
    "calibration_error": "lossfw_std.metrics.calibration_error:CalibrationError",
    "concordance": "lossfw_std.metrics.survival:Concordance",
    "confusion_matrix": "lossfw_std.metrics.confusion_matrix:ConfusionMatrix",
    "f1": "lossfw_std.metrics.class_counts:F1",
    "gini": "lossfw_std.metrics.concentration:Gini",
    "interval_coverage": "lossfw_std.metrics.distributions:IntervalCoverage",
    "lift": "lossfw_std.metrics.concentration:Lift",
    "mae": "lossfw_std.metrics.errors:Mae",
    "mrr": "lossfw_std.metrics.rankings:Mrr",
    "mse": "lossfw_std.metrics.errors:Mse",
    "ndcg": "lossfw_std.metrics.rankings:Ndcg",
    "pit": "lossfw_std.metrics.distributions:Pit",
    "precision": "lossfw_std.metrics.class_counts:Precision",
    "precision_at": "lossfw_std.metrics.rankings:PrecisionAt",
    "quantile_coverage": "lossfw_std.metrics.quantile_coverage:QuantileCoverage",
    "quantile_crossing": "lossfw_std.metrics.quantile_crossing:QuantileCrossing",
    "r2": "lossfw_std.metrics.r2:R2",
    "recall": "lossfw_std.metrics.class_counts:Recall",
    "rmse": "lossfw_std.metrics.errors:Rmse",
    "roc_auc": "lossfw_std.metrics.ranking:RocAuc",
    "survival_brier": "lossfw_std.metrics.survival:SurvivalBrier",
    "top_k": "lossfw_std.metrics.accuracy:TopK",
}

_SOURCES: dict[str, str] = {
    "arrays": "lossfw_std.sources.arrays:Arrays",
    "csv": "arrays",
    "digits": "lossfw_std.sources.digits:Digits",
    "idx": "lossfw_std.sources.idx:Idx",
    "images": "lossfw_std.sources.images:Images",
    "inline": "lossfw_std.sources.inline:Inline",
    "parquet": "lossfw_std.sources.parquet:Parquet",
}

_OPTIMIZERS: dict[str, str] = {
    "adam": "lossfw_std.optimizers.adam:Adam",
    "sgd": "lossfw_std.optimizers.sgd:Sgd",
}

# Each imports its library on use.
_MODELS: dict[str, str] = {
    "catboost": "lossfw_std.models.catboost:CatBoost",
    "dense": "lossfw.models.dense:DenseNetwork",
    "hist_gradient_boosting": ("lossfw_std.models.hist_gradient_boosting:HistGradientBoosting"),
    "keras": "lossfw_std.models.keras:Keras",
    "lightgbm": "lossfw_std.models.lightgbm:LightGBM",
    "onnx": "lossfw_std.models.onnx:Onnx",
    "predictions": "lossfw.models.predictions:Predictions",
    "sklearn": "lossfw_std.models.sklearn:Sklearn",
    "torch": "lossfw_std.models.torch:Torch",
    "trained": "lossfw.models.trained:TrainedModel",
    "xgboost": "lossfw_std.models.xgboost:XGBoost",
}


@hookimpl
def lossfw_losses() -> dict[str, str]:
    """Offer the losses."""
    return _LOSSES


@hookimpl
def lossfw_activations() -> dict[str, str]:
    """Offer the activations."""
    return _ACTIVATIONS


@hookimpl
def lossfw_metrics() -> dict[str, str]:
    """Offer the metrics."""
    return _METRICS


@hookimpl
def lossfw_sources() -> dict[str, str]:
    """Offer the data sources."""
    return _SOURCES


@hookimpl
def lossfw_optimizers() -> dict[str, str]:
    """Offer the optimizers."""
    return _OPTIMIZERS


@hookimpl
def lossfw_bridges() -> dict[str, str]:
    """Offer the bridges."""
    return BRIDGES


@hookimpl
def lossfw_models() -> dict[str, str]:
    """Offer the models."""
    return _MODELS
