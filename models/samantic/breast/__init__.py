"""Breast ultrasound without prompts: the lesion, a diagnosis, and where it was looked for."""

from samantic.breast.answer import BreastAnswer
from samantic.breast.calibration import BreastCalibration
from samantic.breast.checkpoint import BreastFileError, read_breast, save_breast
from samantic.breast.config import BreastConfig
from samantic.breast.diagnosis import DIAGNOSES
from samantic.breast.network import BreastNetwork, BreastOutput
from samantic.breast.reader import BreastReader

__all__ = [
    "DIAGNOSES",
    "BreastAnswer",
    "BreastCalibration",
    "BreastConfig",
    "BreastFileError",
    "BreastNetwork",
    "BreastOutput",
    "BreastReader",
    "read_breast",
    "save_breast",
]
