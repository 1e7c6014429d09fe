"""The array namespace of tensors: array_api_compat's, with a sign for `torch.func.vmap`."""

from typing import Any

import torch
from array_api_compat import torch as compat
from array_api_compat.torch import *  # noqa: F403  # the names of a namespace are its contents

# These have an attribute of every name, so doctest takes them for wrapped functions.
for _name in ("classes", "ops"):
    globals().pop(_name, None)


def sign(x: Any) -> Any:
    """Return -1, 0 or 1, and NaN for NaN.

    array_api_compat writes the NaN through an index of unknown length, which `torch.func.vmap`
    cannot batch. It works in place, because allocating memory would take most of the time for large
    tensors.
    """
    if not x.is_floating_point():
        return compat.sign(x)
    return torch.sign(x).masked_fill_(x != x, torch.nan)
