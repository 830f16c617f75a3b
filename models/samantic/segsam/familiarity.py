"""Is a picture like those that the network was trained on? Statistics of its feature maps say so."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from samantic.sam.image_encoder import FeatureMaps
from samantic.segsam.input_transform import InputTransform

COMPONENTS = 48
"""Principal components within the domains; the rest of the variance counts as one more distance."""

SHRINKAGE = 0.1
"""Share of the mean variance that each covariance is shrunk by: a domain has few pictures for its directions."""


@dataclass(frozen=True)
class ImageFamiliarity:
    """The training domain that a picture is nearest to, and how far away: 1 is where out of domain begins."""

    domain: str
    distance: float

    @property
    def out_of_domain(self) -> bool:
        # A distance that is no number is no evidence of familiarity.
        return not self.distance <= 1.0


@dataclass(frozen=True, eq=False)
class Familiarity:
    """One Gaussian per domain over the principal components of pooled features (Lee et al. 2018, arXiv 1807.03888).

    Of D pooled features and P components: `centre`, `scale` (D,); `basis` (D, P); for each domain `means` (M, D),
    `precisions` (M, P, P), `residuals` (M,), the mean squared rest outside the basis, and `thresholds` (M,).
    """

    domains: tuple[str, ...]
    centre: np.ndarray
    scale: np.ndarray
    basis: np.ndarray
    means: np.ndarray
    precisions: np.ndarray
    residuals: np.ndarray
    thresholds: np.ndarray

    def of(self, maps: FeatureMaps, transform: InputTransform) -> ImageFamiliarity:
        """Measure the first picture of a batch of feature maps."""
        distances = self.distances(pooled_features(maps, transform)[None])[0] / self.thresholds
        nearest = int(np.nan_to_num(distances, nan=math.inf).argmin())
        return ImageFamiliarity(self.domains[nearest], float(distances[nearest]))

    def distances(self, pooled: np.ndarray) -> np.ndarray:
        """Distances (N, M) of pooled features (N, D) from every domain, before any threshold."""
        offsets = ((pooled - self.centre) / self.scale)[:, None] - self.means
        inner = offsets @ self.basis
        along = np.einsum("nmp,mpq,nmq->nm", inner, self.precisions, inner) / inner.shape[-1]
        rest = (offsets**2).sum(axis=-1) - (inner**2).sum(axis=-1)
        return np.sqrt(along.clip(min=0) + rest.clip(min=0) / self.residuals)

    def tensors(self) -> dict[str, torch.Tensor]:
        """All arrays, by name, for a checkpoint."""
        return {name: torch.from_numpy(np.ascontiguousarray(getattr(self, name))).float() for name in ARRAYS}

    @classmethod
    def from_tensors(cls, domains: tuple[str, ...], tensors: Mapping[str, torch.Tensor]) -> Familiarity:
        """The inverse of `tensors`; ValueError if one is missing, of another shape or not finite."""
        arrays = {}
        for name in ARRAYS:
            if name not in tensors:
                raise ValueError(f"its familiarity lacks '{name}'")
            arrays[name] = tensors[name].double().numpy()
            if not np.isfinite(arrays[name]).all():
                raise ValueError(f"its familiarity holds numbers that are not finite in '{name}'")
        if arrays["basis"].ndim != 2:
            raise ValueError("its familiarity's 'basis' is no matrix")
        (features, components), count = arrays["basis"].shape, len(domains)
        shapes = {
            "centre": (features,),
            "scale": (features,),
            "basis": (features, components),
            "means": (count, features),
            "precisions": (count, components, components),
            "residuals": (count,),
            "thresholds": (count,),
        }
        for name, shape in shapes.items():
            if arrays[name].shape != shape:
                raise ValueError(f"its familiarity's '{name}' has shape {arrays[name].shape} instead of {shape}")
        return cls(domains, **arrays)


ARRAYS = ("centre", "scale", "basis", "means", "precisions", "residuals", "thresholds")


def pooled_features(maps: FeatureMaps, transform: InputTransform) -> np.ndarray:
    """Mean, standard deviation and mean step to the neighbour of every channel of the first picture: (D,).

    The steps tell textures apart that have the same mean and spread. The border around the picture is left out.
    """
    parts = []
    for name in sorted(maps):
        inner = _without_border(maps[name][0].float(), transform)
        parts += [inner.mean(dim=(1, 2)), inner.std(dim=(1, 2), correction=0)]
        parts += [inner.diff(dim=axis).abs().mean(dim=(1, 2)) for axis in (1, 2)]
    return torch.cat(parts).double().cpu().numpy()


def fit_familiarity(
    training: Mapping[str, np.ndarray], held_out: Mapping[str, np.ndarray], quantile: float
) -> Familiarity:
    """Fit a Gaussian to the pooled features (N, D) of each domain; thresholds from pictures that were held out.

    `quantile` of the held-out pictures of each domain lie within its threshold.
    """
    everything = np.concatenate(list(training.values()))
    centre, scale = everything.mean(axis=0), everything.std(axis=0) + 1e-6
    normalised = {name: (pooled - centre) / scale for name, pooled in training.items()}
    means = np.stack([pooled.mean(axis=0) for pooled in normalised.values()])
    within = [pooled - mean for pooled, mean in zip(normalised.values(), means, strict=True)]
    # Every domain has the same say in the directions, however many pictures it has.
    weighted = np.concatenate([offsets / math.sqrt(len(offsets)) for offsets in within])
    basis = np.linalg.svd(weighted, full_matrices=False)[2][:COMPONENTS].T
    precisions, residuals = [], []
    for offsets in within:
        inner = offsets @ basis
        covariance = inner.T @ inner / len(inner)
        spread = np.trace(covariance) / len(covariance)
        precisions.append(np.linalg.inv((1 - SHRINKAGE) * covariance + SHRINKAGE * spread * np.eye(len(covariance))))
        residuals.append(((offsets - inner @ basis.T) ** 2).sum(axis=1).mean() + 1e-6)
    fitted = Familiarity(
        tuple(training), centre, scale, basis, means, np.stack(precisions), np.array(residuals), np.ones(len(means))
    )
    thresholds = [np.quantile(fitted.distances(held_out[name])[:, row], quantile) for row, name in enumerate(training)]
    return Familiarity(**{**vars(fitted), "thresholds": np.array(thresholds)})


def _without_border(channels: torch.Tensor, transform: InputTransform) -> torch.Tensor:
    """The cells of (C, h, w) that the picture covers, at least two by two."""
    (top, left), (rows, columns) = transform.offset_yx, transform.inner_shape
    _, height, width = channels.shape
    down, across = height / transform.size, width / transform.size
    y0, x0 = min(math.floor(top * down), height - 2), min(math.floor(left * across), width - 2)
    y1, x1 = math.ceil((top + rows) * down), math.ceil((left + columns) * across)
    return channels[:, y0 : max(y1, y0 + 2), x0 : max(x1, x0 + 2)]
