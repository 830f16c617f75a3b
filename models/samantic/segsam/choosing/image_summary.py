"""An image in a few numbers: how uncertain the model is in it, and where it lies among other images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from samantic.imaging import SliceView, Volume, Window, to_uint8, window_for
from samantic.sam.image_encoder import FeatureMaps
from samantic.segsam.cancelling import Cancelled
from samantic.segsam.input_transform import InputTransform
from samantic.segsam.predictor import ImageFeatures, SegSamPredictor
from samantic.segsam.semantic_map import SemanticMap

PLAUSIBLE = 0.1
"""From this probability on that a pixel is not background, its uncertainty counts."""

LEAST_SHARE = 0.01
"""At least this share of a slice counts, the most plausible pixels: a model that sees nothing may be wrong."""


@dataclass(frozen=True)
class SummaryOptions:
    """`classes` whose uncertainty counts, none for all that the model knows; `slices` of a volume to look at."""

    classes: tuple[str, ...] = ()
    slices: int = 3

    def __post_init__(self) -> None:
        if self.slices < 1:
            raise ValueError(f"slices must be at least 1, not {self.slices}.")


@dataclass(frozen=True, eq=False)
class ImageSummary:
    """`uncertainty` in 0 to 1, None from a model without a prompt-free head; `embedding` (D,) float32 of length 1."""

    uncertainty: float | None
    embedding: np.ndarray


FeaturesOf = Callable[[SliceView, Window], ImageFeatures]
"""Features of a slice of the image, from a cache or an encoder."""


def summarise(
    predictor: SegSamPredictor,
    volume: Volume,
    options: SummaryOptions | None = None,
    features_of: FeaturesOf | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> ImageSummary:
    """Look at evenly spaced slices along the voxel axis k and return what they say together.

    Uncertainty: the mean entropy of the prompt-free head's map over the pixels where something other than background is
    plausible, 1 for a uniform guess (the usual measure; Settles, Active Learning Literature Survey, 2009; that it is
    taken there alone, so that empty background does not dilute it, is ours). Embedding: the image embedding, averaged
    over the picture and the slices. Raises Cancelled, and ValueError for a class that the model does not know.
    """
    options = options or SummaryOptions()
    window = window_for(volume)
    features_of = features_of or _encoding(predictor, volume)
    entropies, pixels, embeddings = 0.0, 0, []
    for index in spaced_slices(volume.shape_ijk[2], options.slices):
        if is_cancelled():
            raise Cancelled
        features = features_of(SliceView.of(volume, 2, index), window)
        embeddings.append(pooled_embedding(features.maps, features.transform))
        if predictor.network.prompt_free_head is not None:
            found = predictor.semantic_map(features, options.classes or None)
            where = plausible_region(found)
            entropies += float(found.uncertainty[where].sum(dtype=np.float64))
            pixels += int(where.sum())
    return ImageSummary(entropies / pixels if pixels else None, normalised(np.mean(embeddings, axis=0)))


def spaced_slices(count: int, wanted: int) -> tuple[int, ...]:
    """The middles of `wanted` equal parts of `count` slices; every slice where there are no more than that."""
    wanted = min(wanted, count)
    return tuple((2 * part + 1) * count // (2 * wanted) for part in range(wanted))


def plausible_region(found: SemanticMap) -> np.ndarray:
    """(rows, cols) bool: where something other than background is plausible, or most plausible if nowhere."""
    foreground = 1.0 - found.probabilities[0]
    least = np.quantile(foreground, 1.0 - LEAST_SHARE, method="higher")
    region: np.ndarray = foreground >= min(PLAUSIBLE, float(least))
    return region


def pooled_embedding(maps: FeatureMaps, transform: InputTransform) -> np.ndarray:
    """Mean of the image embedding over the picture, without the border around it: (C,) float64."""
    embedding = maps["image_embedding"][0].float()
    scale = embedding.shape[-1] / transform.size
    (rows, columns), (top, left) = transform.inner_shape, transform.offset_yx
    y0, y1 = _cells(top, rows, scale)
    x0, x1 = _cells(left, columns, scale)
    pooled: np.ndarray = embedding[:, y0:y1, x0:x1].mean(dim=(1, 2)).double().cpu().numpy()
    return pooled


def normalised(vector: np.ndarray) -> np.ndarray:
    """The vector (D,) with length 1 as float32; zero stays zero."""
    length = float(np.linalg.norm(vector))
    return (vector / (length or 1.0)).astype(np.float32)


def _cells(offset: int, length: int, scale: float) -> tuple[int, int]:
    first = int(offset * scale)
    return first, max(first + 1, round((offset + length) * scale))


def _encoding(predictor: SegSamPredictor, volume: Volume) -> FeaturesOf:
    def features_of(view: SliceView, window: Window) -> ImageFeatures:
        key = predictor.embedding_key(volume.content_hash, view.key, window.key)
        return predictor.embed(to_uint8(view.extract(volume.array), window), view.spacing_yx_mm, key)

    return features_of
