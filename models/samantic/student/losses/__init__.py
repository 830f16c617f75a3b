"""The losses that a student learns by, one file each; every one can be left out."""

from samantic.student.losses.distribution import FeatureDistribution, distribution_loss
from samantic.student.losses.perturbation_consistency import FeatureProjector, perturbation_consistency_loss
from samantic.student.losses.pseudo_labels import UNKNOWN, pseudo_label_loss
from samantic.student.losses.ramp import ramp
from samantic.student.losses.supervised import supervised_loss

__all__ = [
    "UNKNOWN",
    "FeatureDistribution",
    "FeatureProjector",
    "distribution_loss",
    "perturbation_consistency_loss",
    "pseudo_label_loss",
    "ramp",
    "supervised_loss",
]
