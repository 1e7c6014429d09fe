"""Following: plugins are told what becomes of a run, and none of them can end it."""

from __future__ import annotations

from typing import Any

from lossfw.components.hookspecs import LIFE_CYCLE
from lossfw.components.registry import Registry
from lossfw.evaluation.result import Result
from lossfw.runs.records import Run, Warn


class Followers:
    """The plugins that follow a run.

    A hook that raises is named once, with its plugin, and not called again in
    this run. Only an interrupt by the user passes.

    Parameters
    ----------
    registry : Registry
        Knows the plugins.
    run : Run
        What they follow. Every installed plugin is imported for a run with a
        folder; one that only shows its numbers waits for nobody, and is
        followed by the plugins that it uses and by local files.
    warn : callable
        Gets each warning.

    Attributes
    ----------
    warnings : list of str
        All of them.
    """

    def __init__(self, registry: Registry, run: Run, warn: Warn) -> None:
        self._run, self._warn = run, warn
        load = run.folder is not None
        self._hooks = {name: registry.followers(name, load=load) for name in LIFE_CYCLE}
        self.warnings: list[str] = []

    def start(self) -> None:
        """Tell that the run begins."""
        self._call("lossfw_run_start")

    def progress(self, done: int, total: int) -> None:
        """Tell how many rows are done."""
        if self._hooks["lossfw_progress"]:
            self._call("lossfw_progress", done=done, total=total)

    def end(self, result: Result | None) -> None:
        """Tell what came out, or that nothing did."""
        self._call("lossfw_run_end", result=result)

    def report(self, result: Result) -> list[str]:
        """Return what plugins add to the report."""
        texts = []
        for label, answers in self._call("lossfw_report", result=result):
            for answer in answers:
                if isinstance(answer, str):
                    texts.append(answer)
                else:
                    kind = type(answer).__name__
                    self._tell(f"plugin {label}: lossfw_report returned {kind}, wanted a text")
        return texts

    def _call(self, hook: str, **arguments: Any) -> list[tuple[str, list[Any]]]:
        """Call a hook in every plugin; return what each answers, by its label."""
        answers = []
        for label, caller in list(self._hooks[hook].items()):
            try:
                answers.append((label, caller(run=self._run, **arguments)))
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                # Also SystemExit: a plugin does not end the run.
                del self._hooks[hook][label]
                said = " ".join(f"{type(error).__name__}: {error}".split())
                self._tell(f"plugin {label}: {hook} failed and is not called again: {said}")
        return answers

    def _tell(self, warning: str) -> None:
        self.warnings.append(warning)
        self._warn(warning)
