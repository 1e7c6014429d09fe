"""Jobs: what the command line checks, by name, and the processes that do it.

Exact numbers are computed one by one under the lock of the interpreter, so threads would wait
for each other. A process starts anew and makes its component only from names.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeAlias

from lossfw.check.api import kind_and_spaces, subject, suite_of_component
from lossfw.check.foreign.conventions import is_outside, load_function
from lossfw.check.instances import MOVED_SHARE, InstanceToCheck, instances_to_check
from lossfw.check.options import Options
from lossfw.check.report import Report
from lossfw.check.runner import expectations, run, suite_of_subject
from lossfw.components.component import Component
from lossfw.components.naming import did_you_mean_one
from lossfw.components.plugin_choice import Plugins
from lossfw.components.registry import Entry, Registry, registry
from lossfw.errors import ArgumentError, LossfwError, UnknownNameError

KINDS = ("loss", "activation")

# How often progress is reported while nothing is finished.
_GLANCE_SECONDS = 0.1

# Parameters with which wrappers are checked: those that one takes.
_PARTS: tuple[dict[str, Any], ...] = (
    {"of": "squared_error"},
    {"of": "cross_entropy"},
    {"of": "squared_error", "scale": 0.5},
    {"of": "squared_error", "ignore": -1.0},
    {"of": "cross_entropy", "ignore": 1},
    {"of": "cross_entropy", "weights": [1.0, 0.5, 3.0]},
    {"of": "cross_entropy", "epsilon": 0.1},
    {"of": ["squared_error", "absolute_error"]},
)

# Gets the name of each step before it begins.
Watch: TypeAlias = Callable[[str], None]

# Gets the number of jobs that are done, of all jobs, and the name of the step that runs.
JobProgress: TypeAlias = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Job:
    """A function of a module, which takes `watch` too, and its arguments; it can be pickled."""

    label: str
    function: Callable[..., Any]
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def run(self, watch: Watch) -> Any:
        """Do it; what an author's function prints does not get among the reports."""
        with redirect_stdout(sys.stderr):
            return self.function(
                **self.arguments, watch=lambda step: watch(f"{self.label}: {step}")
            )


def run_all(
    jobs: Sequence[Job], *, processes: int | None = None, progress: JobProgress | None = None
) -> Iterator[Any]:
    """Yield the result of each job, in their order; by default from one process per core."""
    report, total = progress or (lambda done, total, step: None), len(jobs)
    count = min(processes or os.cpu_count() or 1, total)
    if count > 1:
        yield from _run_in_processes(jobs, count, report)
        return
    for done, job in enumerate(jobs):
        result = job.run(partial(report, done, total))
        report(done + 1, total, job.label)
        yield result


def _run_in_processes(jobs: Sequence[Job], count: int, report: JobProgress) -> Iterator[Any]:
    # Not forked: a copy of a process with threads may wait for one of them for ever.
    context = multiprocessing.get_context("spawn")
    steps: Any = context.SimpleQueue()
    with ProcessPoolExecutor(count, context, _set_steps, (steps,)) as pool:
        futures = [pool.submit(_run_in_worker, job) for job in jobs]
        try:
            pending, step = set(futures), ""
            for future in futures:
                while future in pending:
                    finished, pending = wait(pending, _GLANCE_SECONDS, FIRST_COMPLETED)
                    for one in finished:
                        one.result()  # a failure ends all at once
                    while not steps.empty():
                        step = steps.get()
                    report(len(jobs) - len(pending), len(jobs), step)
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


# Where a process of the pool puts its steps.
_steps: Any = None


def _set_steps(steps: Any) -> None:
    global _steps
    _steps = steps


def _run_in_worker(job: Job) -> Any:
    return job.run(_steps.put)


def check_config(
    kind: str,
    config: Mapping[str, Any],
    plugins: Plugins,
    options: Options,
    expected: Mapping[str, str],
    example_share: float = 1.0,
    all_checks: bool = True,
    watch: Watch | None = None,
) -> Report:
    """Check a component by name and parameters, with a share of the examples.

    Without `all_checks` the laws of the call are left out, because another instance with the
    same operations is held to them.
    """
    suite = suite_of_component(plugins.registry().create(kind, dict(config)), options.bridges)
    return run(
        suite if all_checks else suite.formula_only(),
        replace(options, examples=max(1, round(options.examples * example_share))),
        expected_failures=expected,
        watch=watch,
    )


def check_outside(
    name: str,
    description: Mapping[str, Any],
    options: Options,
    expected: Mapping[str, str],
    watch: Watch | None = None,
) -> Report:
    """Check an outside function; `description` has arguments of `subject`, functions by name."""
    names = {key: description[key] for key in ("gradient", "hessian") if description.get(key)}
    functions = {key: load_function(path) for key, path in names.items()}
    described = subject(name, **{**description, **functions})
    lines = [described.setup]
    for key, path in names.items():
        lines += [f"import {path.partition(':')[0]}", f"{key} = {path.replace(':', '.')}"]
    suite = suite_of_subject(replace(described, setup="\n".join(lines)))
    return run(suite, options, expected_failures=expected, watch=watch)


def report_unchecked(
    name: str, reason: str, options: Options, watch: Watch | None = None
) -> Report:
    """Return the report on a component that cannot be made."""
    return Report(name, not_checked=reason, allow_unfinished=options.allow_unfinished)


def check_jobs(
    names: Sequence[str],
    parameters: Mapping[str, Any],
    plugins: Plugins,
    *,
    every: bool = False,
    defaults: bool = False,
    expected: Mapping[str, str] | None = None,
    outside: Mapping[str, Any] | None = None,
    options: Options | None = None,
) -> list[Job]:
    """Return the jobs for names of components, distributions, plugins or outside functions.

    Without names they are all that the local files offer, with `every` all that is installed.
    The parameters are those of the one component, or of the loss that an outside function, as
    `outside` describes it, is compared with. Each expected failure must be a check of every
    component.

    Raises
    ------
    ArgumentError
        If nothing is named, or a component cannot be made.
    UnknownNameError
        If a name means nothing.
    """
    options, expected = options or Options(), dict(expected or {})
    description = {key: value for key, value in (outside or {}).items() if value}
    functions = [name for name in names if is_outside(name)]
    if every and names:
        raise ArgumentError("--all checks everything: give no NAME with it.")
    if not (every or names or plugins.local):
        raise ArgumentError("nothing to check: give a NAME, --all or --plugin.")
    if functions and options.bridges:
        raise ArgumentError("--bridges checks losses of lossfw, not outside functions.")
    if description and (not functions or len(names) > 1):
        listed = ", ".join(f"--{key.removesuffix('s')}" for key in description)
        raise ArgumentError(
            f"{listed} describes an outside function: give exactly one NAME, as module:function."
        )
    common = {"options": options, "expected": expected}
    if functions:
        common["description"] = _complete(description, parameters)
        return [Job(name, check_outside, {"name": name, **common}) for name in names]
    jobs: list[Job] = []
    known = plugins.registry()
    entries = _entries(known, names, bool(plugins.local))
    for entry in entries:
        instances = _instances(known, entry, parameters, defaults)
        if not instances:
            reason = _why_not(known.class_of(entry))
            if len(entries) == 1:
                raise ArgumentError(f"{entry.name} {reason}")
            arguments = {"name": entry.name, "reason": f"it {reason}", "options": options}
            jobs.append(Job(entry.name, report_unchecked, arguments))
        for component, share, all_checks in instances:
            if expected:
                # A name that is none of its checks is refused before anything runs.
                expectations(expected, suite_of_component(component, options.bridges).checks)
            # The distribution tells equal names apart.
            config = {**component.to_config(), "name": f"{entry.distribution}/{entry.name}"}
            if not names and share == 1 and component != instances[0].component:
                share = MOVED_SHARE
            arguments = {"kind": entry.kind, "config": config, "plugins": plugins,
                         "example_share": share, "all_checks": all_checks, **common}  # fmt: skip
            jobs.append(Job(config["name"], check_config, arguments))
    if not jobs:
        others = [e for e in known.entries() if e.plugin.path is not None]
        offered = ", ".join(f"the {entry.kind} {entry.name}" for entry in others)
        raise ArgumentError(
            "there is nothing to check: losses and activations are, and --plugin offers "
            f"{offered or 'no component'}."
        )
    return jobs


def components(name: str, plugins: Plugins | None = None) -> list[Component]:
    """Return the components of a name, at default parameters; it raises as `check_jobs` does."""
    known = (plugins or Plugins()).registry()
    entries = _entries_of(known, name)
    instances = [one for entry in entries if (one := sample(known, entry)) is not None]
    if not instances:
        raise ArgumentError(f"{name} {_why_not(known.class_of(entries[0]))}")
    return instances


def sample(known: Registry, entry: Entry) -> Component | None:
    """Return a component at its defaults, or at parameters that it takes; None if unknown."""
    return next((one.component for one in _instances(known, entry, {}, True)), None)


def _complete(description: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description with the parameters, and with kind and spaces by name."""
    against = description.get("against")
    loss = registry().create("loss", against, **parameters) if against else None
    spaces = {key: description.get(key) for key in ("kind", "prediction", "target")}
    known = kind_and_spaces(loss, spaces, option="--")
    by_name = {key: getattr(value, "name", value) for key, value in known.items()}
    return {**description, **by_name, "params": dict(parameters)}


def _entries(known: Registry, names: Sequence[str], only_local: bool) -> list[Entry]:
    """Return the entries of names; without names those of the local files, or else all."""
    if names:
        return list(dict.fromkeys(e for name in names for e in _entries_of(known, name)))
    entries = (entry for kind in KINDS for entry in known.entries(kind))
    return [entry for entry in entries if entry.plugin.path is not None or not only_local]


def _entries_of(known: Registry, name: str) -> list[Entry]:
    """Return the entries of a name: those of a component, else all of a plugin."""
    entries: list[Entry] = []
    for kind in KINDS:
        with suppress(UnknownNameError):
            entries.append(known.resolve(kind, name))
    return entries or _entries_of_plugin(known, name)


def _entries_of_plugin(known: Registry, name: str) -> list[Entry]:
    plugins = [plugin for plugin in known.plugins() if plugin.metadata.called(name)]
    for plugin in plugins:
        if plugin.error is not None:
            raise plugin.error
    entries = [e for plugin in plugins for e in plugin.entries if e.kind in KINDS]
    if plugins and not entries:
        raise ArgumentError(f"{name} offers no loss and no activation; others cannot be checked.")
    if entries:
        return sorted(entries, key=lambda e: (KINDS.index(e.kind), e.name))
    for entry in known.entries():
        if name in entry.names:
            raise ArgumentError(
                f"{name} is the name of another kind, {entry.kind}: losses and activations are "
                "what is checked."
            )
    names = [n for kind in KINDS for entry in known.entries(kind) for n in entry.names]
    names += [plugin.distribution for plugin in known.plugins()]
    raise UnknownNameError(
        f"There is no loss, activation or distribution {name!r}. {did_you_mean_one(name, names)} "
        "`lossfw list` shows all.".replace("  ", " ")
    )


def _instances(
    known: Registry, entry: Entry, parameters: Mapping[str, Any], defaults: bool
) -> list[InstanceToCheck]:
    """Return a component at these parameters, else at its defaults and unless `defaults` others.

    The list is empty if it cannot be made without parameters.
    """
    if parameters:
        spec = {"name": f"{entry.distribution}/{entry.name}", **parameters}
        return [InstanceToCheck(known.create(entry.kind, spec))]
    instances = instances_to_check(known.class_of(entry))
    if not instances:
        for parts in _PARTS:
            with suppress(LossfwError):
                component = known.create(entry.kind, {"name": entry.name, **parts})
                instances.append(InstanceToCheck(component))
    return instances[:1] if defaults else instances


def _why_not(cls: type[Component]) -> str:
    """Return why a component of a class is not checked, and how it can be."""
    required = ", ".join(name for name, field in cls.model_fields.items() if field.is_required())
    return (
        f"cannot be made without parameters ({required}): set them with -p KEY=VALUE, or let "
        f"{cls.__name__}.examples() name sample parameters."
    )
