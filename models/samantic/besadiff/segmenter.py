"""A photograph -> the lesion's mask, and how sure each pixel is: DermoSegDiff's ensemble."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from samantic.besadiff.answer import LesionAnswer, boundary_confidence, lesion_mask, variance_at_border
from samantic.besadiff.checkpoint import PartError, read_part
from samantic.besadiff.dermosegdiff import DermoSegDiff, DermoSegDiffConfig, ImageFeatures
from samantic.besadiff.orientations import ORIENTATIONS, turned, turned_back
from samantic.besadiff.sampling import sample_masks
from samantic.besadiff.squares import stretched
from samantic.segsam import file_hash


class LesionSegmenter:
    """DermoSegDiff ready to use; the same image and seed give the same answer. Source: ours."""

    def __init__(self, network: DermoSegDiff, weights_hash: str = "", device: torch.device | str | None = None) -> None:
        chosen = device if device is not None else ("cuda" if torch.cuda.is_available() else "cpu")
        self.network = network.to(chosen).eval()
        self.weights_hash, self.device = weights_hash, torch.device(chosen)

    @classmethod
    def load(cls, path: Path, device: torch.device | str | None = None) -> LesionSegmenter:
        """Read a segmenter's file. Raises PartError."""
        part = read_part("segmenter", path)
        try:
            network = DermoSegDiff(DermoSegDiffConfig.from_json(part.config_json))
        except (TypeError, ValueError) as error:
            raise PartError(f"The configuration in {path.name} cannot be used: {error}") from error
        part.into(network)
        return cls(network, file_hash(path), device)

    def segment(self, image: np.ndarray, *, members: int = 5, steps: int = 4, seed: int = 0) -> LesionAnswer:
        """Segment a photograph (rows, cols, 3) uint8 of any size; `members` samples of `steps` steps each.

        The members look at it in up to eight orientations, so that they differ in more than their noise.
        """
        return self._answer(self._sampled(image, members, steps, seed), (image.shape[0], image.shape[1]))

    def sharpen(
        self,
        image: np.ndarray,
        coarse: np.ndarray,
        *,
        noise_share: float = 0.5,
        members: int = 5,
        steps: int = 4,
        seed: int = 0,
    ) -> LesionAnswer:
        """Draw the border of a coarse mask (rows, cols), bool or 0 to 1, anew; see `sampling.sample_masks`."""
        if coarse.shape != image.shape[:2]:
            raise ValueError(f"The coarse mask is {coarse.shape} and the image {image.shape[:2]}; they must agree.")
        if not 0 < noise_share <= 1:
            raise ValueError(f"noise_share must be more than 0 and at most 1, not {noise_share}.")
        side = self.network.config.mask_side
        small = _resized(torch.from_numpy(np.asarray(coarse, np.float32))[None, None], (side, side))
        start = (2 * small - 1).to(self.device)
        masks = self._sampled(image, members, steps, seed, noise_share, start)
        return self._answer(masks, (image.shape[0], image.shape[1]))

    def features(self, image: np.ndarray) -> torch.Tensor:
        """Describe a photograph (rows, cols, 3) by the means and deviations of the image branch's maps, (D,)."""
        maps = self.image_features(image).levels
        if not maps:
            raise ValueError("A coupled image branch describes no image by itself; use a time_free one.")
        described = [torch.cat([level.mean(dim=(2, 3)), level.std(dim=(2, 3))], dim=1)[0] for _, level in maps]
        return torch.cat(described).float().cpu()

    @torch.no_grad()
    def image_features(self, image: np.ndarray, orientations: int = 1) -> ImageFeatures:
        """What is computed once of a photograph (rows, cols, 3) uint8, in each of the first `orientations`.

        ValueError for another kind of array.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
            raise ValueError(f"A photograph must be (rows, cols, 3) uint8, not {image.shape} {image.dtype}.")
        square = stretched(image, self.network.config.image_side).float().to(self.device) / 255
        return self.network.image_features(torch.stack([turned(square, each) for each in range(orientations)]))

    @torch.no_grad()
    def _sampled(
        self,
        image: np.ndarray,
        members: int,
        steps: int,
        seed: int,
        noise_share: float = 1.0,
        coarse: torch.Tensor | None = None,
    ) -> np.ndarray:
        """Members (M, side, side) in 0 to 1."""
        if members < 1 or steps < 1:
            raise ValueError(f"members and steps must be at least 1, not {members} and {steps}.")
        side, orientations = self.network.config.mask_side, min(members, ORIENTATIONS)
        features = self.image_features(image, orientations)
        lying = torch.arange(members) % orientations
        # Drawn on the CPU, so that every device gives the same answer but for rounding.
        noise = torch.randn(members, 1, side, side, generator=torch.Generator().manual_seed(seed)).to(self.device)
        starts = None if coarse is None else torch.cat([turned(coarse, int(each)) for each in lying])
        masks = sample_masks(
            self.network, features.of_members(lying.to(self.device)), noise, steps, noise_share, starts
        )
        upright = torch.stack([turned_back(mask[0], int(each)) for mask, each in zip(masks, lying, strict=True)])
        return ((upright.float() + 1) / 2).clamp(0, 1).cpu().numpy()

    def _answer(self, members: np.ndarray, shape: tuple[int, int]) -> LesionAnswer:
        mean, variance = members.mean(axis=0), members.var(axis=0)
        mask = lesion_mask(mean)
        confidence, spread = boundary_confidence(members, mask), variance_at_border(variance, mask)
        return LesionAnswer(mask, mean, variance, confidence, spread).resized(*shape)


def _resized(maps: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return functional.interpolate(maps, size=shape, mode="bilinear", antialias=True)
