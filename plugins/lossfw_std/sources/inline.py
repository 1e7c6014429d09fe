"""Numbers written in the configuration."""

from __future__ import annotations

import numpy as np

from lossfw.data import Dataset, NestedNumbers, Source, digest_arrays, numbers_array


class Inline(Source):
    """Rows written as nested lists in the configuration.

    Use it when a few rows suffice, as in a test or a bug report.

    Integers make an integer array: a loss of rows takes a flat list of them as class indices. Other
    numbers make float64.

    Parameters
    ----------
    targets : list
        One entry per row.
    inputs : list, optional
        One entry per row, for a network.
    sample_weight : list, optional
        One number at or above 0 per row.

    Examples
    --------
    >>> data = Inline(targets=[[0, 1], [1, 0]]).load()
    >>> data.targets.shape, data.targets.dtype.kind
    ((2, 2), 'i')
    """

    targets: NestedNumbers
    inputs: NestedNumbers = None
    sample_weight: NestedNumbers = None

    def load(self) -> Dataset:
        """Make the arrays; see `Dataset` for the errors."""
        given = (self.inputs, self.targets, self.sample_weight)
        inputs, targets, weight = (None if x is None else numbers_array(x) for x in given)
        assert targets is not None
        if weight is not None:
            weight = weight.astype(np.float64)
        digest = digest_arrays(inputs, targets, weight)
        return Dataset(self.name, targets, inputs, weight, digest)
