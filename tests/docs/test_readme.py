"""The README: every extra is explained, every link of the repository leads somewhere."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_every_extra_is_explained():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    told = {
        name
        for row in re.findall(r"^\| (`.*?) \|", README, re.M)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert told == set(project["optional-dependencies"])


def test_every_link_leads_to_a_file():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []
