"""How good a model is, beside what the prompt alone is worth.

The metrics; the protocol that asks a model and the reports are in modules of their own, which load the networks.
"""

from samantic.evaluation.borders import BorderDistances
from samantic.evaluation.class_confusion import ClassConfusion, class_confusion
from samantic.evaluation.clicks_to_target import ClicksToTarget, clicks_to_reach, clicks_to_target
from samantic.evaluation.contact_sheet import SheetTile, write_contact_sheet
from samantic.evaluation.image_blind import disc_at_click, ellipse_in_box
from samantic.evaluation.intervals import MeanWithInterval, mean_with_interval, paired_difference
from samantic.evaluation.mask_scores import MaskScores, mask_scores
from samantic.evaluation.overlap import dice, intersection_over_union
from samantic.evaluation.reliability import (
    Reliability,
    adaptive_reliability,
    calibration_error_with_interval,
    reliability,
)

__all__ = [
    "BorderDistances",
    "ClassConfusion",
    "ClicksToTarget",
    "MaskScores",
    "MeanWithInterval",
    "Reliability",
    "SheetTile",
    "adaptive_reliability",
    "calibration_error_with_interval",
    "class_confusion",
    "clicks_to_reach",
    "clicks_to_target",
    "dice",
    "disc_at_click",
    "ellipse_in_box",
    "intersection_over_union",
    "mask_scores",
    "mean_with_interval",
    "paired_difference",
    "reliability",
    "write_contact_sheet",
]
