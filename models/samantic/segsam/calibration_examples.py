"""What a network is calibrated on: objects that it knows, tissue that it does not, and pictures of every domain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from samantic.datasets.development_sets import busi, ct, hippocampus, isic2017, mr
from samantic.datasets.labelled_view import LabelledView
from samantic.datasets.synthesis import synthesise
from samantic.segsam.interaction import deepest_click, jittered_box
from samantic.segsam.view_prompts import ViewPrompts

SMALLEST_KNOWN = 25
SMALLEST_UNKNOWN = 60
"""Pixels."""

BLACK = 12
"""Brightness up to which a picture is taken for air or for its frame."""

BRIGHTNESS_LEVELS = 6
"""Tissues that a region of about one brightness is cut out of."""


DERMOSCOPY_FACTOR = 2


@dataclass(frozen=True, eq=False)
class DomainPictures:
    """Pictures like those that the network was trained on, and others that it has not seen."""

    training: tuple[LabelledView, ...]
    held_out: tuple[LabelledView, ...]


@dataclass(frozen=True, eq=False)
class Example:
    """One prompted region (H, W) bool of a view; `class_name` None where it carries no label."""

    view: LabelledView
    region: np.ndarray
    class_name: str | None
    prompts: ViewPrompts


def domain_pictures(folder: Path, count: int, random: np.random.Generator) -> dict[str, DomainPictures]:
    """Draw up to `count` training and held-out pictures of each domain from the public sets in `folder`.

    The validation parts are held out. Of CT and of abdominal MR there is one patient each, who trains the weights:
    there every second slice, synthesised twice over, stands for a patient whom nobody has seen.
    """
    pictures = {
        # Skin and the light on it vary more than any other domain.
        "dermoscopy": DomainPictures(
            _some(isic2017(folder, "train"), DERMOSCOPY_FACTOR * count), _some(isic2017(folder, "val"), count)
        ),
        "breast_ultrasound": DomainPictures(_some(busi(folder, "train"), count), _some(busi(folder, "val"), count)),
        "hippocampus_mr": DomainPictures(
            _some(hippocampus(folder, "train"), count), _some(hippocampus(folder, "val"), count)
        ),
    }
    for name, read in (("ct", ct), ("mr", mr)):
        slices = list(read(folder))
        real, others = _some(slices[::2], count // 2), _some(slices[1::2], count)
        pictures[name] = DomainPictures(
            (*real, *(synthesise(view, random) for view in real)),
            tuple(synthesise(synthesise(view, random), random) for view in others),
        )
    return pictures


def known_examples(
    views: Iterable[LabelledView], class_names: Sequence[str], random: np.random.Generator
) -> list[Example]:
    """Every structure of a class that the network knows, prompted by a box or by a click."""
    return [
        _example(view, view.labels == value, view.class_names[value - 1], random)
        for view in views
        for value in np.unique(view.labels)
        if value > 0 and view.class_names[value - 1] in class_names and (view.labels == value).sum() >= SMALLEST_KNOWN
    ]


def unknown_examples(views: Iterable[LabelledView], random: np.random.Generator) -> list[Example]:
    """One region of unlabelled tissue of each view that has room for one, prompted by a box or by a click."""
    found = ((view, unlabelled_tissue(view, random)) for view in views)
    return [_example(view, region, None, random) for view, region in found if region is not None]


def unlabelled_tissue(view: LabelledView, random: np.random.Generator) -> np.ndarray | None:
    """A connected region (H, W) bool of about one brightness without a label, as large as a structure may be.

    None where there is no such region. Source: ours.
    """
    brightness = ndimage.gaussian_filter(view.image.astype(np.float32).mean(axis=2), 1.0)
    free = ~ndimage.binary_dilation(view.labels > 0, iterations=2) & (brightness > BLACK)
    if free.sum() < SMALLEST_UNKNOWN:
        return None
    edges = np.quantile(brightness[free], np.linspace(0, 1, BRIGHTNESS_LEVELS + 1)[1:-1])
    levels = np.digitize(brightness, edges)
    regions = []
    for level in range(BRIGHTNESS_LEVELS):
        parts, count = ndimage.label(ndimage.binary_opening(free & (levels == level), iterations=2))
        sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
        fitting = np.nonzero((sizes >= SMALLEST_UNKNOWN) & (sizes <= view.labels.size / 12))[0]
        regions += [(parts, 1 + int(index)) for index in fitting]
    if not regions:
        return None
    parts, index = regions[random.integers(len(regions))]
    return ndimage.binary_fill_holes(parts == index) & free


def _example(view: LabelledView, region: np.ndarray, class_name: str | None, random: np.random.Generator) -> Example:
    if random.random() < 0.5:
        prompts = ViewPrompts(np.zeros((0, 2)), np.zeros(0, dtype=int), jittered_box(region, 0.1, random))
    else:
        x, y, label = deepest_click(region)
        prompts = ViewPrompts(np.array([(x, y)]), np.array([label]))
    return Example(view, region, class_name, prompts)


def _some(views: Iterable[LabelledView], count: int) -> tuple[LabelledView, ...]:
    """At most `count` views that show a structure, spread evenly."""
    labelled = [view for view in views if view.labels.any()]
    if len(labelled) <= count:
        return tuple(labelled)
    return tuple(labelled[index] for index in np.linspace(0, len(labelled) - 1, count).astype(int))
