"""Reports: what counts, which words, the same bytes for a seed, and code that runs."""

import json

import numpy as np
import pytest

import lossfw
from lossfw import DistanceLoss
from lossfw.check import check, check_function
from lossfw.check.core.reproduce import setup_code, snippet
from lossfw.check.runner import run, suite_of_subject
from lossfw.components.registry import Registry
from support.liars.claims import huber
from support.liars.honest import SQUARE, TRUE_SQUARE, distance

FALSE = distance(huber, lipschitz=0.5, convex=True)


def test_what_is_honest_is_not_refuted():
    for subject in (SQUARE, TRUE_SQUARE):
        report = run(suite_of_subject(subject), examples=50)
        assert report.refuted == []
        assert report.ok


def test_the_same_seed_gives_the_same_report():
    first, again = (run(suite_of_subject(FALSE), seed=3, examples=50).to_dict() for _ in range(2))
    assert json.dumps(first) == json.dumps(again)
    assert first["refuted"][0]["seed"] == 3


def test_an_exception_is_no_silent_pass():
    def raising(y, t):
        if len(y) > 50:
            raise RuntimeError("too many rows")
        return SQUARE.value(y, t)

    report = check_function(raising, kind="distance", prediction="REAL", target="REAL",
                            claims={"nonnegative": True})  # fmt: skip
    (refutation,) = [r for r in report.refuted if "RuntimeError: too many rows" in r.message]
    # The same error is reported once.
    assert report.not_run["claim:nonnegative"] == f"the error that {refutation.check} reports"


@pytest.mark.parametrize("name", ["huber", "sigmoid", "cross_entropy"])
def test_a_built_in_is_not_refuted(name):
    report = check({"name": name}, examples=10)
    assert report.ok, str(report)


def printed(code, capsys):
    exec(code, {})
    return capsys.readouterr().out.strip()


@pytest.mark.parametrize(
    "component",
    [lossfw.loss("huber", delta=0.5), 2 * lossfw.loss("squared_error"), lossfw.activation("tanh")],
    ids=repr,
)
def test_a_snippet_makes_its_component(component, capsys):
    y, t = np.array([3.0]), np.array([1.0])
    code = snippet(setup_code(component), {"y": y, "t": t}, "float(value(y, t)[0])")
    wanted = component(y - t)[0] if component.kind == "activation" else component(y, t)
    assert float(printed(code, capsys)) == wanted


def test_a_snippet_of_a_local_file(tmp_path, capsys):
    file = tmp_path / "mine.py"
    file.write_text(
        "from lossfw import DistanceLoss\n\n\nclass Mine(DistanceLoss):\n"
        '    """Mine."""\n\n    def value(self, xp, r):\n        return r * r\n'
    )
    loss = Registry.discover(local=[file]).create("loss", "mine")
    assert isinstance(loss, DistanceLoss)
    code = snippet(setup_code(loss), {"y": np.array([3.0])}, "value(y, 0 * y)")
    assert printed(code, capsys) == "[9.]"
