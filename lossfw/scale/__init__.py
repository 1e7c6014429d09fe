"""Scale: evaluation on the workers of a Dask cluster, with the same bits."""

from lossfw.scale.cluster import connect, thread_count_of
from lossfw.scale.evaluate import evaluate_on
from lossfw.scale.parts import PartCut, cut_rows

__all__ = ["PartCut", "connect", "cut_rows", "evaluate_on", "thread_count_of"]
