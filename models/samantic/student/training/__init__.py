"""Training of students from labelled and unlabelled pictures."""

from samantic.student.training.fit import fit_student
from samantic.student.training.settings import Lessons, StudentSettings, packaged_names

__all__ = ["Lessons", "StudentSettings", "fit_student", "packaged_names"]
