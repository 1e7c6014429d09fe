"""Extras: the command that installs one, from where lossfw itself was installed."""

from __future__ import annotations

import functools
import json
import re
import shlex
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

# Also the name of the distribution, which another project may hold on an index.
_NAME = "lossfw"


class _Origin(NamedTuple):
    """Where lossfw was installed from, as pip takes it: before an extra, and behind it."""

    before: str = _NAME
    behind: str = ""
    editable: bool = False


def install_command(extra: str) -> str:
    """Return the command that installs an extra.

    Examples
    --------
    >>> install_command("report").endswith("[report]'")
    True
    """
    origin = _origin()
    requirement = shlex.quote(f"{origin.before}[{extra}]{origin.behind}")
    return f"pip install {'-e ' if origin.editable else ''}{requirement}"


@functools.cache
def _origin() -> _Origin:
    try:
        # pip and its like write it for all that does not come from an index.
        recorded = metadata.distribution(_NAME).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return _origin_of_source(Path(__file__).parents[1])
    return _origin_of_record(json.loads(recorded)) if recorded else _Origin()


def _origin_of_source(root: Path) -> _Origin:
    """Return the origin of a package that was imported without being installed."""
    return _Origin(str(root), editable=True) if (root / "pyproject.toml").is_file() else _Origin()


def _origin_of_record(recorded: dict[str, Any]) -> _Origin:
    """Return the origin that a ``direct_url.json`` names, as the packaging standard defines it."""
    url = recorded["url"]
    if "vcs_info" in recorded:
        vcs = recorded["vcs_info"]
        return _Origin(behind=f" @ {vcs['vcs']}+{url}@{vcs['commit_id']}")
    parts = urlsplit(url)
    if parts.scheme != "file":
        return _Origin(behind=f" @ {url}")
    # On Windows a drive has a slash before it.
    path = Path(re.sub(r"^/(?=[A-Za-z]:)", "", unquote(parts.path)))
    # It may have been moved since.
    editable = bool(recorded.get("dir_info", {}).get("editable"))
    return _Origin(str(path), editable=editable) if path.exists() else _Origin()
