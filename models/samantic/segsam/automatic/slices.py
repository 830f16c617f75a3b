"""One picture without a prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from samantic.imaging import SliceView
from samantic.segsam.automatic.coarse_map import CoarseMap, interpolation
from samantic.segsam.automatic.components import islands_in
from samantic.segsam.automatic.drawing import Drawn, draw_maps, draw_proposals
from samantic.segsam.automatic.grid import grid_proposals
from samantic.segsam.automatic.habits import PICTURES, Habits
from samantic.segsam.automatic.options import AutomaticOptions
from samantic.segsam.automatic.passes import Run, head_logits, run_here
from samantic.segsam.automatic.prompting import prompted
from samantic.segsam.automatic.proposals import Proposal
from samantic.segsam.automatic.regions import Region, regions_of, sure_regions
from samantic.segsam.automatic.structures import Structure, structures_of
from samantic.segsam.familiarity import ImageFamiliarity
from samantic.segsam.predictor import ImageFeatures, SegSamPredictor

SMALLEST_REGION = 12
"""Pixels of a region worth a prompt."""


@dataclass(frozen=True, eq=False)
class AutomaticSlice:
    """One picture: everything as in `AutomaticVolume`, arrays (rows, cols)."""

    labels: np.ndarray
    class_names: tuple[str, ...]
    confidence: np.ndarray | None
    uncertainty: np.ndarray | None
    structures: tuple[Structure, ...]
    source: str
    refined: bool
    familiarity: ImageFamiliarity | None


@dataclass(frozen=True)
class Drawer:
    """Draws pictures of one request: the classes in the order of their values, how to draw, and how passes are run.

    `check` is called before every pass of a network and may raise.
    """

    predictor: SegSamPredictor
    classes: tuple[str, ...]
    options: AutomaticOptions
    habits: Habits
    refine: bool
    run: Run = run_here
    check: Callable[[], None] = lambda: None

    def by_head(self, maps: Sequence[CoarseMap], features: Callable[[], ImageFeatures]) -> Drawn:
        """What the head's maps of a picture show, its regions prompted where that is asked for."""
        drawn = draw_maps(maps)
        regions = regions_of(drawn.labels, drawn.confidence)
        sure = sure_regions(regions, self.habits.lowest_surety, self.habits.share_of_surest)
        if self.refine and sure:
            worth = [region for region in sure if region.pixels >= SMALLEST_REGION]
            objects = prompted(self.predictor, features(), worth, self.run, self.check)
            objects += [_as_it_is(region, drawn) for region in sure if region.pixels < SMALLEST_REGION]
            drawn = draw_maps(maps, objects, self.habits.prompted_share)
        for region in set(regions) - set(sure):
            cleared = region.mask & (drawn.labels[region.window] == region.value)
            _clear(drawn, region.window, cleared)
        return drawn

    def by_grid(self, features: ImageFeatures) -> Drawn:
        """What a grid of clicks finds in a picture."""
        proposals = grid_proposals(self.predictor, features, self.classes, self.options.grid, self.run, self.check)
        return draw_proposals(proposals, features.transform.shape)


def segment_slice(
    predictor: SegSamPredictor, features: ImageFeatures, options: AutomaticOptions, habits: Habits = PICTURES
) -> AutomaticSlice:
    """Find and name what is in a picture.

    `habits`: those for the kind of picture; `VOLUMES` for a slice of a volume. AutomaticError for a class that the
    model does not know, and for a source of proposals that it does not have.
    """
    uses_head = options.uses_head(predictor.network.prompt_free_head is not None)
    refine = uses_head and (habits.refine if options.refine is None else options.refine)
    drawer = Drawer(predictor, options.value_order(predictor.class_names), options, habits, refine)
    if uses_head:
        logits = head_logits(predictor, features, drawer.classes)
        grid = (logits.shape[1], logits.shape[2])
        maps = [CoarseMap(logits.log_softmax(dim=0), *interpolation(features.transform, grid))]
        drawn = drawer.by_head(maps, lambda: features)
    else:
        drawn = drawer.by_grid(features)
    # As a photograph would hold it: i = x, j = y.
    rows, columns = drawn.labels.shape
    view = SliceView((columns, rows, 1), np.diag([-1.0, -1.0, 1.0, 1.0]), 2, 0)
    remove_islands(drawn, habits.share_of_largest)
    structures = structures_of(
        drawn.labels.T[:, :, None],
        drawn.confidence.T[:, :, None],
        drawer.classes,
        view,
        predictor,
        lambda _view: features,
        run_here,
    )
    return AutomaticSlice(
        labels=drawn.labels,
        class_names=drawer.classes,
        confidence=drawn.confidence if options.with_confidence else None,
        uncertainty=drawn.uncertainty if options.with_uncertainty else None,
        structures=structures,
        source="head" if uses_head else "grid",
        refined=refine,
        familiarity=predictor.familiarity(features),
    )


def remove_islands(drawn: Drawn, share_of_largest: float) -> None:
    """Clear small islands from what was drawn, in place, in as many dimensions as it has."""
    shape = drawn.labels.shape
    islands = islands_in(drawn.labels.reshape(*shape, *[1] * (3 - len(shape))), share_of_largest).reshape(shape)
    _clear(drawn, ..., islands)


def _as_it_is(region: Region, drawn: Drawn) -> Proposal:
    return Proposal(
        region.value, region.box_xyxy, region.mask, drawn.confidence[region.window] * region.mask, region.surety
    )


def _clear(drawn: Drawn, window: Any, cleared: np.ndarray) -> None:
    """Take labels away; how sure that is, is how unsure they were."""
    drawn.labels[window][cleared] = 0
    drawn.confidence[window][cleared] = 1 - drawn.confidence[window][cleared]
