"""Drawing pictures of skin lesions together with their masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from samantic.besadiff.checkpoint import PartError, read_part
from samantic.besadiff.generator.condition import ConditionDistribution, Diagnosis, LesionCondition
from samantic.besadiff.generator.condition_input import condition_planes, condition_vectors
from samantic.besadiff.generator.config import GeneratorConfig
from samantic.besadiff.generator.network import GeneratorNetwork
from samantic.besadiff.generator.noise import sampling_scheduler
from samantic.segsam.checkpoint import file_hash
from samantic.segsam.manifest import TrainingManifest

KIND = "generator"
CONDITIONS = "conditions"
"""Under this name the notes of a checkpoint keep the distribution of the conditions."""

OPEN = LesionCondition()


@dataclass(frozen=True, eq=False)
class GeneratedPair:
    """`image` (S, S, 3) uint8, `probability` (S, S) float32 the mask in 0 to 1 as the diffusion left it."""

    image: np.ndarray
    probability: np.ndarray
    condition: LesionCondition
    seed: int

    @property
    def mask(self) -> np.ndarray:
        """(S, S) bool: where the lesion is more likely than not."""
        return self.probability > 0.5


class LesionGenerator:
    """Draws pairs of an image and a mask with a trained network."""

    def __init__(
        self,
        network: GeneratorNetwork,
        conditions: ConditionDistribution | None = None,
        weights_hash: str = "",
        manifest: TrainingManifest | None = None,
        device: torch.device | None = None,
    ) -> None:
        self.device = device or torch.device("cpu")
        self.network = network.to(self.device).eval()
        self.conditions = conditions or ConditionDistribution({})
        self.weights_hash, self.manifest = weights_hash, manifest or TrainingManifest()

    @classmethod
    def load(cls, path: Path, device: torch.device | None = None) -> LesionGenerator:
        """Read a checkpoint; PartError says what is wrong with it."""
        part = read_part(KIND, path)
        try:
            network = GeneratorNetwork(GeneratorConfig.from_json(part.config_json))
            conditions = ConditionDistribution.from_json(part.notes.get(CONDITIONS, "{}"))
        except (TypeError, ValueError, RecursionError) as error:
            raise PartError(f"The configuration in {path.name} cannot be read: {error}") from error
        part.into(network)
        return cls(network, conditions, file_hash(path), part.manifest, device)

    @property
    def image_size(self) -> int:
        """Side of the pictures in pixels."""
        return self.network.config.image_size

    def draw_condition(self, random: np.random.Generator, diagnosis: Diagnosis | None = None) -> LesionCondition:
        """A condition as the training images have them; ValueError where none had the diagnosis."""
        return self.conditions.draw(random, diagnosis)

    def generate(
        self, conditions: Sequence[LesionCondition], *, seeds: Sequence[int], steps: int = 25, guidance: float = 1.5
    ) -> list[GeneratedPair]:
        """Draw one pair for every condition and its seed; see `stream`."""
        return list(self.stream(conditions, seeds=seeds, steps=steps, guidance=guidance))

    def stream(
        self, conditions: Sequence[LesionCondition], *, seeds: Sequence[int], steps: int = 25, guidance: float = 1.5
    ) -> Iterator[GeneratedPair]:
        """Yield one pair after the other, so that a caller can stop between two.

        `steps` of the solver; `guidance` 1 follows the condition as it was learned, more follows it more closely
        (classifier-free guidance, arXiv 2207.12598), 0 not at all. A seed gives the same pair whatever else is drawn.
        ValueError: as many seeds as conditions are needed, and steps and guidance must be in range.
        """
        if len(seeds) != len(conditions):
            raise ValueError(f"{len(conditions)} conditions need as many seeds, not {len(seeds)}.")
        if not 2 <= steps <= 1000:
            raise ValueError(f"The steps of the generator must be 2 to 1000, not {steps}.")
        if not 0 <= guidance <= 20:
            raise ValueError(f"The guidance must be 0 to 20, not {guidance}.")
        # One by one: a processor rounds otherwise in a batch of another size, and a seed would give another picture.
        for condition, seed in zip(conditions, seeds, strict=True):
            yield self._pair(condition, int(seed), steps, guidance)

    @torch.inference_mode()
    def _pair(self, condition: LesionCondition, seed: int, steps: int, guidance: float) -> GeneratedPair:
        config = self.network.config
        side = config.image_size // config.patch
        guided = [condition] if guidance == 1 or condition == OPEN else [condition, OPEN]
        vectors = condition_vectors(guided).to(self.device)
        planes = condition_planes(guided, side).to(self.device)
        scheduler = sampling_scheduler(config.noise_shift, steps)
        # Always drawn on the CPU, so that the device does not change the picture.
        random = torch.Generator().manual_seed(seed)
        values = torch.randn((1, config.kept, side, side), generator=random).to(self.device)
        for step in scheduler.timesteps:
            at = torch.full((len(guided),), int(step), dtype=torch.long, device=self.device)
            clean = self.network(values.expand(len(guided), -1, -1, -1), at, vectors, planes)
            if len(guided) == 2:
                clean = clean[1:] + guidance * (clean[:1] - clean[1:])
            values = scheduler.step(clean, step, values).prev_sample
        drawn = ((self.network.basis.decode(values)[0] + 1) / 2).clamp(0, 1).cpu()
        image = (drawn[:3] * 255).round().byte().permute(1, 2, 0).numpy()
        return GeneratedPair(image, drawn[3].numpy(), condition, seed)
