"""Models: what makes predictions of rows, of any library; evaluated and trained from a file."""

from lossfw.components.naming import did_you_mean as did_you_mean
from lossfw.models.card import Card as Card
from lossfw.models.code_formats import code_format as code_format
from lossfw.models.model import Model as Model
from lossfw.models.predictor import Predictor as Predictor
from lossfw.models.work import Work as Work
