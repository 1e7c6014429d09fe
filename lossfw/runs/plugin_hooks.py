"""Call the hooks of plugins that follow a run; an error in a hook does not end the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lossfw.components.hookspecs import LIFE_CYCLE
from lossfw.components.registry import Registry
from lossfw.evaluation.result import Result
from lossfw.runs.records import Run, TrainingRun, Warn


class HookCallers:
    """Calls the hooks of the plugins that follow a run.

    A hook that raises is reported once, with its plugin, and not called again in this run. Only an
    interrupt by the user is raised. A run with a folder imports all installed plugins; for other
    runs only the plugins that they use and local files follow the run, so that they start faster.
    `warnings` has all warnings passed to `warn`.
    """

    def __init__(
        self,
        registry: Registry,
        run: Run | TrainingRun,
        warn: Warn,
        hooks: Sequence[str] = LIFE_CYCLE,
    ) -> None:
        self._run, self._warn = run, warn
        load = run.folder is not None
        self._hooks = {name: registry.followers(name, load=load) for name in hooks}
        self.warnings: list[str] = []

    def report(self, result: Result) -> list[str]:
        """Return the texts that plugins add to the report."""
        texts = []
        for label, answers in self.call("lossfw_report", result=result):
            for answer in answers:
                if isinstance(answer, str):
                    texts.append(answer)
                else:
                    kind = type(answer).__name__
                    self._report(
                        f"plugin {label}: lossfw_report returned {kind}, expected a string"
                    )
        return texts

    def call(self, hook: str, **arguments: Any) -> list[tuple[str, list[Any]]]:
        """Call a hook in every plugin; return the values by the plugin's label."""
        answers = []
        for label, caller in list(self._hooks[hook].items()):
            try:
                answers.append((label, caller(run=self._run, **arguments)))
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                # Also SystemExit: a plugin must not end the run.
                del self._hooks[hook][label]
                text = " ".join(f"{type(error).__name__}: {error}".split())
                self._report(f"plugin {label}: {hook} failed and is not called again: {text}")
        return answers

    def _report(self, warning: str) -> None:
        self.warnings.append(warning)
        self._warn(warning)
