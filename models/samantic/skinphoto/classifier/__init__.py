"""What disease a photograph or a crop shows: a stage of its own after the crops, which may be another one."""

from samantic.skinphoto.classifier.comparison import ClassifierComparison, SourceResult, compared
from samantic.skinphoto.classifier.crop_classifier import CropClassifier, CropClassifierOptions, fit_classifier
from samantic.skinphoto.classifier.pictures import LabelledPicture

__all__ = [
    "ClassifierComparison",
    "CropClassifier",
    "CropClassifierOptions",
    "LabelledPicture",
    "SourceResult",
    "compared",
    "fit_classifier",
]
