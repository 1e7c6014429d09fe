"""Where in a plugin an error was raised."""

from __future__ import annotations

import traceback

from lossfw.components.registry.find import find
from lossfw.components.registry.local import LOCAL_MODULE


def place_in_plugin(error: BaseException) -> str:
    """Return file, line and function of the innermost code of a plugin that an error came through.

    Empty if the error came through no plugin of others.
    """
    targets = [plugin.target for plugin in find() if not plugin.builtin]
    packages = {target.partition(":")[0].partition(".")[0] for target in targets}
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package in packages or package.startswith(LOCAL_MODULE):
            code = frame.f_code
            return f"{code.co_filename}, line {line}, in {code.co_qualname}"
    return ""
