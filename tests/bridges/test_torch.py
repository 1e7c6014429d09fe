"""Losses as modules of PyTorch: its conventions, and parity with its own losses."""

import copy
import io
import pickle
import warnings
from functools import partial
from typing import ClassVar

import numpy as np
import pytest

import lossfw
from lossfw import ArgumentError, CategoricalLoss, DomainError, EmptyReductionError, ShapeError
from lossfw.bridges import torch as bridge
from lossfw.losses.engine.threads import thread_count
from lossfw.numerics import log_softmax
from support.loss_settings import ONE_OF_EACH, arguments

torch = pytest.importorskip("torch")
FlopCounterMode = pytest.importorskip("torch.utils.flop_counter").FlopCounterMode
F = torch.nn.functional

RNG = np.random.default_rng(0)
LOGITS = torch.tensor(RNG.normal(size=(20, 5)), dtype=torch.float32)
CLASSES = torch.tensor(RNG.integers(0, 5, 20))
SOFT = torch.softmax(2 * LOGITS.flip(0), -1)
NUMBERS, TARGETS = LOGITS[:, 0], LOGITS[:, 1]
BITS = (TARGETS > 0).float()
CLASS_WEIGHTS = [1.0, 2.0, 0.5, 3.0, 0.1]
WEIGHTED = {"name": "class_weighted", "of": "cross_entropy", "weights": CLASS_WEIGHTS}

# Loss of lossfw -> PyTorch's own, with its arguments.
PARITY = {
    "cross_entropy": ("cross_entropy", F.cross_entropy, LOGITS, CLASSES),
    "soft targets": ("cross_entropy", F.cross_entropy, LOGITS, SOFT),
    "smoothed": (
        {"name": "cross_entropy", "label_smoothing": 0.2},
        partial(F.cross_entropy, label_smoothing=0.2), LOGITS, CLASSES,
    ),
    "class weights": (
        WEIGHTED, partial(F.cross_entropy, weight=torch.tensor(CLASS_WEIGHTS)), LOGITS, CLASSES,
    ),
    "binary": ("binary_cross_entropy", F.binary_cross_entropy_with_logits, NUMBERS, BITS),
    "positive weight": (
        {"name": "binary_cross_entropy", "pos_weight": 3.0},
        partial(F.binary_cross_entropy_with_logits, pos_weight=torch.tensor(3.0)), NUMBERS, BITS,
    ),
    "poisson": ("poisson_nll", F.poisson_nll_loss, NUMBERS, TARGETS.abs()),
    "multi-margin": (
        {"name": "multiclass_hinge", "form": "multi_margin", "power": 2},
        partial(F.multi_margin_loss, p=2), LOGITS, CLASSES,
    ),
    "hinge embedding": ("hinge_embedding", F.hinge_embedding_loss, NUMBERS.abs(), 2 * BITS - 1),
    "huber": (
        {"name": "huber", "delta": 0.7}, partial(F.huber_loss, delta=0.7), NUMBERS, TARGETS,
    ),
    "squared": ("squared_error", F.mse_loss, NUMBERS, TARGETS),
    "absolute": ("absolute_error", F.l1_loss, NUMBERS, TARGETS),
    "margin": ("logistic", F.soft_margin_loss, NUMBERS, 2 * BITS - 1),
    "gaussian": (
        {"name": "scaled", "of": "squared_error", "scale": 0.5},
        partial(F.gaussian_nll_loss, var=torch.ones(20)), NUMBERS, TARGETS,
    ),
}  # fmt: skip


def with_gradient(criterion, y, t, **options):
    y = y.detach().clone().requires_grad_()
    loss = criterion(y, t, **options)
    loss.sum().backward()
    return loss.detach(), y.grad


def compiled(criterion):
    """Return a module as one graph, whatever was compiled before."""
    torch.compiler.reset()
    return torch.compile(criterion, fullgraph=True, backend="aot_eager")


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", PARITY)
def test_parity_with_the_losses_of_torch(name, reduction):
    loss, own, y, t = PARITY[name]
    found = with_gradient(bridge.module(loss, reduction=reduction), y, t)
    wanted = with_gradient(own, y, t, reduction=reduction)
    # It compares the dtypes too.
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)


def test_where_is_ignore_index():
    ignored = CLASSES.clone()
    ignored[::3] = -100
    found = with_gradient(bridge.module("cross_entropy"), LOGITS, ignored, where=ignored != -100)
    wanted = with_gradient(F.cross_entropy, LOGITS, ignored)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)
    with pytest.raises(DomainError, match=r"is no(t a)? class"):
        bridge.module("cross_entropy")(LOGITS, ignored)


def test_classes_along_axis_1_are_those_of_torch():
    images, labels = torch.randn(4, 5, 6, 7), torch.randint(0, 5, (4, 6, 7))
    criterion = bridge.module("cross_entropy", class_axis=1)
    for target in (labels, torch.softmax(images.flip(0), 1)):
        found, wanted = (with_gradient(f, images, target) for f in (criterion, F.cross_entropy))
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)


def test_weights_and_denominators():
    w = torch.tensor(RNG.integers(0, 4, 20), dtype=torch.float32)
    each = F.cross_entropy(LOGITS, CLASSES, reduction="none")
    mean = bridge.module("cross_entropy")(LOGITS, CLASSES, sample_weight=w)
    torch.testing.assert_close(mean, (w * each).sum() / w.sum())
    count = bridge.module("cross_entropy", denominator="count")(LOGITS, CLASSES, w)
    torch.testing.assert_close(count, (w * each).mean())
    with pytest.raises(EmptyReductionError):
        bridge.module("cross_entropy")(LOGITS, CLASSES, 0 * w)
    with pytest.raises(DomainError, match=r"sample_weight\[0\] = -1"):
        bridge.module("huber")(NUMBERS, TARGETS, -torch.ones(20))
    unchecked = bridge.module("cross_entropy", check=False)
    assert unchecked(LOGITS, CLASSES, 0 * w).isnan()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ["cross_entropy", "huber"])
def test_half_precision_is_computed_in_float32(name, dtype):
    loss, _, y, t = PARITY[name]
    y, t = (x.to(dtype) if x.is_floating_point() else x for x in (y, t))
    found = with_gradient(bridge.module(loss), y, t)
    wide = with_gradient(bridge.module(loss), y.float(), t.float() if name == "huber" else t)
    torch.testing.assert_close(found, tuple(x.to(dtype) for x in wide))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        z = torch.nn.functional.linear(LOGITS, torch.eye(5))
        found = bridge.module("cross_entropy")(z, CLASSES)
        assert found.dtype == F.cross_entropy(z, CLASSES).dtype == torch.float32


def test_a_link_is_fused_unless_asked_not_to():
    fused, plain = bridge.module("cross_entropy"), bridge.module("cross_entropy", fuse=False)
    p = torch.softmax(LOGITS, -1)
    torch.testing.assert_close(plain(p, CLASSES), fused(LOGITS, CLASSES), rtol=1e-5, atol=1e-6)
    with pytest.raises(DomainError, match="SIMPLEX"):
        plain(LOGITS, CLASSES)


def test_copies_pickles_and_files():
    criterion = bridge.module(WEIGHTED, reduction="sum", denominator="count")
    wanted = criterion(LOGITS, CLASSES)
    file = io.BytesIO()
    torch.save(criterion, file)
    file.seek(0)
    for other in (
        pickle.loads(pickle.dumps(criterion)),
        copy.deepcopy(criterion),
        torch.load(file, weights_only=False),
        pickle.loads(pickle.dumps(bridge.function(WEIGHTED))),
    ):
        torch.testing.assert_close(other(LOGITS, CLASSES).sum(), wanted)
    assert list(criterion.state_dict()) == []
    assert "reduction='sum', denominator='count'" in repr(criterion)


@pytest.mark.filterwarnings("ignore:::torch")
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@pytest.mark.turns(3)
@pytest.mark.parametrize("loss", ["cross_entropy", WEIGHTED, "huber"], ids=str)
def test_a_module_compiles_whole(loss):
    y, t = (NUMBERS, TARGETS) if loss == "huber" else (LOGITS, CLASSES)
    criterion, w = bridge.module(loss), torch.arange(20.0)
    found = with_gradient(compiled(criterion), y, t, sample_weight=w, where=w != 3)
    wanted = with_gradient(criterion, y, t, sample_weight=w, where=w != 3)
    torch.testing.assert_close(found, wanted)


class Softened(CategoricalLoss):
    prediction: ClassVar = lossfw.LOGITS
    power: float = 1.0

    def value(self, xp, z, t):
        norm = xp.sqrt(xp.sum(z * z, axis=-1, keepdims=True))
        return -xp.sum(t * log_softmax(xp, z / (1.0 + norm**self.power)), axis=-1)


class Sorted(CategoricalLoss):
    def value(self, xp, y, t):
        order = xp.sort(y, axis=-1)
        return order[..., -1] - order[..., -2] - xp.sum(t * y, axis=-1)


@pytest.mark.filterwarnings("ignore:::torch")
@pytest.mark.turns(2)
@pytest.mark.parametrize(("loss", "graphs"), [(Softened(), 3), (Sorted(), 4)], ids=repr)
def test_an_authors_loss_compiles_whole_for_all_numbers_of_rows(loss, graphs):
    torch._dynamo.utils.counters.clear()
    criterion = bridge.module(loss, fuse=False)
    whole = compiled(criterion)
    for rows in (64, 100, 300, 1):
        y = torch.softmax(torch.randn(rows, 10), -1)
        t = torch.randint(0, 10, (rows,))
        found, wanted = with_gradient(whole, y, t), with_gradient(criterion, y, t)
        torch.testing.assert_close(found, wanted)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] <= graphs


@pytest.mark.filterwarnings("ignore:::torch")
@pytest.mark.parametrize("name", ["poisson_deviance", "tweedie_deviance"])
def test_a_loss_by_decimals_and_rare_elements_compiles(name):
    criterion = bridge.module({"name": name, "link": "log"})
    y, t = torch.linspace(0.5, 2.0, 5), torch.ones(5)
    torch.testing.assert_close(
        with_gradient(compiled(criterion), y, t), with_gradient(criterion, y, t)
    )


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_a_function_maps_and_looks_at_values_where_it_is_not_mapped():
    wrong = CLASSES.clone()
    wrong[3] = -1
    function = bridge.function("cross_entropy")
    for call in (function, torch.func.grad(lambda z, k: function(z, k).sum())):
        with pytest.raises(DomainError, match=r"target\[3\] = -1"):
            call(LOGITS, wrong)
    mapped = torch.func.vmap(function)(LOGITS, wrong)
    assert mapped.isnan().nonzero().flatten().tolist() == [3]
    each = torch.func.vmap(torch.func.grad(function))(LOGITS, CLASSES)
    wanted = lossfw.loss("cross_entropy", from_logits=True).gradient
    torch.testing.assert_close(each, wanted(LOGITS, CLASSES, reduction="none"))


def test_a_published_gradient_can_be_differentiated():
    loss = lossfw.loss("cross_entropy", from_logits=True)
    z = LOGITS.clone().requires_grad_()
    (found,) = torch.autograd.grad(loss.gradient(z, CLASSES, reduction="none").square().sum(), z)
    p = torch.softmax(z.detach().double(), dim=-1)
    gradient = p - torch.nn.functional.one_hot(CLASSES, p.shape[-1])
    wanted = 2.0 * p * (gradient - (p * gradient).sum(dim=-1, keepdim=True))
    torch.testing.assert_close(found, wanted.float())


def test_mistakes_are_told_with_their_remedy():
    with pytest.raises(ArgumentError, match="gradient of zero_one is 0"):
        bridge.module("zero_one")
    with pytest.raises(ArgumentError, match="reduction='avg' is not known"):
        bridge.module("huber", reduction="avg")
    with pytest.raises(lossfw.errors.UnknownNameError):
        bridge.function("huberr")
    with pytest.raises(ArgumentError, match="target is to be differentiated"):
        bridge.module("logistic")(NUMBERS, (2 * BITS - 1).requires_grad_())
    with pytest.raises(ShapeError, match=r"squeeze\(-1\)"):
        bridge.module("squared_error")(torch.zeros(3, 1), torch.zeros(3))
    with pytest.raises(DomainError, match=r"by 2 \* target - 1"):
        bridge.module("hinge")(NUMBERS, BITS)
    with warnings.catch_warnings():
        # Of a number taken out of the graph.
        warnings.simplefilter("error")
        with pytest.raises(DomainError, match="lies outside UNIT"):
            bridge.module("binary_cross_entropy", fuse=False)(
                (NUMBERS.abs() + 2.0).requires_grad_(), BITS
            )


def test_a_step_of_two_tensors_alone_gives_what_the_usual_path_gives():
    z = LOGITS.double().requires_grad_()
    criterion, ones = bridge.module("cross_entropy"), torch.ones(20)
    found, wanted = criterion(z, CLASSES), criterion(z, CLASSES, ones)
    torch.testing.assert_close(found, wanted)
    (once,) = torch.autograd.grad(found, z, create_graph=True)
    (other,) = torch.autograd.grad(wanted, z, create_graph=True)
    torch.testing.assert_close(once, other)
    (twice,) = torch.autograd.grad(once.square().sum(), z)
    torch.testing.assert_close(twice, torch.autograd.grad(other.square().sum(), z)[0])
    assert torch.autograd.gradgradcheck(lambda z: criterion(z, CLASSES), (z,))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", ONE_OF_EACH, ids=repr)
def test_a_step_on_the_processor_has_the_bits_of_numpy(loss, dtype):
    if loss.claims().gradient_zero_almost_everywhere:
        return
    y, t = (x.astype(dtype) for x in arguments(loss))
    criterion = bridge.module(loss, fuse=False, reduction="sum")
    value, wanted = loss.value_and_gradient(y, t, reduction="sum")
    by_columns = torch.tensor(np.asfortranarray(y))
    for given in (torch.tensor(y), by_columns):
        found, gradient = with_gradient(criterion, given, torch.tensor(t))
        if not loss._sums_rows and not loss.has_columns and not loss._has_own_weight:
            assert found.numpy() == np.asarray(value, dtype)
            assert gradient.numpy().tobytes() == wanted.tobytes()
            with torch.no_grad():
                assert criterion(given, torch.tensor(t)) == found
            with torch.inference_mode():
                assert criterion(given.clone(), torch.tensor(t)) == found
        # While operations are watched, as of a device, PyTorch computes.
        with FlopCounterMode(display=False):
            other = with_gradient(criterion, given, torch.tensor(t))
        torch.testing.assert_close((found, gradient), other, rtol=1e-4, atol=1e-6)


def test_the_threads_of_torch_bound_those_of_a_step(monkeypatch):
    asked = []

    class Asking(lossfw.DistanceLoss):
        def value(self, xp, r):
            asked.append(thread_count())
            return r * r

    criterion = bridge.module(Asking(), check=False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    asked.clear()
    for count in (5, 2):
        with lossfw.threads(count):
            with_gradient(criterion, NUMBERS, TARGETS)
    assert asked == [3] * (len(asked) // 2) + [2] * (len(asked) // 2)


def test_without_a_check_a_step_looks_at_no_domain():
    outside = torch.tensor([2.0, 0.5])
    criterion = bridge.module("brier", check=False)
    value, gradient = with_gradient(criterion, outside, torch.zeros(2))
    assert value == 4.25
    assert gradient.tolist() == [4.0, 1.0]
    with pytest.raises(DomainError, match="lies outside SIMPLEX"):
        bridge.module("brier")(outside, torch.zeros(2))
