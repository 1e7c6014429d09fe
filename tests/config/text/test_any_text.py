"""Whatever stands in a configuration, it is a plan or a list of mistakes with places."""

import re

import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lossfw.config.text.yaml import split_lines
from lossfw.errors import ConfigError
from support.any_config import GOOD, changed, paths, values
from support.configs import build

# The one folder serves all examples of a test; each writes the file anew.
MANY = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)


def mistakes(folder, text):
    """Return what is wrong with a text, having checked that each place is in it."""
    (folder / "run.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        build("run.yaml")
    except ConfigError as error:
        problems = error.problems
    else:
        return []
    lines = split_lines(text)
    for problem in problems:
        place = re.fullmatch(r"run\.yaml(?::(\d+)(?::(\d+))?)?", problem.where)
        assert place, problem.where
        assert len(str(problem)) < 2_000
        if place[2]:
            line = lines[int(place[1]) - 1]
            assert 1 <= int(place[2]) <= len(line) + 1
            # What cannot be printed is shown as something else.
            assert problem.source[: problem.column - 1] in line or not line.isprintable()
    return [problem.where for problem in problems]


@MANY
@given(st.text(max_size=300))
@example("lossfw: 1\ndata: \ud800\n")
@example("?")
def test_any_text(folder, text):
    mistakes(folder, text)


@MANY
@given(values)
def test_any_tree(folder, tree):
    mistakes(folder, yaml.safe_dump(tree, allow_unicode=True))


@MANY
@given(st.sampled_from(sorted(paths(GOOD), key=str)), values)
def test_any_value_anywhere(folder, path, value):
    mistakes(folder, yaml.safe_dump(changed(GOOD, path, value)))
