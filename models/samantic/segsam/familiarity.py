"""Is a picture like those that the network was trained on? Statistics of its feature maps say so."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from scipy.special import softmax
from torch.nn import functional

from samantic.sam.image_encoder import FeatureMaps
from samantic.segsam.input_transform import InputTransform

COMPONENTS = 48
"""Principal components within the domains; the rest of the variance counts as one more distance."""

SHRINKAGE = 0.1
"""Share of the mean variance that each covariance is shrunk by: a domain has few pictures for its directions."""

PENALTY = 10.0
"""On the squared weights of the regression, against the sum of the pictures' losses."""


@dataclass(frozen=True)
class ImageFamiliarity:
    """The training domain that a picture looks most like, and how far from it: out of domain begins beyond 1."""

    domain: str
    distance: float

    @property
    def out_of_domain(self) -> bool:
        # A distance that is no number is no evidence of familiarity.
        return not self.distance <= 1.0


@dataclass(frozen=True, eq=False)
class Familiarity:
    """Tells the training domains from one another and from everything else by pooled features.

    A logistic regression knows the M domains and one more class of outliers (outlier exposure, Hendrycks et al. 2019,
    arXiv 1812.04606), and a Gaussian of each domain knows what is usual in it (Lee et al. 2018, arXiv 1807.03888).
    Of D pooled features and P principal components: `centre`, `scale` (D,); `weights` (D, M + 1), `biases` (M + 1,);
    `basis` (D, P), `means` (M, D), `precisions` (M, P, P), `residuals` (M,), the mean squared rest outside the basis;
    `outlier_thresholds` and `distance_thresholds` (M,).
    """

    domains: tuple[str, ...]
    centre: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    biases: np.ndarray
    basis: np.ndarray
    means: np.ndarray
    precisions: np.ndarray
    residuals: np.ndarray
    outlier_thresholds: np.ndarray
    distance_thresholds: np.ndarray

    def of(self, maps: FeatureMaps, transform: InputTransform) -> ImageFamiliarity:
        """Measure the first picture of a batch of feature maps."""
        (domain,), (distance,) = self.measured(pooled_features(maps, transform)[None])
        return ImageFamiliarity(self.domains[domain], float(distance))

    def measured(self, pooled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Index of the domain (N,) and distance from it (N,) of pooled features (N, D)."""
        domain, outlier, distance = self.scores(pooled)
        relative = outlier / self.outlier_thresholds[domain], distance / self.distance_thresholds[domain]
        return domain, np.maximum(*relative)

    def scores(self, pooled: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Index of the domain, probability of an outlier, and distance in the domain's Gaussian, each (N,)."""
        normalised = (pooled - self.centre) / self.scale
        probabilities = softmax(normalised @ self.weights + self.biases, axis=1)
        domain = probabilities[:, :-1].argmax(axis=1)
        offsets = normalised - self.means[domain]
        inner = offsets @ self.basis
        along = np.einsum("np,npq,nq->n", inner, self.precisions[domain], inner) / inner.shape[1]
        rest = (offsets**2).sum(axis=1) - (inner**2).sum(axis=1)
        return domain, probabilities[:, -1], np.sqrt(along.clip(min=0) + rest.clip(min=0) / self.residuals[domain])

    def tensors(self) -> dict[str, torch.Tensor]:
        """All arrays, by name, for a checkpoint."""
        return {name: torch.from_numpy(np.ascontiguousarray(getattr(self, name))).float() for name in ARRAYS}

    @classmethod
    def from_tensors(cls, domains: tuple[str, ...], tensors: Mapping[str, torch.Tensor]) -> Familiarity:
        """The inverse of `tensors`; ValueError if one is missing, of another shape or no possible one."""
        missing = [name for name in ARRAYS if name not in tensors]
        if missing:
            raise ValueError(f"its familiarity lacks '{missing[0]}'")
        arrays = {name: tensors[name].double().numpy() for name in ARRAYS}
        if arrays["basis"].ndim != 2:
            raise ValueError(f"its familiarity's 'basis' has shape {arrays['basis'].shape} and is no matrix")
        (features, components), count = arrays["basis"].shape, len(domains)
        shapes = {
            "centre": (features,),
            "scale": (features,),
            "weights": (features, count + 1),
            "biases": (count + 1,),
            "basis": (features, components),
            "means": (count, features),
            "precisions": (count, components, components),
            "residuals": (count,),
            "outlier_thresholds": (count,),
            "distance_thresholds": (count,),
        }
        for name, shape in shapes.items():
            if arrays[name].shape != shape:
                raise ValueError(f"its familiarity's '{name}' has shape {arrays[name].shape} instead of {shape}")
            if not np.isfinite(arrays[name]).all():
                raise ValueError(f"its familiarity's '{name}' holds numbers that are not finite")
            # A threshold below zero would make every picture a familiar one.
            if name in POSITIVE and not (arrays[name] > 0).all():
                raise ValueError(f"its familiarity's '{name}' must be positive")
        return cls(domains, **arrays)


POSITIVE = ("scale", "residuals", "outlier_thresholds", "distance_thresholds")
ARRAYS = tuple(item.name for item in fields(Familiarity) if item.name != "domains")


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
    training: Mapping[str, np.ndarray], held_out: Mapping[str, np.ndarray], outliers: np.ndarray, quantile: float
) -> Familiarity:
    """Fit to the pooled features (N, D) of each domain's training pictures and of outliers.

    Each threshold is passed by `quantile` of the pictures of its domain that were held out.
    """
    everything = np.concatenate(list(training.values()))
    centre, scale = everything.mean(axis=0), everything.std(axis=0) + 1e-6
    normalised = [(pooled - centre) / scale for pooled in training.values()]
    weights, biases = _logistic_regression([*normalised, (outliers - centre) / scale])
    means = np.stack([pooled.mean(axis=0) for pooled in normalised])
    within = [pooled - mean for pooled, mean in zip(normalised, means, strict=True)]
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
    ones = np.ones(len(means))
    fitted = Familiarity(
        tuple(training),
        centre,
        scale,
        weights,
        biases,
        basis,
        means,
        np.stack(precisions),
        np.array(residuals),
        outlier_thresholds=ones,
        distance_thresholds=ones,
    )
    scores = [fitted.scores(held_out[name])[1:] for name in training]
    return replace(
        fitted,
        outlier_thresholds=np.array([np.quantile(outlier, quantile) for outlier, _ in scores]),
        distance_thresholds=np.array([np.quantile(distance, quantile) for _, distance in scores]),
    )


def _logistic_regression(groups: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Weights (D, G) and biases (G,) that tell G groups of features (N, D) apart, each group as weighty as another."""
    features = torch.from_numpy(np.concatenate(groups))
    targets = torch.cat([torch.full((len(group),), index) for index, group in enumerate(groups)])
    group_weight = torch.tensor([len(features) / (len(groups) * len(group)) for group in groups], dtype=torch.float64)
    weights = torch.zeros(features.shape[1], len(groups), dtype=torch.float64, requires_grad=True)
    biases = torch.zeros(len(groups), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, biases], max_iter=300, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        errors = functional.cross_entropy(features @ weights + biases, targets, reduction="none")
        total = ((errors * group_weight[targets]).sum() + PENALTY / 2 * weights.square().sum()) / len(features)
        total.backward()
        return total

    optimiser.step(loss)
    return weights.detach().numpy(), biases.detach().numpy()


def _without_border(channels: torch.Tensor, transform: InputTransform) -> torch.Tensor:
    """The cells of (C, h, w) that the picture covers, at least two by two."""
    (top, left), (rows, columns) = transform.offset_yx, transform.inner_shape
    _, height, width = channels.shape
    down, across = height / transform.size, width / transform.size
    y0, x0 = min(math.floor(top * down), height - 2), min(math.floor(left * across), width - 2)
    y1, x1 = math.ceil((top + rows) * down), math.ceil((left + columns) * across)
    return channels[:, y0 : max(y1, y0 + 2), x0 : max(x1, x0 + 2)]
