"""What has proved good for a kind of image, on validation pictures (`benchmarks/automatic.py --part val`)."""

from __future__ import annotations

from dataclasses import dataclass

from samantic.imaging import Volume


@dataclass(frozen=True)
class Habits:
    """How what the head found becomes labels (ours).

    `refine`: prompt the network with the head's regions if nobody says; `prompted_share` is then the weight of what it
    draws against what the head says. Of each class in a picture, regions are kept whose mean probability is at least
    `lowest_surety` and `share_of_surest` of the surest region's; at the end parts are kept that have at least
    `share_of_largest` of the voxels of their structure's largest part.
    """

    refine: bool
    prompted_share: float
    lowest_surety: float
    share_of_surest: float
    share_of_largest: float


PICTURES = Habits(
    refine=True, prompted_share=1.0, lowest_surety=0.75, share_of_surest=0.95, share_of_largest=0.0
)  # fmt: skip
"""Photographs and ultrasound: mostly one lesion or none, and a large region is as often wrong as a small one."""

VOLUMES = Habits(refine=True, prompted_share=0.4, lowest_surety=0.0, share_of_surest=0.0, share_of_largest=0.25)
"""Vertebrae and vessels have several parts in a slice, a stray island is far smaller in the volume."""

CT_VOLUMES = Habits(refine=False, prompted_share=0.4, lowest_surety=0.0, share_of_surest=0.0, share_of_largest=0.25)
"""Dozens of regions in a slice would cost minutes, and there is no patient to measure on what they gain."""


def habits_for(volume: Volume) -> Habits:
    """The habits for an image."""
    if volume.kind == "photograph":
        return PICTURES
    return CT_VOLUMES if volume.modality == "CT" else VOLUMES
