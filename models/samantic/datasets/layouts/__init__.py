"""Public data sets in the folder layouts of their publishers."""

from samantic.datasets.layouts.case import Case, DatasetError, Depth, LabelFile, Listing, Problem
from samantic.datasets.layouts.known import LAYOUTS, open_dataset, recognise
from samantic.datasets.layouts.layout import Layout

__all__ = [
    "LAYOUTS",
    "Case",
    "DatasetError",
    "Depth",
    "LabelFile",
    "Layout",
    "Listing",
    "Problem",
    "open_dataset",
    "recognise",
]
