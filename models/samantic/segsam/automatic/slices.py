"""One picture without a prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from samantic.imaging import SliceView
from samantic.segsam.automatic.coarse_map import CoarseMap, interpolation
from samantic.segsam.automatic.components import islands_in
from samantic.segsam.automatic.drawing import Drawn, draw_maps, draw_proposals
from samantic.segsam.automatic.grid import grid_proposals
from samantic.segsam.automatic.options import AutomaticOptions
from samantic.segsam.automatic.passes import Run, head_logits, run_here
from samantic.segsam.automatic.prompting import prompted
from samantic.segsam.automatic.regions import regions_of
from samantic.segsam.automatic.structures import Structure, structures_of
from samantic.segsam.familiarity import ImageFamiliarity
from samantic.segsam.predictor import ImageFeatures, SegSamPredictor

PROMPTED_SHARE = 0.5
"""Weight of what the network draws when it is prompted with a region, against what the head says."""

SMALLEST_REGION = 12
"""Pixels of a region worth a prompt."""

REFINE_PICTURES = True
"""Whether pictures are refined where nobody says."""


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
    """Draws pictures of one request: the classes in the order of their values, and how passes are run.

    `check` is called before every pass of a network and may raise.
    """

    predictor: SegSamPredictor
    classes: tuple[str, ...]
    options: AutomaticOptions
    refine: bool
    run: Run = run_here
    check: Callable[[], None] = lambda: None

    def by_head(self, maps: Sequence[CoarseMap], features: Callable[[], ImageFeatures]) -> Drawn:
        """What the head's maps of a picture show, its regions prompted where that is asked for."""
        drawn = draw_maps(maps)
        if not self.refine:
            return drawn
        regions = regions_of(drawn.labels, drawn.confidence, SMALLEST_REGION)
        if not regions:
            return drawn
        objects = prompted(self.predictor, features(), regions, self.run, self.check)
        return draw_maps(maps, objects, PROMPTED_SHARE)

    def by_grid(self, features: ImageFeatures) -> Drawn:
        """What a grid of clicks finds in a picture."""
        proposals = grid_proposals(self.predictor, features, self.classes, self.options.grid, self.run, self.check)
        return draw_proposals(proposals, features.transform.shape)


def segment_slice(predictor: SegSamPredictor, features: ImageFeatures, options: AutomaticOptions) -> AutomaticSlice:
    """Find and name what is in a picture.

    AutomaticError for a class that the model does not know, and for a source of proposals that it does not have.
    """
    uses_head = options.uses_head(predictor.network.prompt_free_head is not None)
    refine = uses_head and (REFINE_PICTURES if options.refine is None else options.refine)
    drawer = Drawer(predictor, options.value_order(predictor.class_names), options, refine)
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
    remove_islands(drawn)
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


def remove_islands(drawn: Drawn) -> None:
    """Clear small islands from what was drawn, in place, in as many dimensions as it has.

    Their confidence becomes that of their not being there.
    """
    shape = drawn.labels.shape
    islands = islands_in(drawn.labels.reshape(*shape, *[1] * (3 - len(shape)))).reshape(shape)
    drawn.labels[islands] = 0
    drawn.confidence[islands] = 1 - drawn.confidence[islands]
