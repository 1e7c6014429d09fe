"""Checks of one component or one outside function as jobs for the pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lossfw.check.component import prepared
from lossfw.check.foreign import loading
from lossfw.check.foreign.adapters import adapt
from lossfw.check.function import check_function
from lossfw.check.report import Report
from lossfw.check.runner import run
from lossfw.components.plugin_choice import Plugins


@dataclass(frozen=True)
class Options:
    """How a job is checked.

    Attributes
    ----------
    seed, examples, time_limit, allow_unfinished
        As in `lossfw.check.check`.
    """

    seed: int = 0
    examples: int = 200
    time_limit: float | None = None
    allow_unfinished: bool = False


@dataclass(frozen=True)
class ComponentJob:
    """A loss or an activation by name and parameters; see `lossfw.check.pool.Job`.

    Attributes
    ----------
    kind : str
        ``"loss"`` or ``"activation"``.
    config : mapping
        Its name and parameters.
    options : Options
    plugins : Plugins
        Where it comes from.
    expected_failures : mapping of str to str
        See `lossfw.check.check`.
    share : float
        Of the examples; less for one of many parameters.
    """

    kind: str
    config: Mapping[str, Any]
    options: Options = field(default_factory=Options)
    plugins: Plugins = field(default_factory=Plugins)
    expected_failures: Mapping[str, str] = field(default_factory=dict)
    share: float = 1.0

    @property
    def label(self) -> str:
        """Its name."""
        return str(self.config["name"])

    def run(self, watch: Callable[[str], None]) -> Report:
        """Check it."""
        component = self.plugins.registry().create(self.kind, dict(self.config))
        return run(
            prepared(component),
            seed=self.options.seed,
            examples=max(1, round(self.options.examples * self.share)),
            time_limit=self.options.time_limit,
            allow_unfinished=self.options.allow_unfinished,
            expected_failures=self.expected_failures,
            watch=watch,
        )


@dataclass(frozen=True)
class FunctionJob:
    """An outside function; see `lossfw.check.pool.Job`.

    Attributes
    ----------
    name : str
        ``module:function``.
    options : Options
    described : mapping
        Further arguments of `check_function`; functions by name.
    """

    name: str
    options: Options = field(default_factory=Options)
    described: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Its name."""
        return self.name

    def run(self, watch: Callable[[str], None]) -> Report:
        """Check it."""
        more: dict[str, Any] = dict(self.described)
        named = {key: more.pop(key, None) for key in ("gradient", "hessian")}
        rows = more.get("kind") == "categorical"
        adapted = adapt(self.name, loading.load(self.name), more["params"], rows=rows)
        functions: dict[str, Any] = {"gradient": adapted.gradient, "reduce": adapted.reduce}
        functions.update({key: loading.load(name) for key, name in named.items() if name})
        return check_function(
            adapted.value,
            name=self.name,
            seed=self.options.seed,
            examples=self.options.examples,
            time_limit=self.options.time_limit,
            allow_unfinished=self.options.allow_unfinished,
            setup="\n".join([adapted.setup, *loading.setup(named)]),
            watch=watch,
            **functions,
            **more,
        )
