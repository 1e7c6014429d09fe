"""Scale: evaluation on the workers of a Dask cluster, with the same bits."""

from lossfw.scale.cluster import connect, slots_of
from lossfw.scale.evaluate import evaluate_on
from lossfw.scale.parts import Cut, cut

__all__ = ["Cut", "connect", "cut", "evaluate_on", "slots_of"]
