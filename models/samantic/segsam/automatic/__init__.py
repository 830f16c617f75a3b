"""The automatic mode: a picture or a volume without a prompt -> one label map."""

from samantic.segsam.automatic.habits import PICTURES, VOLUMES, Habits
from samantic.segsam.automatic.options import AutomaticError, AutomaticOptions, GridOptions, all_classes
from samantic.segsam.automatic.passes import Passes
from samantic.segsam.automatic.slices import AutomaticSlice, segment_slice
from samantic.segsam.automatic.structures import Structure
from samantic.segsam.automatic.volumes import AutomaticVolume, segment_volume, usual_axes

__all__ = [
    "PICTURES",
    "VOLUMES",
    "AutomaticError",
    "AutomaticOptions",
    "AutomaticSlice",
    "AutomaticVolume",
    "GridOptions",
    "Habits",
    "Passes",
    "Structure",
    "all_classes",
    "segment_slice",
    "segment_volume",
    "usual_axes",
]
