"""Images of one part of splits.json that show the same lesion or the same person as images of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# Found by `near_duplicates` and by eye among its likest pairs. Some are one frame with another crop, some other frames
# of the lesion; of malignant_39, _40 and _42 that is likely, of the others plain.
BUSI_LESIONS: tuple[frozenset[str], ...] = (
    frozenset({"malignant_106", "malignant_107"}),
    frozenset({"malignant_128", "malignant_129"}),
    frozenset({"malignant_120", "malignant_122"}),
    frozenset({"malignant_139", "malignant_207"}),
    frozenset({"malignant_39", "malignant_40", "malignant_42"}),
    frozenset({"benign_238", "benign_240", "benign_255", "benign_277", "benign_300"}),
)


def training_overlaps(dataset: str, parts: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the ids of "train" that show a lesion (busi) or a person (msd_hippocampus) of "val" or "test".

    Leave them out of training, or the held-out images out of measuring. Empty for any other data set. Source: ours.
    """
    held_out = {_shown_by(dataset, image_id) for part in ("val", "test") for image_id in parts[part]}
    return tuple(image_id for image_id in parts["train"] if _shown_by(dataset, image_id) in held_out)


def seen_in_training(dataset: str, parts: Mapping[str, Sequence[str]], part: str = "test") -> tuple[str, ...]:
    """Return the ids of a held-out part whose lesion (busi) or person (msd_hippocampus) is in the part "train" as well.

    What is measured on the others is free of them, whatever a model was trained on. Source: ours.
    """
    trained = {_shown_by(dataset, image_id) for image_id in parts["train"]}
    return tuple(image_id for image_id in parts[part] if _shown_by(dataset, image_id) in trained)


def _shown_by(dataset: str, image_id: str) -> object:
    """What an image shows: equal for images that must not be in two parts."""
    if dataset == "msd_hippocampus":
        return hippocampus_person(image_id)
    if dataset == "busi":
        return next((lesion for lesion in BUSI_LESIONS if image_id in lesion), image_id)
    return image_id


def hippocampus_person(image_id: str) -> int:
    """Return a number that is equal for the two volumes of one person, "hippocampus_007" and "hippocampus_008".

    The set has 195 persons and 390 volumes (Antonelli et al. 2022). That 2n - 1 and 2n belong together is our finding:
    their intensities agree within 3 % where others differ by 40 %, and they are more alike than other neighbours.
    """
    return (int(image_id.rsplit("_", 1)[1]) + 1) // 2
