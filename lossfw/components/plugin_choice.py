"""The choice of plugins that a run may use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lossfw.components.registry import Registry


@dataclass(frozen=True)
class Plugins:
    """The plugins that may be used, as the command line chooses them."""

    # Local plugin files, relative to the working folder.
    local: Sequence[str] = ()
    # Plugins that are not imported.
    disable: Sequence[str] = ()
    # False leaves out every installed plugin but the built-in one, and the plugin files
    # that a configuration names.
    installed: bool = True
    # Whether plugin files that a configuration names are imported, which executes them.
    # Those in `local` are in any case.
    trusted: bool = True

    def admits(self, path: Path) -> bool:
        """Tell whether a plugin file named in a configuration may be imported."""
        chosen = {Path(file).resolve() for file in self.local}
        return (self.trusted and self.installed) or path.resolve() in chosen

    def registry(self, extra_files: Sequence[Path] = ()) -> Registry:
        """Return a registry of these plugins and further local files; by default the shared one."""
        # Imported here: the help of a command needs no registry.
        from lossfw.components.registry import Registry, registry

        local = [*map(Path, self.local), *extra_files]
        if not local and not self.disable and self.installed:
            return registry()
        return Registry.discover(disable=self.disable, local=local, plugins=self.installed)
