"""A small automatic model with Mamba mixers, taught by a promptable one from few labels."""

from samantic.student.answer import StudentAnswer
from samantic.student.checkpoint import StudentError, StudentFile, load_student, save_student
from samantic.student.config import StudentConfig
from samantic.student.network import MambaStudent, StudentMaps
from samantic.student.predictor import StudentPredictor
from samantic.student.teacher import PromptableTeacher, Teacher

__all__ = [
    "MambaStudent",
    "PromptableTeacher",
    "StudentAnswer",
    "StudentConfig",
    "StudentError",
    "StudentFile",
    "StudentMaps",
    "StudentPredictor",
    "Teacher",
    "load_student",
    "save_student",
]
