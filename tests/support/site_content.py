"""What the site says of the built-in components: collected where it is used, once a process."""

import functools
from pathlib import Path

from lossfw.components.plugin_choice import Plugins
from lossfw.report.site.content import KINDS, SiteContent, collect, read_measured

REGISTRY = Plugins(installed=False).registry()
DOCS = Path(__file__).parents[2] / "docs"

# Kind and name of each, which are cheap to know when tests are collected.
SUBJECTS = [(kind, entry.name) for kind in KINDS for entry in REGISTRY.entries(kind)]
CURVES = [one for one in SUBJECTS if one[0] in ("loss", "activation")]


@functools.cache
def content() -> SiteContent:
    return collect(REGISTRY, read_measured(DOCS / "reference"))
