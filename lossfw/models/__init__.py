"""Models of any library: they predict rows, and a configuration evaluates or trains them."""

from lossfw.components.naming import did_you_mean as did_you_mean
from lossfw.models.card import Card as Card
from lossfw.models.code_formats import code_format as code_format
from lossfw.models.code_objects import CodeName as CodeName
from lossfw.models.code_objects import build_from_code as build_from_code
from lossfw.models.code_objects import code_digest as code_digest
from lossfw.models.code_objects import code_file as code_file
from lossfw.models.model import Model as Model
from lossfw.models.model import ModelParameterError as ModelParameterError
from lossfw.models.predictor import Predictor as Predictor
from lossfw.models.training_leg import TrainingLeg as TrainingLeg
from lossfw.models.trial import run_trial as run_trial
from lossfw.models.trial import try_in_subprocess as try_in_subprocess
from lossfw.temporary import temporary_folder as temporary_folder
