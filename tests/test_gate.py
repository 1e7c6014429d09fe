"""The gates of `.ci`, the tests of a change, and the workflow that tries every Python."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from support.browsing import CHROMIUM

ROOT = Path(__file__).parents[1]
RUN, NIGHTLY = ((ROOT / ".ci" / name).read_text() for name in ("run", "nightly"))
STEPS = re.search(r"^STEPS=\((.*)\)$", NIGHTLY, re.M)[1].split()


@pytest.fixture
def nightly(tmp_path):
    """Run the script in a folder of its own, where commands are stubs; return what ended."""

    def run(*steps, user=1000, there=False, fetched=False, packages=True, works=True):
        browser, stubs, script = (
            tmp_path / "chromium",
            tmp_path / "bin",
            tmp_path / ".ci" / "nightly",
        )
        for folder in (stubs, script.parent):
            folder.mkdir()
        script.write_text(NIGHTLY.replace(f"chromium={CHROMIUM}", f"chromium={browser}"))
        made = f": > '{browser}' && /bin/chmod +x '{browser}'"
        # What `make` makes is an environment whose programs say that they ran.
        environment = """
            bin=$(/usr/bin/dirname "$1")/bin; /bin/mkdir -p "$bin"
            for name in python pytest lossfw; do
              printf '#!/bin/bash\\necho %s ran\\n' "$name" > "$bin/$name"
              /bin/chmod +x "$bin/$name"
            done"""
        bodies = {"id": f"echo {user}", "true": "", "dirname": '/usr/bin/dirname "$@"'}
        bodies |= {"mktemp": '/bin/mktemp "$@"', "rm": '/bin/rm "$@"'}
        bodies |= dict.fromkeys(("git", "python3"), "exit 1")
        bodies["make"] = environment if works else "exit 1"
        if packages:
            bodies["apt-get"] = f'[ "$1" = update ] || {{ {made if fetched else "exit 1"}; }}'
        for name, body in bodies.items():
            (stubs / name).write_text(f"#!/bin/bash\n{body}\n")
            (stubs / name).chmod(0o755)
        if there:
            browser.write_text("")
            browser.chmod(0o755)
        return subprocess.run(
            ["/bin/bash", script, *steps],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": str(stubs)},
        )

    return run


def results(ended):
    """Return how each step ended, by the table at the end."""
    table = ended.stdout.rpartition("\n\n")[2].splitlines()
    assert table[0].split() == ["step", "seconds", "result"]
    return {name: " ".join(result) for name, _, *result in map(str.split, table[1:])}


def test_the_gate_and_the_tests_mean_the_same_browser():
    assert f"\nchromium={CHROMIUM}\n" in NIGHTLY


@pytest.mark.parametrize("script", [RUN, NIGHTLY], ids=["run", "nightly"])
def test_the_files_of_tests_that_a_gate_names_exist(script):
    names = re.findall(r"\b(?:tests|docs|configs)/[\w/.*-]+", script)
    assert names
    assert [name for name in names if not list(ROOT.glob(name.rstrip(".")))] == []


def test_every_step_runs_though_each_fails_and_the_table_says_so(nightly):
    ended = nightly(there=True, works=False)
    assert ended.returncode == 1
    assert results(ended) == dict.fromkeys(STEPS, "FAILED")


def test_a_step_is_called_by_name(nightly):
    ended = nightly("slow", "harness")
    assert (ended.returncode, results(ended)) == (0, {"slow": "passed", "harness": "passed"})


def test_a_name_of_no_step_is_told_before_any_runs(nightly):
    ended = nightly("slow", "brwser")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"expected names of steps ({' '.join(STEPS)}), got 'brwser'\n"


@pytest.mark.parametrize("machine", [{"there": True}, {"user": 0, "fetched": True}], ids=str)
def test_a_browser_that_is_there_or_that_root_fetches_is_used(machine, nightly):
    ended = nightly("browser", **machine)
    assert "pytest ran" in ended.stdout
    assert results(ended) == {"browser": "passed"}


@pytest.mark.parametrize(
    "machine", [{"user": 1000}, {"user": 0}, {"user": 0, "packages": False}], ids=str
)
def test_without_a_browser_the_table_says_so(machine, nightly):
    ended = nightly("browser", **machine)
    assert "pytest ran" not in ended.stdout
    assert "browser tests NOT run: there is no " in ended.stdout
    assert (ended.returncode, results(ended)) == (0, {"browser": "not run"})


@pytest.fixture
def touched(tmp_path):
    """Run the script in a repository whose pytest says what it is called with."""
    tree, venv = tmp_path / "tree", tmp_path / "venv"
    shutil.copytree(ROOT / ".ci", tree / ".ci")
    (tree / "Makefile").write_text("$(VENV)/.ready-touched:\n\ttouch $@\n")
    (venv / "bin").mkdir(parents=True)
    program = venv / "bin" / "pytest"
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
    for words in (["init", "-b", "main"], ["add", "."], [*identity, "commit", "-m", "a: Begin"]):
        subprocess.run(["git", *words], cwd=tree, check=True, capture_output=True)

    def run(status, *arguments):
        program.write_text(
            f'#!/bin/bash\necho "$(basename "$PWD") $*"; : > "$TESTMON_DATAFILE"; exit {status}\n'
        )
        program.chmod(0o755)
        ended = subprocess.run(
            [tree / ".ci" / "touched", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"VENV": str(venv)},
        )
        calls = [line for line in ended.stdout.splitlines() if "--testmon" in line]
        return ended.returncode, calls, ended.stdout

    return run


def test_the_base_is_recorded_once_also_where_a_test_of_it_fails(touched):
    status, calls, _ = touched(1, "main", "-x")
    assert (status, [call.split()[0] for call in calls]) == (1, ["base", "tree"])
    assert "--testmon-forceselect" not in calls[0]
    assert calls[1].endswith("--testmon-forceselect --testmon-nocollect -x")
    assert touched(0)[:2] == (0, [calls[1].removesuffix(" -x")])


def test_a_change_that_no_test_runs_is_told(touched):
    touched(0)
    status, _, told = touched(5)
    assert status == 0
    assert "No test runs what differs from " in told


def test_a_base_whose_tests_cannot_run_leaves_no_record(touched):
    assert touched(2)[0] == 2
    assert len(touched(0)[1]) == 2


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
    assert 'PIP_CONSTRAINT="$PWD/.ci/oldest.txt" make "$work/oldest/.ready-test"' in NIGHTLY


def test_the_workflow_tries_every_python_that_the_project_supports():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    supported = [c.rpartition(" :: ")[2] for c in project["classifiers"] if " :: 3." in c]
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    matrix = workflow["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == supported
    assert {system.partition("-")[0] for system in matrix["os"]} == {"ubuntu", "macos"}
