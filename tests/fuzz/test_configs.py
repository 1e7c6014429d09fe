"""Mutated configurations: every one is valid and runs, or is refused in words at its place."""

import random
import re
import time
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from lossfw.cli import main
from support.mutations import changed_value, damaged_bytes, verdict

CORPUS = Path(__file__).parent / "corpus"
SHIPPED = sorted((Path(__file__).parents[2] / "configs").rglob("*.yaml"))
# Of a processor: far above what a configuration takes, and far below a hang.
MOST_SECONDS = 60.0

# Small configurations that use every section; the rows are few, so that a run is quick.
BASES = sorted((Path(__file__).parent / "bases").glob("*.yaml"))
# Values from other places of a configuration.
WORDS = [
    *(
        "cross_entropy",
        "huber",
        "accuracy",
        "softmax",
        "relu",
        "adam",
        "inline",
        "digits",
        "masked",
    ),
    *("row", "element", "none", "target", "loss", "weight", "mean", "run.yaml", "nan", "1e400"),
    *({"name": "scaled", "of": "huber", "scale": -1}, {"name": "masked"}, {"by": "loss"}),
    *([[0, 1], [1, 0]], [0, 1], [[[0]]], {"seed": [1]}, {"level": 2}, {"units": 0}),
]


def trees(paths):
    return [yaml.safe_load(path.read_text()) for path in paths]


def run(folder, text, command):
    """Write a configuration, use it, and return what was wrong with the answer."""
    (folder / "run.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    begin = time.process_time()
    result = CliRunner().invoke(main, [*command, "run.yaml"])
    told = verdict(result)
    if time.process_time() - begin > MOST_SECONDS:
        told = f"took {time.process_time() - begin:.0f} s"
    return result, told


def cases(folder, seed, count, bases):
    """Return the mutations of configurations to which the answer was wrong."""
    draw, bad = random.Random(seed), []
    for number in range(count):
        base, way = draw.choice(bases), draw.random()
        if way < 0.15:
            text = damaged_bytes(draw, yaml.safe_dump(base).encode())
        else:
            tree = base
            for _ in range(draw.choice([1, 1, 2, 4])):
                tree = changed_value(draw, tree, WORDS if draw.random() < 0.5 else None)
            text = yaml.safe_dump(tree, allow_unicode=draw.random() < 0.5)
        result, told = run(folder, text, ["validate"])
        if not told and result.exit_code == 0 and way >= 0.15 and "train" not in text:
            # What is valid runs; a sweep has its own processes, and is left to its tests.
            ran, told = run(folder, text, ["run"]) if "sweep" not in text else (None, "")
            if ran is not None and not told and ran.exit_code != 0 and "NaN" not in ran.stderr:
                told = f"valid, and then: {ran.stderr}"
        elif not told and result.exit_code == 2 and not re.search(r"^\S", result.output):
            told = "refused without a word"
        if told:
            bad.append((seed, number, text[:700], told))
    return bad


def unknown_keys(tree, path=()):
    """Yield trees with an unknown key in each mapping."""
    if isinstance(tree, dict):
        yield {**tree, "no_such_key": 1}
        for key, value in tree.items():
            for changed in unknown_keys(value):
                yield {**tree, key: changed}
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            for changed in unknown_keys(value):
                yield [*tree[:index], changed, *tree[index + 1 :]]


def test_mutations_are_answered_in_words(folder):
    assert not cases(folder, 0, 150, trees(BASES))


@pytest.mark.parametrize("base", BASES, ids=lambda path: path.stem)
def test_no_key_is_accepted_silently(folder, base):
    for tree in unknown_keys(yaml.safe_load(base.read_text())):
        result, told = run(folder, yaml.safe_dump(tree), ["validate"])
        assert (result.exit_code, told) == (2, ""), tree
        assert "no_such_key" in result.output


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 51))
def test_very_many_mutations_are_answered_in_words(folder, seed):
    bases = trees([*BASES, *SHIPPED])
    assert not cases(folder, seed, 2000, bases)


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.yaml")), ids=lambda path: path.stem)
def test_what_was_answered_wrongly_once_is_answered_in_words(folder, path):
    text = path.read_text()
    assert run(folder, text, ["validate"])[1] == ""
    assert run(folder, text, ["run"])[1] == ""
