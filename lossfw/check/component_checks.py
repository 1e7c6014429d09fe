"""The jobs that check one component at its defaults, stage by stage, then at other parameters."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from lossfw.check.api import suite_of_component
from lossfw.check.core.points import Points
from lossfw.check.instances import InstanceToCheck
from lossfw.check.options import Options
from lossfw.check.pool import Job, JobSeries, Watch
from lossfw.check.refutation import Refutation
from lossfw.check.report import Report
from lossfw.check.runner import CheckSuite, StageResult, expectations, report_of, run_stage
from lossfw.check.stages import AT_POINTS, Effort, Stage, stages_of
from lossfw.components.component import Component
from lossfw.components.plugin_choice import Plugins
from lossfw.components.registry import Entry


class ComponentChecks:
    """The checks of a component at several sets of parameters, the defaults first."""

    def __init__(
        self,
        entry: Entry,
        instances: Sequence[InstanceToCheck],
        plugins: Plugins,
        options: Options,
        expected: Mapping[str, str],
    ) -> None:
        # The distribution tells equal names apart.
        self._kind, self._name = entry.kind, f"{entry.distribution}/{entry.name}"
        self._instances, self._plugins, self._options = instances, plugins, options
        self._suites = [_suite(one.component, one.all_checks, options) for one in instances]
        self._stages = [stages_of(suite.subject, suite.checks) for suite in self._suites]
        self._failures = expected
        self._expected: list[dict[str, str]] = []

    @property
    def known_checks(self) -> set[str]:
        """The names of all its checks, and of checks that other components have."""
        return {name for suite in self._suites for name in suite.known_checks}

    @property
    def has_selected_checks(self) -> bool:
        """Whether the options select any of its checks."""
        return any(self._options.select_checks(suite.checks) for suite in self._suites)

    def jobs(self) -> JobSeries:
        """Return one job per stage and set of parameters; together they make the reports.

        Raises
        ------
        ArgumentError
            If a check that is expected to fail is not one of its checks.
        """
        self._expected = [
            expectations(self._failures, (*suite.checks, *suite.left_out)) for suite in self._suites
        ]
        return JobSeries(self._run_parts, sum(map(len, self._stages)), self._options.time)

    def _run_parts(self) -> Generator[list[Job], list[Any], list[Report]]:
        results: list[dict[Stage, StageResult]] = [{} for _ in self._instances]
        known: dict[Stage, dict[str, Points]] = {}
        # What has operations of its own comes first.
        others = sorted(
            range(1, len(self._instances)), key=lambda i: not self._instances[i].all_checks
        )
        ended_by = ""
        for numbers in ([0], others):
            todo = [(i, stage) for stage in Stage for i in numbers if stage in self._stages[i]]
            # To stop at the first failure, each job waits for the one before.
            step = 1 if self._options.first else len(todo)
            while todo and not ended_by:
                some, todo = todo[:step], todo[step:]
                found = yield [self._job(i, stage, known.get(stage, {})) for i, stage in some]
                for (i, stage), result in zip(some, found, strict=True):
                    if result is not None:
                        results[i][stage] = result
                        ended_by = result.ended_by if self._options.first else ""
            known = _known_mistakes(results[0])
        return [
            report_of(suite, self._options, expected, list(of.values()), ended_by)
            for suite, expected, of in zip(self._suites, self._expected, results, strict=True)
        ]

    def _job(self, number: int, stage: Stage, known: Mapping[str, Points]) -> Job:
        component, share, all_checks = self._instances[number]
        arguments = {
            "kind": self._kind,
            "config": {**component.to_config(), "name": self._name},
            "plugins": self._plugins,
            "all_checks": all_checks,
            "stage": stage,
            "effort": Effort(share, all_checks, len(self._instances) - 1),
            "options": self._options,
            "expected": self._expected[number],
            "known": known,
        }
        return Job(self._name, check_stage, arguments)


def check_stage(
    kind: str,
    config: Mapping[str, Any],
    plugins: Plugins,
    all_checks: bool,
    stage: Stage,
    effort: Effort,
    options: Options,
    expected: Mapping[str, str],
    known: Mapping[str, Points],
    watch: Watch | None = None,
) -> StageResult:
    """Run one stage of the checks of a component, which is made by name and parameters."""
    suite = _suite(plugins.registry().create(kind, dict(config)), all_checks, options)
    search = effort.search(stage, options)
    return run_stage(suite, stage, search, options, expected=expected, known=known, watch=watch)


def _suite(component: Component, all_checks: bool, options: Options) -> CheckSuite:
    """Return a component with its checks.

    Unless it has all of them, another instance with the same operations is held to the laws of
    the call.
    """
    suite = suite_of_component(component, options.bridges).restrict_to(options.within)
    return suite if all_checks else suite.formula_only()


def _known_mistakes(results: Mapping[Stage, StageResult]) -> dict[Stage, dict[str, Points]]:
    """Return by stage what is wrong in the checks that look at points; a note may hide more."""
    known: dict[Stage, dict[str, Points]] = {
        stage: {
            name: Points(found.inputs["y"], found.inputs["t"])
            for name, found in result.outcomes.items()
            if name in AT_POINTS
            and isinstance(found, Refutation)
            and found.grade == "wrong"
            and {"y", "t"} <= found.inputs.keys()
        }
        for stage, result in results.items()
    }
    # Numbers farther out add nothing to what is wrong in ordinary ones.
    known[Stage.EXTREMES] = known.get(Stage.EXTREMES, {}) | known.get(Stage.ORDINARY, {})
    return known
