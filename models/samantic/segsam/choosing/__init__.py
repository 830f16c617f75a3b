"""Which image a person should label next: what a model makes of each image, in numbers, and orders by them."""

from samantic.segsam.choosing.image_summary import ImageSummary, SummaryOptions, summarise
from samantic.segsam.choosing.orders import hybrid_order, k_center_order, preselected, uncertainty_order
from samantic.segsam.choosing.summary_store import SummaryStore, summaries_folder, summary_key

__all__ = [
    "ImageSummary",
    "SummaryOptions",
    "SummaryStore",
    "hybrid_order",
    "k_center_order",
    "preselected",
    "summaries_folder",
    "summarise",
    "summary_key",
    "uncertainty_order",
]
