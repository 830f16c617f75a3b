"""A coarse mask of a lesion -> a mask that may be learned from, or the reason why not."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Protocol

import numpy as np

from samantic.besadiff.refiner.blending import BlendOptions, blended, mask_of
from samantic.besadiff.refiner.candidates import Candidate, Promptable, candidates_of
from samantic.besadiff.refiner.prompts import CoarsePrompts, PromptOptions
from samantic.besadiff.refiner.refinement import Refinement
from samantic.besadiff.refiner.rules import AcceptanceRules
from samantic.evaluation import intersection_over_union


class SharpAnswer(Protocol):
    """What a segmenter says about a border: arrays (rows, cols), the variance of its members at most .25."""

    @property
    def mask(self) -> np.ndarray: ...
    @property
    def probability(self) -> np.ndarray: ...
    @property
    def mean_variance(self) -> float: ...
    @property
    def boundary_confidence(self) -> float: ...


class Sharpener(Protocol):
    """A segmenter that can go on from a coarse mask; `samantic.besadiff.segmenter.LesionSegmenter` is one."""

    weights_hash: str

    def sharpen(
        self,
        image: np.ndarray,
        coarse: np.ndarray,
        *,
        noise_share: float = ...,
        members: int = ...,
        steps: int = ...,
        seed: int = ...,
    ) -> SharpAnswer: ...


class MaskRefiner:
    """Refines coarse masks with a SAM-family model and the late denoising steps of a diffusion segmenter.

    SAM is prompted with what the coarse mask shows, in several words; of its answers the one with the largest expected
    IoU times IoU with the coarse mask is kept. The segmenter goes on from that answer, noised to a middle step, and
    has its say about the border; where both are unsure, the coarse mask decides. Source: BESA-Diff; prompts, blending
    and rules: ours.
    """

    def __init__(
        self,
        predictor: Promptable,
        segmenter: Sharpener,
        rules: AcceptanceRules = AcceptanceRules(),
        prompts: PromptOptions = PromptOptions(),
        blend: BlendOptions = BlendOptions(),
        noise_share: float = 0.5,
        members: int = 3,
        steps: int = 4,
    ) -> None:
        if not 0 < noise_share <= 1:
            raise ValueError(f"noise_share must lie above 0 and at most at 1, not {noise_share}.")
        self.predictor = predictor
        self.segmenter = segmenter
        self.rules = rules
        self.prompts = prompts
        self.blend = blend
        self.noise_share = noise_share
        self.members = members
        self.steps = steps

    def settings(self) -> dict[str, Any]:
        """Return all that decides how masks are refined, as JSON values."""
        return {
            "sam": self.predictor.weights_hash,
            "segmenter": self.segmenter.weights_hash,
            "rules": asdict(self.rules),
            "prompts": asdict(self.prompts),
            "blend": asdict(self.blend),
            "noise_share": self.noise_share,
            "members": self.members,
            "steps": self.steps,
        }

    def refine(self, image: np.ndarray, coarse: np.ndarray, *, seed: int = 0) -> Refinement:
        """Refine a mask (rows, cols), bool or probabilities in 0 to 1, of an image (rows, cols, 3) uint8.

        The same seed gives the same mask. ValueError: image and mask have other shapes than these.
        """
        _check(image, coarse)
        prompts = CoarsePrompts.of(coarse > 0.5, self.prompts)
        if prompts is None:
            return _nothing(coarse, "The coarse mask is empty.")
        candidates = candidates_of(self.predictor, image, prompts, self.prompts.variants)
        if not candidates:
            return _nothing(coarse, "SAM finds nothing where the coarse mask is.")
        return self._refined(image, prompts, candidates, seed)

    def _refined(self, image: np.ndarray, prompts: CoarsePrompts, found: list[Candidate], seed: int) -> Refinement:
        kept = found[0]
        sharp = self.segmenter.sharpen(
            image,
            kept.probability,
            noise_share=self.noise_share,
            members=self.members,
            steps=self.steps,
            seed=seed,
        )
        probability = blended(kept.probability, kept.mask, sharp.probability, prompts.component, self.blend)
        mask = mask_of(probability)
        scores = {
            "iou_with_coarse": intersection_over_union(mask, prompts.component),
            "predicted_iou": kept.predicted_iou,
            "agreement": intersection_over_union(kept.mask, sharp.mask),
            "mean_variance": float(sharp.mean_variance),
            "boundary_confidence": float(sharp.boundary_confidence),
            "area_share": float(mask.mean()),
        }
        noted = tuple(candidate.to_json() for candidate in found)
        return Refinement(mask, probability, self.rules.reasons(scores), scores, prompts.to_json(), noted)


def _check(image: np.ndarray, coarse: np.ndarray) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"An image is (rows, cols, 3) uint8, not {image.shape} {image.dtype}.")
    if coarse.shape != image.shape[:2]:
        raise ValueError(f"The coarse mask is {coarse.shape}, but its image is {image.shape[:2]}; they must be equal.")


def _nothing(coarse: np.ndarray, reason: str) -> Refinement:
    return Refinement(np.zeros(coarse.shape, bool), np.zeros(coarse.shape, np.float32), (reason,), {"area_share": 0.0})
