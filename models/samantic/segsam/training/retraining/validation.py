"""How well a head finds the classes that labels show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import nn

from samantic.segsam.semantic_map import only_classes
from samantic.segsam.training.retraining.feature_shelf import FeatureShelf
from samantic.segsam.training.retraining.outcome import Scores
from samantic.segsam.training.retraining.slices import UNNAMED, StudySlice

BATCH = 16


@torch.inference_mode()
def dice_of(
    head: nn.Module,
    slices: Sequence[StudySlice],
    shelf: FeatureShelf,
    class_names: Sequence[str],
    row_of: Mapping[int, int],
    check: Callable[[], None] = lambda: None,
) -> Scores:
    """Dice of every class over all slices of an image, at the pictures' resolution, then the mean over images.

    A class that an image neither shows nor is said to show has no Dice there; one that is said to be there and is not
    has 0. `row_of` says which of the head's classes each of the network's is. `check` is called between batches and may
    raise.
    """
    counts: dict[tuple[str, int], np.ndarray] = defaultdict(lambda: np.zeros(2))
    for start in range(0, len(slices), BATCH):
        check()
        batch = slices[start : start + BATCH]
        for item, logits in zip(batch, head(shelf.of(batch)).float(), strict=True):
            _count(counts, item, logits, [row_of[index] for index in item.classes])
    by_class: dict[int, list[float]] = defaultdict(list)
    for (_, index), (overlap, total) in counts.items():
        if total > 0:
            by_class[index].append(2 * overlap / total)
    dice = {class_names[index]: float(np.mean(values)) for index, values in sorted(by_class.items())}
    return Scores(float(np.mean(list(dice.values()))) if dice else 0.0, dice)


def _count(counts: dict[tuple[str, int], np.ndarray], item: StudySlice, logits: torch.Tensor, rows: list[int]) -> None:
    assert item.labels is not None, "only slices with labels are validated on"
    picture = item.transform.picture_logits(only_classes(logits[None], rows)[0])
    said = picture.argmax(dim=0).cpu().numpy()
    judged = item.labels != UNNAMED
    for channel, index in enumerate(item.classes, start=1):
        predicted, true = (said == channel) & judged, item.labels == channel
        counts[item.image_id, index] += (predicted & true).sum(), predicted.sum() + true.sum()
