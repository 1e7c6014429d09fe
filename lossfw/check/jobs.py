"""Jobs: what the command line checks, by name and in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from lossfw.check.api import (
    kind_and_spaces,
    refuse_groups,
    subject,
    textbook_form,
    uncheckable_reason,
)
from lossfw.check.component_checks import ComponentChecks
from lossfw.check.core.subject import find_space
from lossfw.check.foreign.conventions import is_outside_function
from lossfw.check.instances import MOVED_SHARE, InstanceToCheck, instances_to_check
from lossfw.check.options import Options
from lossfw.check.pool import Job, JobSeries, Watch
from lossfw.check.report import Report
from lossfw.check.runner import run, suite_of_subject
from lossfw.components.component import Component
from lossfw.components.library import LibraryComponent
from lossfw.components.naming import did_you_mean_any
from lossfw.components.plugin_choice import Plugins
from lossfw.components.registry import Entry, Registry
from lossfw.errors import (
    ArgumentError,
    BrokenPluginError,
    LossfwError,
    ParameterError,
    UnknownNameError,
)
from lossfw.models import Model

KINDS = ("loss", "activation", "model", "metric")

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
    {"of": {"price": "huber", "sold": "logistic"}},
)


def check_outside_function(
    name: str,
    description: Mapping[str, Any],
    parameters: Mapping[str, Any],
    plugins: Plugins,
    options: Options,
    expected: Mapping[str, str],
    watch: Watch | None = None,
) -> list[Report]:
    """Check an outside function; `description` has arguments of `subject`, functions by name."""
    described = subject(name, **_complete_description(description, parameters, plugins.registry()))
    suite = suite_of_subject(described).restrict_to(options.within)
    return [run(suite, options, expected_failures=expected, watch=watch)]


def report_unchecked(
    name: str, reason: str, options: Options, watch: Watch | None = None
) -> list[Report]:
    """Return the report of a component that cannot be made."""
    return [Report(name, not_checked=reason, allow_unfinished=options.allow_unfinished)]


def report_skipped(
    name: str,
    reason: str,
    library: str = "",
    is_deselected: bool = False,
    watch: Watch | None = None,
) -> list[Report]:
    """Return the report of a skipped component, which is not a failure."""
    report = Report(name, skipped=reason, missing_library=library, is_deselected=is_deselected)
    return [report]


def check_jobs(
    names: Sequence[str],
    parameters: Mapping[str, Any],
    plugins: Plugins,
    *,
    all_installed: bool = False,
    only_defaults: bool = False,
    expected: Mapping[str, str] | None = None,
    outside: Mapping[str, Any] | None = None,
    options: Options | None = None,
) -> list[Job | JobSeries]:
    """Return the jobs for names of components, distributions, plugins or outside functions.

    The result of each is a list of reports, one for each set of parameters.

    Without names they are all components of the local files, or with `all_installed` all
    installed ones.
    The parameters are those of the one component, or of the reference loss of an outside function,
    which `outside` describes. Each expected failure must be a check of every component.

    Raises
    ------
    ArgumentError
        If there is no name, or a component cannot be made.
    UnknownNameError
        If a name is unknown.
    """
    options, expected = options or Options(), dict(expected or {})
    description = {key: value for key, value in (outside or {}).items() if value}
    functions = [name for name in names if is_outside_function(name)]
    if all_installed and names:
        raise ArgumentError(f"give NAME or --all, not both; got {', '.join(names)} and --all.")
    if not (all_installed or names or plugins.local):
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
        _complete_description(
            description, parameters, plugins.registry()
        )  # a mistake ends the command here
        common |= {"description": description, "parameters": parameters, "plugins": plugins}
        return [Job(name, check_outside_function, {"name": name, **common}) for name in names]
    return _component_jobs(names, parameters, plugins, only_defaults, options, expected)


def _component_jobs(
    names: Sequence[str],
    parameters: Mapping[str, Any],
    plugins: Plugins,
    only_defaults: bool,
    options: Options,
    expected: Mapping[str, str],
) -> list[Job | JobSeries]:
    known = plugins.registry()
    entries = entries_to_check(known, names, only_local=bool(plugins.local))
    is_alone = len(entries) == 1

    def job_of(entry: Entry) -> Job | JobSeries:
        cls = known.class_of(entry)
        if not is_alone and (library := _missing_library(cls)):
            reason = f"it needs {library}, which is not installed"
            left_out = {"name": entry.name, "reason": reason, "library": library}
            return Job(entry.name, report_skipped, left_out)
        instances = _instances(known, entry, parameters, only_defaults)
        if not is_alone and (reason := _skip_reason(cls, instances)):
            return Job(entry.name, report_skipped, {"name": entry.name, "reason": f"it {reason}"})
        if not instances:
            raise ParameterError(f"{entry.name} {_uncheckable_reason(cls)}")
        if not names:
            # Among many components, forms get as little as moved parameters.
            instances[1:] = [
                one._replace(example_share=min(one.example_share, MOVED_SHARE))
                for one in instances[1:]
            ]
        checks = ComponentChecks(entry, instances, plugins, options, expected)
        known_checks.update(checks.known_checks)
        if is_alone or checks.has_selected_checks:
            return checks.jobs()
        reason = "none of the chosen checks applies to it"
        deselected = {"name": entry.name, "reason": reason, "is_deselected": True}
        return Job(entry.name, report_skipped, deselected)

    # Of all components: a word may be meant for some of them.
    known_checks: set[str] = set()
    jobs: list[Job | JobSeries] = []
    for entry in entries:
        try:
            jobs.append(job_of(entry))
        except (BrokenPluginError, ParameterError) as error:
            if is_alone:
                raise
            # A faulty class does not cost the others their checks.
            arguments = {"name": entry.name, "reason": str(error), "options": options}
            jobs.append(Job(entry.name, report_unchecked, arguments))
    if not jobs:
        others = [e for e in known.entries() if e.plugin.path is not None]
        offered = ", ".join(f"the {entry.kind} {entry.name}" for entry in others)
        raise ArgumentError(
            "nothing to check: only losses, activations, models and metrics can be checked, but "
            f"--plugin offers {offered or 'no component'}."
        )
    if known_checks:
        options.refuse_unknown(sorted(known_checks))
    if all(isinstance(job, Job) and "is_deselected" in job.arguments for job in jobs):
        raise ArgumentError(
            f"none of the {len(jobs)} components has a check that only={list(options.only)} and "
            f"skip={list(options.skip)} choose."
        )
    return jobs


def components(name: str, plugins: Plugins | None = None) -> list[Component]:
    """Return the components of a name, at default parameters; it raises as `check_jobs` does."""
    known = (plugins or Plugins()).registry()
    entries = _entries_of(known, name)
    instances = [one for entry in entries if (one := sample_component(known, entry)) is not None]
    if not instances:
        raise ArgumentError(f"{name} {_uncheckable_reason(known.class_of(entries[0]))}")
    return instances


def sample_component(known: Registry, entry: Entry) -> Component | None:
    """Return a component at its defaults, or at parameters that it takes; None if unknown."""
    return next((one.component for one in _instances(known, entry, {}, True)), None)


def _complete_description(
    description: Mapping[str, Any], parameters: Mapping[str, Any], registry: Registry
) -> dict[str, Any]:
    """Return a description with the parameters, and the loss to compare with and its spaces."""
    against = description.get("against")
    loss = registry.create("loss", against, **parameters) if against else None
    refuse_groups(loss)
    given = {key: description.get(key) for key in ("kind", "prediction", "target")}
    known = kind_and_spaces(loss, given, option="--")
    truth = textbook_form(loss, parameters, find_space(known["prediction"]))
    return {**description, **known, "against": truth, "params": dict(parameters)}


def entries_to_check(known: Registry, names: Sequence[str], *, only_local: bool) -> list[Entry]:
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
    plugins = [plugin for plugin in known.plugins() if plugin.metadata.is_called(name)]
    for plugin in plugins:
        if plugin.error is not None:
            raise plugin.error
    entries = [e for plugin in plugins for e in plugin.entries if e.kind in KINDS]
    if plugins and not entries:
        raise ArgumentError(
            f"{name} offers no loss, activation, model or metric; others cannot be checked."
        )
    if entries:
        return sorted(entries, key=lambda e: (KINDS.index(e.kind), e.name))
    for entry in known.entries():
        if name in entry.names:
            raise ArgumentError(
                f"{name} is a component of another kind, {entry.kind}: losses, activations, models "
                "and metrics are what is checked."
            )
    names = [n for kind in KINDS for entry in known.entries(kind) for n in entry.names]
    names += [plugin.distribution for plugin in known.plugins()]
    raise UnknownNameError(
        f"There is no loss, activation, model, metric or distribution {name!r}. "
        f"{did_you_mean_any(name, names)} `lossfw list` shows all.".replace("  ", " ")
    )


def _instances(
    known: Registry, entry: Entry, parameters: Mapping[str, Any], only_defaults: bool
) -> list[InstanceToCheck]:
    """Return a component at these parameters, else at its defaults, and others if asked for.

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
    return instances[:1] if only_defaults else instances


def _missing_library(cls: type[Component]) -> str | None:
    return cls.missing_library() if issubclass(cls, LibraryComponent) else None


def _skip_reason(cls: type[Component], instances: Sequence[InstanceToCheck]) -> str:
    """Return why a component is left out among many, as the end of a sentence; empty if not.

    Only a model is: it may have no file to evaluate.
    """
    if not issubclass(cls, Model):
        return ""
    if not instances:
        return _uncheckable_reason(cls)
    return uncheckable_reason(instances[0].component)


def _uncheckable_reason(cls: type[Component]) -> str:
    """Return why a component of a class is not checked, and how it can be."""
    required = ", ".join(name for name, field in cls.model_fields.items() if field.is_required())
    return (
        f"cannot be made without parameters ({required}): set them with -p KEY=VALUE, or let "
        f"{cls.__name__}.examples() name sample parameters."
    )
