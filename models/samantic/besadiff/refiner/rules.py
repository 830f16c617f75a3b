"""Which refined masks may be learned from, and in plain words why another may not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class AcceptanceRules:
    """Limits on a refinement's scores; a mask that breaks one is rejected (the first three: methods page; ours).

    `smallest_iou_with_coarse`: a mask that is another than the coarse one is no refinement of it.
    `largest_mean_variance` (0 to .25): of the diffusion's members in the band round the border.
    `smallest_area`, `largest_area`: shares of the image.
    `smallest_agreement`: IoU of SAM's answer and the diffusion's.
    `smallest_predicted_iou`: the quality that SAM expects of its own answer.
    """

    smallest_iou_with_coarse: float = 0.6
    largest_mean_variance: float = 0.1
    smallest_area: float = 0.005
    largest_area: float = 0.85
    smallest_agreement: float = 0.8
    smallest_predicted_iou: float = 0.7

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value <= 1:
                raise ValueError(f"{name} must lie between 0 and 1, not {value}.")
        if self.smallest_area >= self.largest_area:
            raise ValueError(
                f"smallest_area must be below largest_area, but they are {self.smallest_area} and {self.largest_area}."
            )

    def reasons(self, scores: Mapping[str, float]) -> tuple[str, ...]:
        """Return one plain sentence for every rule that the scores break; none where the mask is accepted."""
        found = []
        if scores["iou_with_coarse"] < self.smallest_iou_with_coarse:
            found.append(
                f"The refined mask overlaps with the coarse one by an IoU of {scores['iou_with_coarse']:.2f}, "
                f"less than {self.smallest_iou_with_coarse:g}."
            )
        if scores["mean_variance"] > self.largest_mean_variance:
            found.append(
                f"The diffusion's members disagree about the border: mean variance {scores['mean_variance']:.3f}, "
                f"more than {self.largest_mean_variance:g}."
            )
        if not self.smallest_area <= scores["area_share"] <= self.largest_area:
            found.append(
                f"The mask covers {scores['area_share']:.1%} of the image; {self.smallest_area:.1%} to "
                f"{self.largest_area:.0%} is allowed."
            )
        if scores["agreement"] < self.smallest_agreement:
            found.append(
                f"SAM and the diffusion agree with an IoU of {scores['agreement']:.2f} only, less than "
                f"{self.smallest_agreement:g}."
            )
        if scores["predicted_iou"] < self.smallest_predicted_iou:
            found.append(
                f"SAM expects an IoU of {scores['predicted_iou']:.2f} of its own answer, less than "
                f"{self.smallest_predicted_iou:g}."
            )
        return tuple(found)
