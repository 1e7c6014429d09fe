"""The loss tilted."""

from lossfw import Claims, DistanceLoss
from pydantic import PositiveFloat


class Tilted(DistanceLoss):
    """The squared error with a price above the target: tilt r^2 there, r^2 below it."""

    tilt: PositiveFloat = 2.0

    def value(self, xp, r):
        """Return the loss of each residual r = prediction - target."""
        return xp.where(r > 0, self.tilt * r**2, r**2)

    def claims(self):
        """Return the claims of the loss; `lossfw check` tries to refute each."""
        return Claims(
            nonnegative=True,
            zero_at_target=True,
            strongly_convex=2 * min(self.tilt, 1.0),
            gradient_lipschitz=2 * max(self.tilt, 1.0),
            symmetric=self.tilt == 1,
            # The curvature jumps from 2 to 2 tilt at 0, unless they are the same.
            second_breaks=() if self.tilt == 1 else (0.0,),
        )
