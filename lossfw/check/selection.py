"""Choose: what names on the command line mean, as jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lossfw.check.accuracy.variants import variants
from lossfw.check.batch import ComponentJob, Options
from lossfw.check.component import prepared
from lossfw.check.foreign import loading
from lossfw.check.foreign.adapters import adapt
from lossfw.check.function import check_function
from lossfw.check.report import Report
from lossfw.components.component import Component
from lossfw.components.naming import did_you_mean
from lossfw.components.plugin_choice import Plugins
from lossfw.components.registry import Entry, Registry
from lossfw.errors import ArgumentError, LossfwError, UnknownNameError

KINDS = ("loss", "activation")

# Where everything is checked, edges of parameters get this share of the examples.
EDGE_SHARE = 0.1

# What a wrapper is checked with: each that it takes.
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


@dataclass(frozen=True)
class FunctionJob:
    """An outside function; see `lossfw.check.batch.Job`.

    Attributes
    ----------
    name : str
        ``module:function``.
    options : mapping
        What `check_function` takes besides; functions by name.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Its name."""
        return self.name

    def run(self, options: Options, watch: Callable[[str], None] | None = None) -> Report:
        """Check it; see `lossfw.check.batch.Job`."""
        more: dict[str, Any] = dict(self.options)
        named = {key: more.pop(key, None) for key in ("gradient", "hessian")}
        rows = more.get("kind") == "categorical"
        adapted = adapt(self.name, loading.load(self.name), more["params"], rows=rows)
        functions: dict[str, Any] = {"gradient": adapted.gradient, "reduce": adapted.reduce}
        functions.update({key: loading.load(name) for key, name in named.items() if name})
        return check_function(
            adapted.value,
            name=self.name,
            seed=options.seed,
            examples=options.examples,
            time_limit=options.time_limit,
            setup="\n".join([adapted.setup, *loading.setup(named)]),
            watch=watch,
            **functions,
            **more,
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
) -> list[Any]:
    """Return the jobs that names mean.

    Parameters
    ----------
    names : sequence of str
        Components, distributions, labels of plugins or outside functions.
        Without any, all that the local files offer.
    given : mapping
        Parameters of the one component, or of what an outside function is
        compared with.
    plugins : Plugins
    every : bool
        Everything that is installed.
    defaults : bool
        Leave out other parameters than the defaults.
    expected : mapping of str to str, optional
        Expected failures; each must be a check of every component.
    outside : mapping, optional
        What is known of an outside function.

    Raises
    ------
    ArgumentError
        If nothing is named, or what is named cannot be made.
    UnknownNameError
        If a name means nothing.
    """
    from lossfw.check.foreign.loading import is_outside

    if every and names:
        raise ArgumentError("--all checks everything: give no NAME with it.")
    if not (every or names or plugins.local):
        raise ArgumentError("nothing to check: give a NAME, --all, --plugin or --catalogue.")
    functions = [name for name in names if is_outside(name)]
    described = {key: value for key, value in (outside or {}).items() if value}
    if described and (not functions or len(names) > 1):
        options = ", ".join(f"--{key.removesuffix('s')}" for key in described)
        raise ArgumentError(
            f"{options} describes an outside function: give exactly one NAME, as module:function."
        )
    if functions:
        return [_function(name, given, described, expected or {}) for name in names]
    registry = plugins.registry()
    entries = _everything(registry, plugins) if not names else _named(registry, names)
    return _jobs(registry, entries, given, plugins, defaults, expected or {}, bool(names))


def components(name: str, plugins: Plugins | None = None) -> list[Component]:
    """Return what a name means, at default parameters.

    Raises
    ------
    ArgumentError
        If one of it cannot be made without parameters.
    UnknownNameError
        If the name means nothing.
    """
    registry = (plugins or Plugins()).registry()
    entries = _meant(registry, name)
    return [one for entry in entries for one in _components(registry, entry, {}, True, True)]


def _function(
    name: str, given: Mapping[str, Any], described: Mapping[str, Any], expected: Mapping[str, str]
) -> FunctionJob:
    from lossfw.components.registry import registry

    more = dict(described)
    against = more.get("against")
    spaces = {key: more.pop(key, None) for key in ("kind", "prediction", "target")}
    truth = registry().create("loss", against, **given) if against else None
    options = {**loading.described(truth, spaces), **more, "params": dict(given)}
    return FunctionJob(name, {**options, "expected_failures": dict(expected)})


def _everything(registry: Registry, plugins: Plugins) -> list[Entry]:
    """Return what the local files offer, or without local files everything."""
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
    """Return the entries that a name means: a component's, else all of a plugin's."""
    found = []
    for kind in KINDS:
        try:
            found.append(registry.resolve(kind, name))
        except UnknownNameError:
            continue
    return found or _of_plugin(registry, name)


def _of_plugin(registry: Registry, name: str) -> list[Entry]:
    plugins = [plugin for plugin in registry.plugins() if plugin.found.called(name)]
    for plugin in plugins:
        if plugin.error is not None:
            raise plugin.error
    entries = [e for plugin in plugins for e in plugin.entries if e.kind in KINDS]
    if plugins and not entries:
        raise ArgumentError(f"{name} offers no loss and no activation, and others are not checked.")
    if entries:
        return sorted(entries, key=lambda e: (KINDS.index(e.kind), e.name))
    known = [n for kind in KINDS for entry in registry.entries(kind) for n in entry.names]
    known += [plugin.distribution for plugin in registry.plugins()]
    raise UnknownNameError(
        f"There is no loss, activation or distribution {name!r}. {did_you_mean(name, known)} "
        "`lossfw list` shows all.".replace("  ", " ")
    )


def _jobs(
    registry: Registry,
    entries: Sequence[Entry],
    given: Mapping[str, Any],
    plugins: Plugins,
    defaults: bool,
    expected: Mapping[str, str],
    named: bool,
) -> list[ComponentJob]:
    found = []
    for entry in entries:
        for rank, component in enumerate(_components(registry, entry, given, defaults, named)):
            # A doubled name is told apart by its distribution.
            config = {**component.to_config(), "name": f"{entry.distribution}/{entry.name}"}
            _refuse_unknown(component, expected)
            share = 1.0 if named or rank == 0 else EDGE_SHARE
            found.append(ComponentJob(entry.kind, config, plugins, dict(expected), share))
    if not found:
        raise ArgumentError("there is nothing to check.")
    return found


def _components(
    registry: Registry, entry: Entry, given: Mapping[str, Any], defaults: bool, named: bool
) -> list[Component]:
    """Return a component at the parameters that are given, else at its defaults and at edges."""
    if given:
        qualified = f"{entry.distribution}/{entry.name}"
        return [registry.create(entry.kind, {"name": qualified, **given})]
    every: list[Component] = variants(registry.class_of(entry))
    if not every:
        every = [one for one in (_with(registry, entry, parts) for parts in _PARTS) if one]
    if not every and named:
        raise ArgumentError(
            f"{entry.name} cannot be made without parameters: set them with -p KEY=VALUE."
        )
    return every[:1] if defaults else every


def _with(registry: Registry, entry: Entry, parts: Mapping[str, Any]) -> Component | None:
    try:
        made: Component = registry.create(entry.kind, {"name": entry.name, **parts})
    except LossfwError:
        return None
    return made


def _refuse_unknown(component: Component, expected: Mapping[str, str]) -> None:
    """Refuse an expected failure that is none of a component's checks, before anything runs."""
    if expected:
        from lossfw.check.runner import expectations

        expectations(expected, prepared(component).checks)
