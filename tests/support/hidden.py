"""Run the command as if optional libraries were not installed.

``python hidden.py NAMES ARGUMENT...`` hides the modules whose names are joined by commas.
"""

import sys


class Hiding:
    """A finder of modules that does not find some."""

    def __init__(self, finder, hidden):
        self._finder, self._hidden = finder, hidden

    def find_spec(self, name, path=None, target=None):
        """Find a module, unless it is hidden."""
        if name.partition(".")[0] in self._hidden:
            return None
        return self._finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self._finder, name)


def hide(*names):
    """Let Python find none of these modules."""
    loaded = sorted(set(names) & set(sys.modules))
    assert not loaded, f"too late to hide {loaded}"
    sys.meta_path[:] = [Hiding(finder, names) for finder in sys.meta_path]


if __name__ == "__main__":
    hide(*sys.argv[1].split(","))
    from lossfw_command import main

    sys.argv[:2] = ["lossfw"]
    main()
