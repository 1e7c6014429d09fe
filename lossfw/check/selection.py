"""Resolve names on the command line to jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lossfw.check.component import prepared
from lossfw.check.edges import MOVED_SHARE, Edge, edges
from lossfw.check.foreign import loading
from lossfw.check.jobs import ComponentJob, FunctionJob, UncheckedJob
from lossfw.check.options import Options
from lossfw.check.runner import expectations
from lossfw.components.component import Component
from lossfw.components.plugin_choice import Plugins
from lossfw.components.registry import Entry, Registry
from lossfw.components.synonyms import did_you_mean_one
from lossfw.errors import ArgumentError, LossfwError, UnknownNameError

KINDS = ("loss", "activation")

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


def chosen(
    names: Sequence[str],
    given: Mapping[str, Any],
    plugins: Plugins,
    *,
    every: bool = False,
    defaults: bool = False,
    expected: Mapping[str, str] | None = None,
    outside: Mapping[str, Any] | None = None,
    options: Options | None = None,
) -> list[Any]:
    """Return the jobs for names.

    Parameters
    ----------
    names : sequence of str
        Components, distributions, labels of plugins or outside functions.
        Without any, all that the local files offer.
    given : mapping
        Parameters of the one component, or of the loss that an outside function
        is compared with.
    plugins : Plugins
    every : bool
        Everything that is installed.
    defaults : bool
        Leave out other parameters than the defaults.
    expected : mapping of str to str, optional
        Expected failures; each must be a check of every component.
    outside : mapping, optional
        The description of an outside function.
    options : Options, optional
        How each is checked.

    Raises
    ------
    ArgumentError
        If nothing is named, or a component cannot be made.
    UnknownNameError
        If a name means nothing.
    """
    options, outside = options or Options(), outside or {}
    described = {key: value for key, value in outside.items() if value}
    functions = [name for name in names if loading.is_outside(name)]
    if every and names:
        raise ArgumentError("--all checks everything: give no NAME with it.")
    if not (every or names or plugins.local):
        raise ArgumentError("nothing to check: give a NAME, --all or --plugin.")
    _refuse_mixed(names, functions, described, options)
    if functions:
        return [_function(name, given, described, expected or {}, options) for name in names]
    registry = plugins.registry()
    entries = _everything(registry, plugins) if not names else _named(registry, names)
    found: list[Any] = []
    for entry in entries:
        made = _edges(registry, entry, given, defaults)
        if not made:
            reason = _why_not(registry.class_of(entry))
            if len(entries) == 1:
                raise ArgumentError(f"{entry.name} {reason}")
            found.append(UncheckedJob(entry.name, f"it {reason}", options))
        for component, share, whole in made:
            # A doubled name is told apart by its distribution.
            config = {**component.to_config(), "name": f"{entry.distribution}/{entry.name}"}
            _refuse_unknown(component, expected or {}, options)
            few = share if names or share < 1 or component == made[0].component else MOVED_SHARE
            found.append(
                ComponentJob(entry.kind, config, options, plugins, expected or {}, few, whole)
            )
    if not found:
        others = [e for e in registry.entries() if e.plugin.path is not None]
        offered = ", ".join(f"the {entry.kind} {entry.name}" for entry in others)
        raise ArgumentError(
            f"there is nothing to check: losses and activations are, and --plugin offers "
            f"{offered or 'no component'}."
        )
    return found


def _refuse_mixed(
    names: Sequence[str], functions: Sequence[str], described: Mapping[str, Any], options: Options
) -> None:
    """Refuse options of components for outside functions, and the other way round."""
    if functions and options.bridges:
        raise ArgumentError("--bridges checks losses of lossfw, and no outside function.")
    if described and (not functions or len(names) > 1):
        given = ", ".join(f"--{key.removesuffix('s')}" for key in described)
        raise ArgumentError(
            f"{given} describes an outside function: give exactly one NAME, as module:function."
        )


def components(name: str, plugins: Plugins | None = None) -> list[Component]:
    """Return the components of a name, at default parameters.

    Raises
    ------
    ArgumentError
        If one of it cannot be made without parameters.
    UnknownNameError
        If the name means nothing.
    """
    registry = (plugins or Plugins()).registry()
    entries = _meant(registry, name)
    made = [one for entry in entries for one in _components(registry, entry)]
    if not made:
        raise ArgumentError(f"{name} {_why_not(registry.class_of(entries[0]))}")
    return made


def sample(registry: Registry, entry: Entry) -> Component | None:
    """Return a loss or an activation at its defaults, or at parameters that it takes.

    None where it cannot be made without knowing more.
    """
    return next(iter(_components(registry, entry)), None)


def _function(
    name: str,
    given: Mapping[str, Any],
    described: Mapping[str, Any],
    expected: Mapping[str, str],
    options: Options,
) -> FunctionJob:
    from lossfw.components.registry import registry

    more = dict(described)
    against = more.get("against")
    spaces = {key: more.pop(key, None) for key in ("kind", "prediction", "target")}
    truth = registry().create("loss", against, **given) if against else None
    known = {**loading.described(truth, spaces), **more, "params": dict(given)}
    return FunctionJob(name, options, {**known, "expected_failures": dict(expected)})


def _everything(registry: Registry, plugins: Plugins) -> list[Entry]:
    """Return the entries of the local files, or without local files all."""
    found = [entry for kind in KINDS for entry in registry.entries(kind)]
    if plugins.local:
        found = [entry for entry in found if entry.plugin.path is not None]
    return found


def _named(registry: Registry, names: Iterable[str]) -> list[Entry]:
    found: list[Entry] = []
    for name in names:
        found += [entry for entry in _meant(registry, name) if entry not in found]
    return found


def _meant(registry: Registry, name: str) -> list[Entry]:
    """Return the entries of a name: those of a component, else all of a plugin."""
    found = []
    for kind in KINDS:
        try:
            found.append(registry.resolve(kind, name))
        except UnknownNameError:
            continue
    return found or _of_plugin(registry, name)


def _of_plugin(registry: Registry, name: str) -> list[Entry]:
    plugins = [plugin for plugin in registry.plugins() if plugin.metadata.called(name)]
    for plugin in plugins:
        if plugin.error is not None:
            raise plugin.error
    entries = [e for plugin in plugins for e in plugin.entries if e.kind in KINDS]
    if plugins and not entries:
        raise ArgumentError(f"{name} offers no loss and no activation, and others are not checked.")
    if entries:
        return sorted(entries, key=lambda e: (KINDS.index(e.kind), e.name))
    for entry in registry.entries():
        if name in entry.names:
            raise ArgumentError(
                f"{name} is the name of another kind, {entry.kind}: losses and activations are "
                "what is checked."
            )
    known = [n for kind in KINDS for entry in registry.entries(kind) for n in entry.names]
    known += [plugin.distribution for plugin in registry.plugins()]
    raise UnknownNameError(
        f"There is no loss, activation or distribution {name!r}. {did_you_mean_one(name, known)} "
        "`lossfw list` shows all.".replace("  ", " ")
    )


def _components(registry: Registry, entry: Entry) -> list[Component]:
    """Return a component at its defaults; none where it cannot be made without parameters."""
    return [edge.component for edge in _edges(registry, entry, {}, True)]


def _edges(
    registry: Registry, entry: Entry, given: Mapping[str, Any], defaults: bool
) -> list[Edge]:
    """Return a component at the parameters that are given, else at its defaults and at edges.

    None where it cannot be made without parameters.
    """
    if given:
        qualified = f"{entry.distribution}/{entry.name}"
        return [Edge(registry.create(entry.kind, {"name": qualified, **given}))]
    every = edges(registry.class_of(entry))
    if not every:
        every = [Edge(one) for one in (_with(registry, entry, parts) for parts in _PARTS) if one]
    return every[:1] if defaults else every


def _why_not(cls: type[Component]) -> str:
    """Return why a component of a class is not checked, and how it can be."""
    needed = ", ".join(name for name, field in cls.model_fields.items() if field.is_required())
    return (
        f"cannot be made without parameters ({needed}): set them with -p KEY=VALUE, or let "
        f"{cls.__name__}.examples() name sample parameters."
    )


def _with(registry: Registry, entry: Entry, parts: Mapping[str, Any]) -> Component | None:
    try:
        made: Component = registry.create(entry.kind, {"name": entry.name, **parts})
    except LossfwError:
        return None
    return made


def _refuse_unknown(component: Component, expected: Mapping[str, str], options: Options) -> None:
    """Refuse an expected failure that is none of a component's checks, before anything runs."""
    if expected:
        expectations(expected, prepared(component, options.bridges).checks)
