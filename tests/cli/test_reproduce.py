"""Code that `lossfw check` prints to reproduce a finding: it runs, by public names, from here."""

import os
import re
import subprocess
import sys
import textwrap

import pytest

from support.waiting import HANGS

MINE = """
from lossfw import Claims, DistanceLoss


class Mine(DistanceLoss):
    '''Claims too much.'''

    scale: float = 1.0

    def value(self, xp, r):
        return self.scale * -xp.expm1(-xp.abs(r))

    def claims(self):
        return Claims(convex=True, nonnegative=True)
"""


# In another folder, with a name that no module has; with the name of another module.
@pytest.mark.turns(3)
@pytest.mark.parametrize("path", ["mine.py", "a-folder/a-name.py", "turtle.py"])
def test_the_code_runs_with_public_names_and_a_relative_path(path, lossfw, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-folder").mkdir()
    (tmp_path / path).write_text(MINE)
    given = ("-p", "scale=0.5")
    text = lossfw(
        "check", "--plugin", path, "mine", *given, "--only", "claim", "--examples", "10"
    ).stdout
    code = textwrap.dedent(re.search(r"to reproduce:\n((?: {6}.*\n)+)", text)[1])
    assert not re.search(r"lossfw\.\w+\.|Registry", code)
    assert str(tmp_path) not in code
    assert "loss = Mine(scale=0.5)" in code
    # As pasted, where the folder is the first place to import from.
    done = subprocess.run(
        [sys.executable, "-"],
        input=code,
        cwd=tmp_path,
        # Another test in this process may be starting one that must not import from there.
        env={**os.environ, "PYTHONSAFEPATH": ""},
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"[-\d.e\[\] ]+\n", done.stdout)
