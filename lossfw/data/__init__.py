"""Data: datasets, and the readers of files that sources share."""

from lossfw.data.dataset import Batch, Dataset
from lossfw.data.source import File, Source

__all__ = ["Batch", "Dataset", "File", "Source"]
