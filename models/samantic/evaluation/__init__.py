"""How good a model is, beside what the prompt alone is worth."""

from samantic.evaluation.contact_sheet import SheetTile, write_contact_sheet
from samantic.evaluation.image_blind import disc_at_click, ellipse_in_box
from samantic.evaluation.intervals import MeanWithInterval, mean_with_interval
from samantic.evaluation.overlap import dice, intersection_over_union

__all__ = [
    "MeanWithInterval",
    "SheetTile",
    "dice",
    "disc_at_click",
    "ellipse_in_box",
    "intersection_over_union",
    "mean_with_interval",
    "write_contact_sheet",
]
