"""A trained PyTorch module as bytes: a state dict in safetensors, and an optimizer beside it."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from lossfw import DataError, MissingExtraError

# The key of lossfw's own entry in the header of the file.
_HEADER = "lossfw"
# In front of the state of an optimizer: no name of a module has a slash.
_OPTIMIZER = "optimizer/"


class TorchState(NamedTuple):
    """The tensors of a file.

    `optimizer` has the optimizer's state by parameter number and name, and `row_shape` the shape of
    the inputs of a row; None in a file that lossfw did not write.
    """

    module: dict[str, Any]
    optimizer: dict[int, dict[str, Any]]
    row_shape: tuple[int, ...] | None

    @classmethod
    def from_bytes(cls, content: bytes) -> TorchState:
        """Return what is in a file; nothing in it is executed.

        Raises
        ------
        ValueError
            If it is not a safetensors file.
        """
        library = _library()
        try:
            tensors = library.load(content)
            size = int.from_bytes(content[:8], "little")
            header = json.loads(content[8 : 8 + size]).get("__metadata__", {})
            own = json.loads(header.get(_HEADER, "{}"))
            shape = tuple(map(int, own["row_shape"])) if "row_shape" in own else None
        except Exception as error:
            raise ValueError(" ".join(str(error).split())[:160]) from None
        optimizer: dict[int, dict[str, Any]] = {}
        for key in [key for key in tensors if key.startswith(_OPTIMIZER)]:
            _, number, name = key.split("/", 2)
            optimizer.setdefault(int(number), {})[name] = tensors.pop(key)
        return cls(tensors, optimizer, shape)

    def to_bytes(self) -> bytes:
        """Return the file; the same tensors give the same bytes."""
        tensors = dict(self.module)
        for number, state in self.optimizer.items():
            tensors |= {f"{_OPTIMIZER}{number}/{name}": x for name, x in state.items()}
        # Copies: weights may be tied, and the library refuses tensors that share memory.
        plain = {name: x.detach().cpu().contiguous().clone() for name, x in tensors.items()}
        header = {_HEADER: json.dumps({"row_shape": self.row_shape})} if self.row_shape else None
        content: bytes = _library().save(plain, metadata=header)
        return content


def optimizer_state(optimizer: Any, name: str) -> dict[int, dict[str, Any]]:
    """Return the tensors that an optimizer keeps for each parameter."""
    kept: dict[int, dict[str, Any]] = {}
    for number, state in optimizer.state_dict()["state"].items():
        held = {key: value for key, value in state.items() if value is not None}
        if not all(hasattr(value, "detach") for value in held.values()):
            raise DataError(
                f"the optimizer {name} keeps more than tensors between steps, so a resumed "
                "training would not have the same bits: choose another one, such as AdamW."
            )
        kept[number] = held
    return kept


def _library() -> Any:
    try:
        import safetensors.torch
    except ImportError:
        raise MissingExtraError(
            "the model torch needs safetensors, which is not installed: pip install safetensors"
        ) from None
    return safetensors.torch
