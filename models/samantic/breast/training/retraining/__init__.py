"""One training round of the network for breast ultrasound on the labels that people saved."""

from samantic.breast.training.retraining.options import BreastRetrainOptions
from samantic.breast.training.retraining.outcome import RetrainedBreast
from samantic.breast.training.retraining.round import retrain

__all__ = ["BreastRetrainOptions", "RetrainedBreast", "retrain"]
