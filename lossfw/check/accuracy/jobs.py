"""Measurements of one component in one dtype as jobs for the pool."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lossfw.check.accuracy.measure import DTYPES, POINTS, ComponentAccuracy, measure
from lossfw.check.accuracy.peer_tables import installed
from lossfw.check.accuracy.variants import variants
from lossfw.components.plugin_choice import Plugins

# Other parameters are measured at so many times fewer points.
_FEWER = 4


@dataclass(frozen=True)
class AccuracyJob:
    """One component in one dtype; see `lossfw.check.pool.Job`.

    Attributes
    ----------
    kind : str
        ``"loss"`` or ``"activation"``.
    config : dict
        The name and parameters of the component.
    dtype : str
    points, seed : int
        See `lossfw.check.accuracy.measure`.
    peers : bool
        Whether to measure the libraries that are installed as well.
    plugins : Plugins
        Where the component comes from.
    """

    kind: str
    config: dict[str, Any]
    dtype: str
    points: int = POINTS
    seed: int = 0
    peers: bool = False
    plugins: Plugins = field(default_factory=Plugins)

    @property
    def label(self) -> str:
        """The component's name."""
        return str(self.config["name"])

    def run(self, watch: Callable[[str], None]) -> ComponentAccuracy:
        """Measure it."""
        watch(self.dtype)
        component = self.plugins.registry().create(self.kind, self.config)
        peers = installed() if self.peers else ()
        return measure(component, self.dtype, points=self.points, seed=self.seed, peers=peers)


def accuracy_jobs(
    components: Sequence[Any],
    plugins: Plugins | None = None,
    *,
    points: int = POINTS,
    **options: Any,
) -> list[AccuracyJob]:
    """Return a job for each component and dtype, in this order.

    Among several components of one class, those at parameters that are no
    default and no form of their own have a quarter of the points.

    Parameters
    ----------
    components : sequence of Component
    plugins : Plugins, optional
        Where they come from.
    points : int
    **options
        Of `AccuracyJob`: seed and peers.
    """
    found = []
    for component in components:
        alone = sum(type(other) is type(component) for other in components) == 1
        usual = alone or component in variants(type(component), others=False)
        count = points if usual else max(1, points // _FEWER)
        found += [
            AccuracyJob(
                component.kind,
                component.to_config(),
                dtype,
                count,
                plugins=plugins or Plugins(),
                **options,
            )
            for dtype in DTYPES
        ]
    return found
