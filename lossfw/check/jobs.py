"""Checks of one component or one outside function as jobs for the pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lossfw.check.component import prepared
from lossfw.check.foreign import loading
from lossfw.check.function import subject
from lossfw.check.options import Options
from lossfw.check.report import Report
from lossfw.check.runner import prepare, run
from lossfw.components.plugin_choice import Plugins


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
    whole : bool
        False leaves out laws of the call, which another of the same operations is held to.
    """

    kind: str
    config: Mapping[str, Any]
    options: Options = field(default_factory=Options)
    plugins: Plugins = field(default_factory=Plugins)
    expected_failures: Mapping[str, str] = field(default_factory=dict)
    share: float = 1.0
    whole: bool = True

    @property
    def label(self) -> str:
        """Its name."""
        return str(self.config["name"])

    def run(self, watch: Callable[[str], None]) -> Report:
        """Check it."""
        component = self.plugins.registry().create(self.kind, dict(self.config))
        of = prepared(component, self.options.bridges)
        share = max(1, round(self.options.examples * self.share))
        return run(
            of if self.whole else of.formula_alone(),
            replace(self.options, examples=share),
            expected_failures=self.expected_failures,
            watch=watch,
        )


@dataclass(frozen=True)
class UncheckedJob:
    """A component that cannot be made; see `lossfw.check.pool.Job`.

    Attributes
    ----------
    label : str
        Its name.
    reason : str
        Why it cannot be checked.
    options : Options
    """

    label: str
    reason: str
    options: Options = field(default_factory=Options)

    def run(self, watch: Callable[[str], None]) -> Report:
        """Tell that it is not checked."""
        allowed = self.options.allow_unfinished
        return Report(self.label, not_checked=self.reason, allow_unfinished=allowed)


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
        expected = more.pop("expected_failures", {})
        for key in ("gradient", "hessian"):
            if more.get(key):
                more[key] = loading.load(more[key])
        named = {key: self.described.get(key) for key in ("gradient", "hessian")}
        made = subject(self.name, **more)
        made = replace(made, setup="\n".join([made.setup, *loading.setup(named)]))
        return run(prepare(made), self.options, expected_failures=expected, watch=watch)
