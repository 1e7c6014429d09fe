"""KerasBridge: the bridge to Keras, which does not import Keras."""

from __future__ import annotations

from typing import Any, ClassVar

from lossfw.errors import ArgumentError
from lossfw.learning.bridge import AutogradBridge, spec_code
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray


class KerasBridge(AutogradBridge):
    """Keras 3 on JAX or PyTorch: a loss for compile."""

    name: ClassVar[str] = "keras"
    library: ClassVar[str] = "keras"
    extra: ClassVar[str] = "keras"

    @classmethod
    def imported(cls, module: str = "") -> Any:
        """Return Keras, or a module of it; see `Bridge.imported`.

        Raises
        ------
        ArgumentError
            If Keras's configured backend is not installed.
        """
        try:
            return super().imported(module)
        except ModuleNotFoundError as error:
            raise ArgumentError(
                f"Keras cannot be imported, because its backend needs {error.name}, which is not "
                "installed: set the environment variable KERAS_BACKEND to jax or torch before "
                "Keras is imported."
            ) from None

    def build(self, loss: Loss) -> Any:
        """Return the Keras loss, unreduced and not fused."""
        self.imported()
        # The class derives from one of Keras's.
        from lossfw.bridges.keras_loss import KerasLoss

        return KerasLoss(loss, reduction="none", fuse=False)

    def usage(self, loss: Loss) -> str:
        return (
            "import keras\n"
            "from lossfw.bridges import keras as bridge\n"
            f"model.compile('adam', bridge.loss({spec_code(loss)}))"
        )

    def value_and_gradient(
        self, loss: Loss, y: NDArray, t: NDArray, *, compiled: bool = False
    ) -> tuple[NDArray, NDArray]:
        from lossfw.bridges.keras_loss import differentiate

        return differentiate(loss, y, t, compiled=compiled)
