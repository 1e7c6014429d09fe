"""Digest: the SHA-256 of everything that decides a result's numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from lossfw.components.component import Component
from lossfw.components.registry import Entry
from lossfw.data.source import file_fields


def digest(described: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a description, in hexadecimal.

    Examples
    --------
    >>> digest({"a": 1, "b": [2.0]}) == digest({"b": [2.0], "a": 1})
    True
    """
    text = json.dumps(described, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def without_files(component: Component) -> dict[str, Any]:
    """Return a component's configuration without the names of files: their content counts."""
    files = file_fields(type(component))
    return {key: value for key, value in component.to_config().items() if key not in files}


def versions(entries: Iterable[Entry]) -> dict[str, str]:
    """Return the version of each plugin whose components take part.

    An installed plugin goes by its label and version. A local file has no
    version: it goes by its stem, and by the digest of its content.
    """
    found = {}
    for entry in entries:
        path = entry.plugin.path
        if path is None:
            found[entry.label] = entry.version
        else:
            found[path.stem] = hashlib.sha256(path.read_bytes()).hexdigest()
    return dict(sorted(found.items()))
