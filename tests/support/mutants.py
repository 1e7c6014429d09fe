"""Mutants of the built-in losses: one place of one body changed, everything else as it was.

The formula of the original stays the truth, so a mutant is a loss that an author got wrong
in one place; where only the formula is another one, it is the truth itself. A mutant counts
if it claims more, or if its results differ from the original's at some point by more than
rounding, of terms that cancel too, and more than the rounding of its arguments can do: the
harness forgives what moving them by a few units in the last place does.
"""

import ast
import copy
import importlib
import inspect
import itertools
import signal
import sys
import types
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from lossfw.check.checks import COMPONENT_CHECKS
from lossfw.check.claims.convexity import TIGHTNESS
from lossfw.check.core.draw import draw
from lossfw.check.core.judge import judge
from lossfw.check.core.points import any_in_row
from lossfw.check.core.search import NotApplicable, Search, written_functions
from lossfw.check.core.subject import call, of_component
from lossfw.check.instances import instances_to_check
from lossfw.check.laws.large_rows import large_rows
from lossfw.check.options import Options
from lossfw.check.runner import run, suite_of_subject
from lossfw.check.stages import Effort
from lossfw.components.registry import registry
from lossfw.numerics.exact.ulp import to_float

# A wrong constant is off by this part.
OFF = 1e-7

# Formulas are compared at about so many points, for exact numbers are slow.
FORMULA_POINTS = 200

# Of the points where results differ, elements or rows, so many are judged.
MOST_JUDGED = {False: 48, True: 10}

# Differences below so many rounding steps are none.
ROUNDINGS = 256

# A mutant that computes its results for more seconds of the processor does not end: the others
# take a few. One of them takes 60 megabytes more in each.
_LONGEST_SECONDS = 20

# The class of a mutant is in no module that Python could import, so no mutant can be pickled:
# this check would refute every one of them, whatever was changed.
NOT_OF_A_MUTANT = "value:roundtrip"

_SWAPS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
          ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt,
          ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
          }  # fmt: skip
# A comparison that takes equal numbers for the other side.
_BOUNDS = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
_NAIVE = {"log1p": "xp.log(1 + {})", "expm1": "xp.exp({}) - 1", "hypot": "xp.sqrt({}**2 + {}**2)"}

# Claims that are sharper by a tenth.
_SHARPER = ("lipschitz", "gradient_lipschitz", "bounded")

# Bounds from below, which say more where they are larger.
_FROM_BELOW = ("lower_bound", "strongly_convex")


@dataclass(frozen=True)
class Mutant:
    """A change of one place in the module of a loss."""

    loss: str
    module: str
    line: int
    before: str
    after: str
    source: str

    def __str__(self):
        place = f"{self.module.rpartition('.')[-1]}, line {self.line}"
        return f"{self.loss}, {place}: {self.before}  ->  {self.after}"

    def instances(self):
        """Return the mutant beside the original, at every edge of the parameters."""
        cls = registry().component_class("loss", self.loss)
        changed = _executed(self.module, self.source)
        if self.module != cls.__module__:
            with _instead_of(self.module, changed):
                source = inspect.getsource(importlib.import_module(cls.__module__))
                changed = _executed(cls.__module__, source)
        made = getattr(changed, cls.__name__)
        return [(made(**edge.component.parameters), *edge) for edge in instances_to_check(cls)]


def _executed(name, source):
    """Return a module of a name with another source."""
    original = sys.modules[name]
    module = types.ModuleType(name)
    module.__file__ = original.__file__
    exec(compile(source, original.__file__, "exec"), module.__dict__)
    return module


@contextmanager
def _instead_of(name, module):
    """Let imports find a module in the place of that of a name."""
    package, _, leaf = name.rpartition(".")
    original = sys.modules[name]
    try:
        sys.modules[name] = module
        setattr(sys.modules[package], leaf, module)
        yield
    finally:
        sys.modules[name] = original
        setattr(sys.modules[package], leaf, original)


def mutants(name, module=None):
    """Return all mutants of a loss, of its own module or of one that it imports."""
    module = module or registry().component_class("loss", name).__module__
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    found = []
    for number, (_, node) in enumerate(_places(tree)):
        for kind in range(len(_changes(node))):
            twin = copy.deepcopy(tree)
            parent, same = next(itertools.islice(_places(twin), number, None))
            other = ast.copy_location(_changes(same)[kind], same)
            _put(parent, same, other)
            ast.fix_missing_locations(twin)
            found.append(Mutant(name, module, node.lineno, ast.unparse(node), ast.unparse(other),
                                ast.unparse(twin)))  # fmt: skip
    return found


def unchanged(name):
    """Return the mutant of a loss in which nothing is changed."""
    cls = registry().component_class("loss", name)
    source = inspect.getsource(importlib.import_module(cls.__module__))
    return Mutant(name, cls.__module__, 0, "", "", ast.unparse(ast.parse(source)))


def _places(tree):
    """Yield expressions of bodies with their parents."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            text = function.body[0]
            for parent in ast.walk(function):
                for node in ast.iter_child_nodes(parent):
                    # That a constant is claimed too large by so little cannot be seen.
                    fine = function.name == "claims" and isinstance(node, ast.Constant)
                    if isinstance(node, ast.expr) and parent is not text and not fine:
                        yield parent, node


def _changes(node):
    """Return what an expression is in mutants, none where it stays."""
    if isinstance(node, ast.Constant) and type(node.value) is float and node.value:
        return [ast.Constant(node.value * (1 + OFF))]
    if isinstance(node, ast.BinOp) and type(node.op) in _SWAPS:
        return [ast.BinOp(node.left, _SWAPS[type(node.op)](), node.right)]
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return _compared(node)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Invert):
        # An axis is another matter.
        return [] if isinstance(node.operand, ast.Constant) else [node.operand]
    if isinstance(node, ast.Call):
        changed = _called(node)
        return [] if changed is None else [changed]
    return []


def _compared(node):
    """Return the opposite of a comparison, the other one at equality, and with the next number."""
    operators = (
        table[type(node.ops[0])]() for table in (_SWAPS, _BOUNDS) if type(node.ops[0]) in table
    )
    found = [ast.Compare(node.left, [other], node.comparators) for other in operators]
    (right,) = node.comparators
    if isinstance(right, ast.Constant) and type(right.value) is int:
        found.append(ast.Compare(node.left, node.ops, [ast.Constant(right.value + 1)]))
    return found


def _called(node):
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name == "where" and len(node.args) == 3:
        c, a, b = node.args
        return ast.Call(node.func, [c, b, a], [])
    if name in _NAIVE and isinstance(node.func, ast.Attribute):
        text = _NAIVE[name].format(*(f"({ast.unparse(a)})" for a in node.args))
        return ast.parse(text, mode="eval").body
    if name == "Claims":
        for key in node.keywords:
            if key.arg in _SHARPER and not (isinstance(key.value, ast.Constant)
                                            and key.value.value is None):  # fmt: skip
                sharp = ast.parse(f"0.9 * ({ast.unparse(key.value)})", mode="eval").body
                others = [k for k in node.keywords if k is not key]
                return ast.Call(node.func, node.args, [*others, ast.keyword(key.arg, sharp)])
    return None


def _put(parent, node, other):
    for name, value in ast.iter_fields(parent):
        if value is node:
            setattr(parent, name, other)
        elif isinstance(value, list):
            setattr(parent, name, [other if one is node else one for one in value])


def differs(mutant, original):
    """Tell whether a mutant is another loss: it claims more, or some result is another one."""
    if claims_more(mutant.claims().to_dict(), original.claims().to_dict()):
        return True
    subject = of_component(original)
    # Those of flat rows, which points are: of columns, of the numbers of a group.
    flat, flat_mutant = subject.truth, of_component(mutant).truth
    rng = np.random.default_rng(0)
    for dtype in ("float64", "float32"):
        for points in draw(subject, dtype, rng, 6000, dense=True):
            t = subject.exact.full(points.y, points.t)
            for order, name in enumerate(
                ("_unreduced", "_unreduced_gradient", "_unreduced_hessian")
            ):
                own = getattr(flat, name)
                b = np.asarray(call(own, np, points.y, t))
                try:
                    a = np.asarray(call(getattr(flat_mutant, name), np, points.y, t))
                except Exception:
                    return True
                if a.shape != b.shape:
                    return True
                some = rng.permutation(np.flatnonzero(~_alike(a, b)))[: MOST_JUDGED[subject.rows]]
                if some.size and _is_worse(subject, points.take(some), a[some], b[some], order):
                    return True
    return _differs_in_large_rows(flat, flat_mutant, subject)


def _differs_in_large_rows(own, changed, subject):
    """Tell whether results of many classes or of large groups are others, by more than rounding."""
    try:
        drawn = large_rows(subject, Search())
    except NotApplicable:
        return False
    # Derivatives of large groups that nobody wrote take minutes, and follow the value.
    functions = [f"_unreduced_{one.name}" for one in written_functions(subject)]
    for points in drawn:
        t = subject.exact.full(points.y, points.t)
        for name in (one.removesuffix("_value") for one in functions):
            b = np.asarray(call(getattr(own, name), np, points.y, t))
            try:
                a = np.asarray(call(getattr(changed, name), np, points.y, t))
            except Exception:
                return True
            least = OFF / 10 * np.max(np.abs(b), initial=0.0)
            if a.shape != b.shape or not np.allclose(a, b, rtol=OFF / 10, atol=least):
                return True
    return False


def _is_worse(subject, points, a, b, order):
    """Tell whether one result is wrong by the rule where the other is right."""
    made, own = (judge(subject, points, x, order).is_wrong for x in (a, b))
    return bool((made & ~own).any())


def formula_differs(mutant, original):
    """Tell whether a mutant has another formula, by exact numbers."""
    subject, changed = of_component(original), of_component(mutant)
    for points in draw(subject, "float64", np.random.default_rng(0), FORMULA_POINTS):
        own, other = (to_float(one.exact.values(points.y, points.t)) for one in (subject, changed))
        with np.errstate(all="ignore"):
            near = np.abs(own - other) <= OFF / 100 * np.abs(own)
        if not (near | (own == other) | (np.isnan(own) & np.isnan(other))).all():
            return True
    return False


def claims_more(made, own):
    """Tell whether claims go beyond others, by more than the harness lets a constant be off.

    One that claims less tells no lie.
    """
    for name, value in made.items():
        if name not in own:
            if name == "strongly_convex" and not value:
                continue  # that of modulus 0 is convexity
            return True
        if value == own[name]:
            continue
        numbers = isinstance(value, int | float | tuple)
        if not numbers or np.shape(value) != np.shape(own[name]):
            return True
        if np.allclose(value, own[name], rtol=TIGHTNESS, atol=0):
            continue
        is_one_bound = name in (*_SHARPER, *_FROM_BELOW)
        if not is_one_bound or (value > own[name]) == (name in _FROM_BELOW):
            return True
    return False


def _alike(a, b):
    """Tell which rows are equal but for the rounding of the results."""
    with np.errstate(all="ignore"):
        size = np.fmax(np.abs(a), np.abs(b))
        near = np.abs(a - b) <= ROUNDINGS * np.finfo(b.dtype).eps * size + np.finfo(b.dtype).tiny
    return ~any_in_row(~(near | (a == b) | (np.isnan(a) & np.isnan(b))))


class _EndlessError(BaseException):  # no "except Exception" catches it
    """A mutant that does not end."""


@contextmanager
def _that_ends():
    """Raise where the block takes too long."""

    def stop(*_):
        raise _EndlessError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, _LONGEST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def verdict(mutant, seed, examples=200):
    """Return "killed", "survived", or "same" for a mutant that is not another loss.

    A mutant that does not end is killed: any use of it shows.
    """
    same = True
    try:
        every = mutant.instances()
    except Exception:
        return "killed"
    for made, original, share, has_new_operations in every:
        try:
            with _that_ends():
                # If only the formula is another one, it is the truth that the value differs from.
                has_own_truth = not differs(made, original)
                if has_own_truth and not formula_differs(made, original):
                    continue
        except (Exception, _EndlessError):
            return "killed"
        same = False
        effort = Effort(share, has_new_operations, len(every) - 1)
        truth = made if has_own_truth else original
        if refuting(made, truth, seed, examples, effort):
            return "killed"
    return "same" if same else "survived"


def refuting(made, truth, seed, examples, effort=None):
    """Return the checks that refute a mutant, with the effort of the command: one, or none."""
    subject = replace(of_component(made), truth=of_component(truth).truth)
    whole = suite_of_subject(subject, COMPONENT_CHECKS)
    of = whole.formula_only()
    # The command makes those of large rows and groups at the defaults.
    large = {"classes": whole.checks["classes"]}
    of = replace(of, checks={**of.checks, **large})
    skip = [name for name in (NOT_OF_A_MUTANT,) if name in of.checks]
    options = Options(seed=seed, examples=examples, first=True, skip=skip)
    report = run(of, options, effort=effort)
    assert report.passed or report.refuted, f"nothing was looked at: {report}"
    return [refutation.check for refutation in report.refuted]
