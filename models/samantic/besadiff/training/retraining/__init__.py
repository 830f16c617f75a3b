"""One training round of BESA-Diff's segmenter on the labels that people saved."""

from samantic.besadiff.training.retraining.options import LesionRetrainOptions
from samantic.besadiff.training.retraining.outcome import RetrainedSegmenter
from samantic.besadiff.training.retraining.round import retrain, retrain_on_views

__all__ = ["LesionRetrainOptions", "RetrainedSegmenter", "retrain", "retrain_on_views"]
