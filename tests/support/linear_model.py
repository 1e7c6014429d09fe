"""A model of a plugin file, which needs no library."""

LINEAR = '''
import json

import numpy as np

from lossfw.errors import DataError
from lossfw.models import Model, Predictor


class Linear(Model):
    """A matrix, in JSON."""

    ending = ".json"
    training_mode = "once"
    gain: float = 1.0

    def load(self, content, card):
        if content == b"broken":
            return 1 / 0
        try:
            weights = np.array(json.loads(content), float) * self.gain
        except ValueError:
            raise DataError(f"{self.file} is not a matrix in JSON.") from None
        activation = card.output_activation if card is not None else self.output_activation
        width, units = weights.shape
        raw = lambda x: x @ weights
        return Predictor("linear", content, (width,), units, raw, activation, pads=True)
'''
