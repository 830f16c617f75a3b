"""One training round of a student on the labels that people saved, and on the images that have none yet."""

from samantic.student.training.retraining.options import StudentRetrainOptions
from samantic.student.training.retraining.outcome import RetrainedStudent
from samantic.student.training.retraining.round import retrain

__all__ = ["RetrainedStudent", "StudentRetrainOptions", "retrain"]
