"""Which files there are in the tree of the project: the tests must leave none behind."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Folders that tools fill, and those of the other lines of .gitignore.
_IGNORED = {"__pycache__", "build", "dist", "site"}


def files_of(root=ROOT):
    """Return the files of a tree, without hidden ones and those that tools write."""
    found = set()
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not (name.startswith(".") or name in _IGNORED)]
        found |= {Path(folder, name) for name in files if not name.startswith(".")}
    return found
