"""Models of any library: they predict rows, and a configuration evaluates or trains them."""

from lossfw.components.naming import did_you_mean as did_you_mean
from lossfw.models.card import Card as Card
from lossfw.models.code_formats import code_format as code_format
from lossfw.models.code_objects import CodeName as CodeName
from lossfw.models.code_objects import code_digest as code_digest
from lossfw.models.code_objects import code_file as code_file
from lossfw.models.code_objects import made_by_code as made_by_code
from lossfw.models.model import Model as Model
from lossfw.models.model import ModelParameterError as ModelParameterError
from lossfw.models.predictor import Predictor as Predictor
from lossfw.models.trial import in_trial as in_trial
from lossfw.models.trial import tried_apart as tried_apart
from lossfw.models.work import Work as Work
from lossfw.temporary import temporary_folder as temporary_folder
