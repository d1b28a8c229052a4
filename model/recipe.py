"""All settings that one training is a function of."""

from model.data.settings import DataSettings
from model.evaluation.settings import EvaluationSettings
from model.network.settings import NetworkSettings, ReferenceSettings
from model.settings import FrozenSettings
from model.training.settings import LossSettings, OptimizerSettings, ScheduleSettings, TrainingSettings


class Recipe(FrozenSettings):
    """The settings of one training; `identity(recipe)` names it."""

    data: DataSettings
    reference: ReferenceSettings
    network: NetworkSettings
    losses: LossSettings
    optimizer: OptimizerSettings
    schedule: ScheduleSettings
    training: TrainingSettings
    evaluation: EvaluationSettings
