"""How lossfw starts processes of Python: none of them imports from the working folder unasked.

Python looks for modules in the working folder first where it is started with ``-m`` or ``-c``, and
multiprocessing starts its processes so. A file ``json.py`` next to a configuration would be
executed in place of Python's own module.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

# With this in the environment, Python adds no folder to its import path, as with -P.
SAFE_PATH = "PYTHONSAFEPATH"

# What a process does before it imports anything: its arguments are its import path.
_START = "import sys; sys.path[:] = sys.argv[1:]; from {module} import main; main()"

_lock = threading.Lock()
# How many blocks of `safe_starts` are open, and what they change.
_open = 0
_environment: str | None = None
_path: list[str] = []


def import_path() -> list[str]:
    """Return the import path of this process without the working folder that Python has added.

    If a module was imported from the folder, somebody has named it: then the folder comes last.
    """
    path = [entry for entry in sys.path if entry]
    # The folder of a script is not the working folder, even where they are the same.
    none_added = sys.flags.safe_path or _is_script(sys.modules["__main__"])
    if len(path) == len(sys.path) and not none_added:
        added = next((entry for entry in path if _is_working_folder(entry)), None)
        if added is not None:
            path.remove(added)
    if len(path) < len(sys.path) and any(map(_is_module_here, list(sys.modules.values()))):
        path.append(str(Path.cwd()))
    return path


def _is_working_folder(folder: str | Path) -> bool:
    with suppress(OSError):  # one of them is not there
        return Path(folder).samefile(os.curdir)
    return False


def _is_script(main: ModuleType) -> bool:
    # Where Python was started with -m, the module has a spec.
    return main.__spec__ is None and getattr(main, "__file__", None) is not None


def _is_module_here(module: ModuleType) -> bool:
    """Tell whether a module, which may be a package, is directly in the working folder."""
    # Not by getattr: modules may warn of any name that they are asked for.
    own = getattr(module, "__dict__", {})
    places = own.get("__path__") or [own.get("__file__")]
    return any(_is_working_folder(Path(place).parent) for place in places if place)


def command_of(module: str) -> list[str]:
    """Return the command that calls ``main()`` of a module in a new process."""
    flags = {"-E": sys.flags.ignore_environment, "-s": sys.flags.no_user_site}
    given = [flag for flag, is_set in flags.items() if is_set]
    # It may start in another folder.
    path = [str(Path(entry).absolute()) for entry in import_path()]
    return [sys.executable, "-P", *given, "-c", _START.format(module=module), *path]


@contextmanager
def safe_starts() -> Iterator[None]:
    """Inside the block, processes that libraries start do not import from the working folder.

    They get the environment and the import path of this process, which change meanwhile.
    """
    global _open, _environment, _path
    with _lock:
        if not _open:
            _environment, _path = os.environ.get(SAFE_PATH), list(sys.path)
            os.environ[SAFE_PATH], sys.path[:] = "1", import_path()
        _open += 1
    try:
        yield
    finally:
        with _lock:
            _open -= 1
            if not _open:
                os.environ.pop(SAFE_PATH)
                if _environment is not None:
                    os.environ[SAFE_PATH] = _environment
                sys.path[:] = [*_path, *(entry for entry in sys.path if entry not in _path)]


@contextmanager
def interruption_blocked() -> Iterator[None]:
    """Block SIGINT in this thread; threads and processes that it starts inside never get it.

    Where there are no masks of signals, as on Windows, nothing is blocked.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
