"""One training loop for every model: any device and precision, exact resume, moving average, metrics, progress."""

from samantic.training.errors import TrainingError, TrainingStopped
from samantic.training.loop import fit
from samantic.training.options import FitOptions
from samantic.training.round_options import Ranges, RoundOptions
from samantic.training.schedule import learning_rate_at
from samantic.training.settings import SettingsError, read_settings, read_settings_file
from samantic.training.task import ShowsPredictions, TrainingTask

__all__ = [
    "FitOptions",
    "Ranges",
    "RoundOptions",
    "SettingsError",
    "ShowsPredictions",
    "TrainingError",
    "TrainingStopped",
    "TrainingTask",
    "fit",
    "learning_rate_at",
    "read_settings",
    "read_settings_file",
]
