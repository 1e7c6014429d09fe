"""The gate, `.ci/run`, and the workflow: browsers, oldest releases, supported Pythons."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from support.browsing import CHROMIUM

ROOT = Path(__file__).parents[1]
GATE = (ROOT / ".ci" / "run").read_text()
# From the first mention of the browser to the next step, and the last lines.
BROWSER = re.search(r'^if \[ ! -x "\$chromium" \].*?(?=^step "kernels)', GATE, re.M | re.S)
END = re.search(r'^step "all green"\n.*\Z', GATE, re.M | re.S)


@pytest.fixture
def gate(tmp_path):
    """Run the parts of the gate that decide about the browser, in place of all commands stubs."""

    def run(*, user, there=False, fetched=False, packages=True):
        browser, stubs = tmp_path / "chromium", tmp_path / "bin"
        stubs.mkdir()
        made = f": > '{browser}' && /bin/chmod +x '{browser}'"
        bodies = {"id": f"echo {user}", "make": "echo make $1", "true": ""}
        if packages:
            bodies["apt-get"] = f'[ "$1" = update ] || {{ {made if fetched else "exit 1"}; }}'
        work = tmp_path / "work" / "test" / "bin"
        work.mkdir(parents=True)
        for path in [*(stubs / name for name in bodies), work / "python", work / "pytest"]:
            path.write_text(f"#!/bin/bash\n{bodies.get(path.name, f'echo {path.name} ran')}\n")
            path.chmod(0o755)
        if there:
            browser.write_text("")
            browser.chmod(0o755)
        given = {"PATH": stubs, "work": tmp_path / "work", "chromium": browser}
        script = "set -euo pipefail\n" + "".join(f"{k}='{v}'\n" for k, v in given.items())
        script += f"step() {{ printf '== %s\\n' \"$*\"; }}\n{BROWSER[0]}\n{END[0]}"
        return subprocess.run(
            ["/bin/bash", "-c", script], capture_output=True, text=True, check=True
        ).stdout

    return run


def test_the_gate_and_the_tests_mean_the_same_browser():
    assert f"\nchromium={CHROMIUM}\n" in GATE


def test_the_files_of_tests_that_the_gate_names_exist():
    names = re.findall(r"\btests/[\w/]+\.py\b", GATE)
    assert names
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_a_browser_that_is_there_is_used(gate):
    said = gate(user=1000, there=True)
    assert "pytest ran" in said
    assert said.endswith("== all green\n")


def test_root_fetches_a_browser(gate):
    said = gate(user=0, fetched=True)
    assert "== a browser\n" in said
    assert "pytest ran" in said
    assert said.endswith("== all green\n")


@pytest.mark.parametrize(
    "machine", [{"user": 1000}, {"user": 0}, {"user": 0, "packages": False}], ids=str
)
def test_without_a_browser_the_last_line_says_so(machine, gate):
    said = gate(**machine)
    assert "pytest ran" not in said
    assert said.splitlines()[-1].startswith("browser tests NOT run: there is no ")


def _required(project, extra):
    """Return the requirements of an extra, with those of the extras of lossfw that it names."""
    for line in project["optional-dependencies"][extra]:
        requirement = Requirement(line)
        if requirement.name == project["name"]:
            for name in requirement.extras:
                yield from _required(project, name)
        else:
            yield requirement


def _release(version):
    """Return the numbers of a version without zeros at the end: 2.1 and 2.1.0 are one."""
    return re.sub(r"(\.0)+$", "", version)


def test_the_oldest_releases_are_the_lower_bounds_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required = [*map(Requirement, project["dependencies"])]
    required += [r for extra in ["test"] for r in _required(project, extra)]
    bounds = {
        r.name.lower(): str(s.version) for r in required for s in r.specifier if s.operator == ">="
    }
    ours, theirs = (ROOT / ".ci" / "oldest.txt").read_text().split("\n\n")
    pinned = dict(re.findall(r"^(\S+)==(\S+)$", ours, re.M))
    assert re.findall(r"^(\S+)==", theirs, re.M)
    assert {name: _release(version) for name, version in pinned.items()} == {
        name: _release(version) for name, version in bounds.items()
    }


def test_the_gate_and_the_workflow_try_the_oldest_releases():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert "constraint: .ci/oldest.txt" in workflow
    assert 'PIP_CONSTRAINT="$PWD/.ci/oldest.txt" make "$work/oldest/.ready-test"' in GATE


def test_the_workflow_tries_every_python_that_the_project_supports():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    supported = [c.rpartition(" :: ")[2] for c in project["classifiers"] if " :: 3." in c]
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    matrix = workflow["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == supported
    assert {system.partition("-")[0] for system in matrix["os"]} == {"ubuntu", "macos"}
