"""lossfw check: what it prints, writes and returns."""

import json

import pytest
from click.testing import CliRunner

from lossfw.check.checks import CHECKS
from lossfw.check.core.search import Check
from lossfw.check.jobs import check_jobs
from lossfw.check.options import Options
from lossfw.check.pool import run_all
from lossfw.cli import main
from lossfw.components.plugin_choice import Plugins
from support.failing import harness_that_raises

MINE = '''
from lossfw import Claims, DistanceLoss


class Mine(DistanceLoss):
    """Claims too much."""

    def value(self, xp, r):
        return -xp.expm1(-xp.abs(r))

    def claims(self):
        return Claims(convex=True, nonnegative=True)
'''
METRIC = """
from lossfw import ElementMetric


class Nearness(ElementMetric):
    better = "higher"

    def elements(self, prediction, target):
        return -abs(prediction - target)
"""
OUTSIDE = """
import numpy as np


def square(y, t):
    y, t = np.asarray(y), np.asarray(t)
    if y.shape != t.shape:
        raise ValueError
    dtype = y.dtype if y.dtype.kind == "f" else float
    return ((y.astype(np.result_type(dtype, "f4")) - t) ** 2).astype(dtype)


def lax(y, t):
    return (y - t) ** 2


def gradient(y, t):
    return 3 * (square(y, t) * 0 + y - t).astype(square(y, t).dtype)
"""
ROUNDED = '''
from lossfw import Claims, DistanceLoss


class Rounded(DistanceLoss):
    """Small residuals lose digits."""

    def formula(self, xp, r):
        return xp.log(1 + r * r)

    value = lambda self, xp, r: xp.log(1 + r * r)
    claims = lambda self: Claims()
'''
FAULTY = """
from lossfw import Claims, DistanceLoss


class Whole(DistanceLoss):
    value = lambda self, xp, r: r * r
    claims = lambda self: Claims()


class Claimless(Whole):
    claims = lambda self: 3


class Needy(Whole):
    labels: list[str]
"""
MODELS = """
from lossfw.models import Model


class Far(Model):
    training_mode = "once"
    library = "nowhere_at_all"


class Read(Model):
    pass


class Open(Model):
    training_mode = "once"

    def missing_reason(self):
        return "net is missing: write net: a"
"""
SOURCE = """
from lossfw.data import Dataset, Source


class Nowhere(Source):
    def load(self):
        return Dataset(self.name, targets=[0.0])
"""
FILES = {"mine": MINE, "outside_of_it": OUTSIDE, "metric": METRIC, "source": SOURCE}
FILES |= {"rounded": ROUNDED, "faulty": FAULTY, "models": MODELS}


@pytest.fixture
def lossfw(tmp_path, monkeypatch):
    """Run the command in one process, in an empty folder with a plugin and an outside module."""
    for name, text in FILES.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    # A busy machine is slow, and no fault.
    alone = ("check", "--processes", "1", "--time", "0")
    return lambda *arguments: CliRunner().invoke(main, [*alone, *arguments])


def test_a_metric_is_checked_and_refuted(lossfw, tmp_path):
    result = lossfw("--plugin", "metric.py")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "Nearness(): nothing refuted")
    (tmp_path / "metric.py").write_text(METRIC.replace("higher", "lower"))
    result = lossfw("--plugin", "metric.py")
    assert result.exit_code == 1
    assert "wrong: metric:better" in result.stdout
    assert "though better is 'lower'" in result.stdout


def test_a_built_in_at_its_defaults_and_at_edges(lossfw):
    result = lossfw("hinge", "--examples", "10")
    assert (result.exit_code, result.stderr) == (0, "")
    first, *more = result.stdout.splitlines()
    assert first == "hinge: nothing refuted"
    assert "  not claimed: bounded" in result.stdout
    assert "at 3 parameter sets not refuted in" in more[-1]
    only = lossfw("hinge", "-p", "margin=0.25", "--examples", "10").stdout
    assert only.startswith("Hinge(margin=0.25): nothing refuted")
    assert "at 1 parameter set not refuted in" in only


def test_a_refutation_is_shown_in_full_and_returned(lossfw):
    arguments = ("--plugin", "mine.py", "--only", "claim", "--examples", "10")
    result = lossfw(*arguments)
    assert result.exit_code == 1
    assert "claim:convex" in result.stdout
    assert "to reproduce:" in result.stdout
    assert "1 cause of 1 finding" in result.stdout
    assert lossfw(*arguments, "mine").stdout == result.stdout
    assert lossfw("--plugin", "mine.py", "mine", "--defaults", "-p", "x=1").exit_code == 2
    # After the first failure no other parameters are checked.
    result = lossfw("--plugin", "mine.py", "mine", "-x", "--examples", "10", "--json")
    first, *others = json.loads(result.stdout)["reports"]
    assert [refutation["check"] for refutation in first["refuted"]] == ["claim:convex"]
    for report in others:
        assert set(report["not_run"].values()) == {"stopped after the first failure"}


def test_an_expected_failure(lossfw):
    arguments = ("--plugin", "mine.py", "mine", "--only", "claim", "--examples", "10", "--expect")
    result = lossfw(*arguments, "convex=it is not")
    assert result.exit_code == 0
    assert "claim:convex failed, as expected: it is not" in result.stdout
    result = lossfw(*arguments, "nonnegative=I thought so")
    assert result.exit_code == 1
    assert "remove the expectation" in result.stdout
    # One that did not end is not called off. The first check runs in ordinary numbers only.
    expected = ("--expect", "value=late", "--only", "value", "--defaults")
    late = lossfw("squared_error", *expected, "--time", "1e-9", "--allow-unfinished")
    assert (late.exit_code, "remove the" in late.stdout) == (0, False)
    assert "remove the expectation" in lossfw("squared_error", *expected).stdout


def test_json_is_printed_as_by_other_commands(lossfw, tmp_path):
    arguments = ("huber", "--defaults", "--examples", "5", "--only", "value")
    printed = lossfw(*arguments, "--json")
    assert printed.exit_code == 0
    whole = json.loads(printed.stdout)
    assert whole["ok"]
    assert lossfw(*arguments, "--json-file", "it.json").stdout.startswith("Huber")
    assert json.loads((tmp_path / "it.json").read_text()) == whole


def test_a_note_fails_only_a_strict_check(lossfw):
    arguments = ("--plugin", "rounded.py", "--only", "value", "--examples", "20")
    result = lossfw(*arguments)
    assert result.exit_code == 0
    assert result.stdout.startswith("Rounded(): nothing wrong, 1 note: value")
    assert "\n  note, loses digits: value\n" in result.stdout
    assert "notes fail only with --strict" in result.stdout
    strict = lossfw(*arguments, "--strict", "--json")
    assert strict.exit_code == 1
    for one, ok in ((lossfw(*arguments, "--json"), True), (strict, False)):
        whole = json.loads(one.stdout)
        (report,) = whole["reports"]
        assert (whole["ok"], report["ok"]) == (ok, ok)
        assert report["failures"] == []
        assert set(report["notes"]) >= {"value"}
        assert {r["severity"] for r in report["refuted"]} == {"note"}


@pytest.fixture
def broken_harness(monkeypatch):
    """A check of the harness that fails by itself."""
    check = Check("dtype:result", harness_that_raises("its own mistake"))
    monkeypatch.setitem(CHECKS, "dtype:result", check)


def test_a_mistake_of_the_harness_is_no_mistake_of_the_loss(lossfw, broken_harness):
    arguments = ("mine", "--plugin", "mine.py", "--only", "dtype:result", "--examples", "5")
    result = lossfw(*arguments)
    assert result.exit_code == 2
    assert result.stdout.startswith("Mine(): could not be checked: dtype:result\n")
    line = "please report this line: AssertionError: its own mistake (laws.py, line 2, in fail)"
    assert f"{line} in dtype:result of Mine(), seed 0, lossfw " in result.stdout
    # What is wrong all the same is said, and decides.
    result = lossfw(*arguments, "--only", "convex")
    assert result.exit_code == 1
    assert result.stdout.startswith("Mine(): wrong: claim:convex\n")
    assert "dtype:result could not be checked" in result.stdout
    report = json.loads(lossfw(*arguments, "--json").stdout)["reports"][0]
    assert (report["ok"], list(report["not_judged"])) == (False, ["dtype:result"])


@pytest.mark.slow
def test_a_value_without_a_formula_is_compared_with_itself(lossfw, tmp_path):
    said = "Mine(): nothing refuted (no formula: the value was compared only with itself)"
    arguments = ("mine", "--plugin", "mine.py", "--skip", "convex", "--examples", "5")
    assert lossfw(*arguments).stdout.splitlines()[0] == said
    report = json.loads(lossfw(*arguments, "--json").stdout)["reports"][0]
    assert report["has_no_formula"]
    # Where values are not compared, nothing is said.
    assert lossfw(*arguments, "--only", "nan").stdout.startswith("Mine(): nothing refuted\n")
    written = MINE + "\n    def formula(self, xp, r):\n        return 1 - xp.exp(-xp.abs(r))\n"
    (tmp_path / "mine.py").write_text(written)
    assert lossfw(*arguments).stdout.startswith("Mine(): nothing refuted\n")
    # The same function by another name is not a formula.
    (tmp_path / "mine.py").write_text(MINE + "\n    formula = value\n")
    assert lossfw(*arguments).stdout.splitlines()[0] == said


def test_conventions_do_not_count_unless_asked_for(lossfw):
    arguments = ("outside_of_it:lax", "--against", "squared_error", "--examples", "10")
    result = lossfw(*arguments)
    assert (result.exit_code, "nothing refuted" in result.stdout) == (0, True)
    assert "other conventions, which do not count: shape:broadcast" in result.stdout
    assert lossfw(*arguments, "--conventions").exit_code == 1
    result = lossfw(*arguments, "--conventions", "-x", "--skip", "dtype")
    assert "stopped after the first failure" in result.stdout


def test_a_time_that_is_over_ends_honestly(lossfw, tmp_path):
    file = ("--json-file", "it.json")
    result = lossfw("squared_error", "--examples", "10", "--time", "1e-9", *file)
    assert result.exit_code == 1
    first, *others = json.loads((tmp_path / "it.json").read_text())["reports"]
    assert (first["ok"], list(first["passed"])) == (False, ["shape:result"])
    assert first["late_stages"] == ["ordinary", "call", "extremes"]
    for report in others:
        assert (report["passed"], report["late_stages"]) == ({}, ["ordinary", "extremes"])
    reasons = {reason for reason in first["not_run"].values() if reason != "deselected"}
    assert reasons == {"the time of 1e-09 s was over"}
    # What did not run is one count in one sentence, and nothing else.
    late = [len(report["late_checks"]) for report in (first, *others)]
    *lines, last = result.stdout.splitlines()
    assert not [line for line in lines if "not run" in line]
    every = len(first["late_checks"]) + 1 + sum(late[1:])
    cures = "(--time 0 runs all, --allow-unfinished accepts it)"
    assert last.endswith(f"{sum(late)} of {every} checks did not end in time {cures}")
    assert lossfw("squared_error", "--time", "1e-9", "--allow-unfinished").exit_code == 0


def test_a_faulty_class_does_not_cost_the_others_their_checks(lossfw, refused):
    result = lossfw("--plugin", "faulty.py", "--only", "value")
    assert result.exit_code == 1
    assert "Whole(): nothing refuted" in result.stdout
    assert "claimless: not checked: Claimless.claims returns 3" in result.stdout
    assert "needy: not checked: needy cannot be made without parameters (labels)" in result.stdout
    assert "\nnot ok: claimless, needy\n" in result.stdout
    assert "Claimless.claims returns 3" in refused("--plugin", "faulty.py", "claimless")


def test_an_outside_function(lossfw):
    arguments = ("outside_of_it:square", "--against", "squared_error", "--examples", "10")
    result = lossfw(*arguments)
    assert result.exit_code == 0, result.stdout
    result = lossfw(*arguments, "-p", "factor=0.5")
    assert result.exit_code == 1
    assert "wrong: value" in result.stdout
    result = lossfw(*arguments, "--gradient", "outside_of_it:gradient", "--claim", "lipschitz=2")
    assert result.exit_code == 1
    assert "wrong: gradient" in result.stdout
    assert "claim:lipschitz" in result.stdout
    described = ("--kind", "distance", "--prediction", "REAL", "--target", "REAL")
    result = lossfw("outside_of_it:square", *described, "--claim", "convex", "--examples", "10")
    assert result.exit_code == 0, result.stdout


def test_all_of_a_distribution(lossfw, install):
    hook = "\n\nfrom lossfw import hookimpl\n\n@hookimpl\ndef lossfw_losses():\n"
    install("acme-losses", {"acme": "acme"}, {"acme": f"{MINE}{hook}    return {{'mine': Mine}}\n"})
    for name in ("acme-losses", "acme-losses[acme]"):
        assert "Mine()" in lossfw(name, "--examples", "10").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "nothing to check"),
        (("hubber",), "Did you mean 'huber'"),
        (("digits",), "another kind, source: losses, activations, models and metrics"),
        (("--plugin", "source.py"), "--plugin offers the source nowhere"),
        (("huber", "--all"), "give NAME or --all, not both; got huber and --all"),
        (("huber", "-p", "dleta=1"), "no parameter 'dleta'"),
        (("huber", "--against", "hinge"), "--against describes an outside function"),
        (("huber", "--examples", "0"), "--examples must be at least 1, got 0."),
        (("huber", "--only", "vale"), "Did you mean 'value'"),
        (("huber", "--expect", "convex"), "NAME=REASON"),
        (("outside_of_it:square",), "--kind, --prediction, --target"),
        (("outside_of_it:cube", "--against", "huber"), "no attribute 'cube'"),
        (("nowhere_at_all:f", "--against", "huber"), "nowhere_at_all"),
        (("outside_of_it:square", "--against", "softmax_ranking"), "is a loss of groups"),
        (("lossfw/huber", "--plugin", "no.py"), "no.py"),
    ],
)
def test_a_mistake_is_told_in_words(arguments, words, refused):
    assert words in refused(*arguments)


@pytest.mark.slow
def test_processes_give_what_one_gives():
    options = Options(seed=1, examples=10)
    jobs = check_jobs(["hinge", "perceptron"], {}, Plugins(), only_defaults=True, options=options)
    steps = []
    both = list(run_all(jobs, processes=2, progress=lambda *step: steps.append(step)))
    alone = run_all(jobs, processes=1)
    assert [r.to_dict() for (r,) in both] == [r.to_dict() for (r,) in alone]
    assert steps[-1][:2] == (6, 6)
    assert any("hinge: " in text or "perceptron: " in text for _, _, text in steps)


def test_components_without_a_chosen_check_are_left_out_and_counted(lossfw, refused):
    some = ("huber", "mae", "accuracy", "relu", "--defaults", "--examples", "3")
    result = lossfw(*some, "--only", "claim:convex", "--json")
    assert result.exit_code == 0, result.stderr
    reports = json.loads(result.stdout)["reports"]
    # The name of two components, of which one is a metric.
    assert [bool(report["skipped"]) for report in reports] == [False, False, True, True, True]
    result = lossfw(*some, "--only", "metric:split", "--skip", "metric:order")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [
        "Mae(): nothing refuted",
        "Accuracy(): nothing refuted",
        "",
        "skipped 3 components to which none of the chosen checks applies",
        "2 checks of 2 components at 2 parameter sets not refuted in 660 examples, seed 0",
    ]
    for words, *chosen in (
        ("only='splat' is not among the checks", "--only", "splat"),
        ("skip='splat' is not among the checks", "--skip", "splat"),
        ("none of the 5 components has", "--only", "claim:proper"),
    ):
        assert words in refused(*some, *chosen)
    alone = refused("huber", "--only", "metric:split")
    assert "only='metric:split' is not among the checks" in alone
    # What no chosen check applies to is left out, unless it is all.
    assert lossfw("huber", "--only", "value", "--skip", "value").exit_code == 1
    few = ("--only", "value:index", "--defaults", "--examples", "3")
    result = lossfw("huber", "cross_entropy", *few)
    assert result.exit_code == 0, result.stdout
    assert "skipped 1 component to which none of the chosen checks applies" in result.stdout
    assert lossfw("huber", "hinge", *few).exit_code == 1


def test_models_that_cannot_be_tried_are_skipped_among_many_and_a_mistake_alone(lossfw, refused):
    many = lossfw("--plugin", "models.py", "--jobs", "1")
    assert many.exit_code == 0, many.stderr
    whys = {
        "read": "only makes predictions, and has no file to make them by",
        "open": "cannot learn yet: net is missing: write net: a",
    }
    for name, why in whys.items():
        assert f"{name}: skipped: it {why}" in many.stdout
    left_out = "skipped 1 component whose library is not installed: far (nowhere_at_all)"
    assert left_out in many.stdout
    whys["far"] = "needs nowhere_at_all, which is not installed: pip install nowhere_at_all"
    for name, why in whys.items():
        assert f"{name} {why}" in refused("--plugin", "models.py", name)
