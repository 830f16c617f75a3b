"""One training step: a first prompt, then corrective clicks, as an annotator would give them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from scipy import ndimage

from samantic.segsam.losses import SEMANTIC_WEIGHT, alignment_loss, binary_loss, presence_loss, semantic_loss
from samantic.segsam.network import SegSam
from samantic.segsam.prompt_encoder import PADDING, PromptBatch
from samantic.segsam.training.batches import TrainingBatch
from samantic.segsam.interaction import (
    Click,
    box_clicks,
    component_at,
    corrective_click,
    interior_click,
    jittered_box,
)

PREVIOUS_MASK_LOGIT = 6.0
"""Logit of a drawn mask that is given as a prompt (ours)."""


@dataclass
class Interaction:
    """The prompts that one object has received so far, in the pixels of the mask grid."""

    truth: np.ndarray
    clicks: list[Click] = field(default_factory=list)
    mask_logits: np.ndarray | None = None
    ambiguous: bool = False


def first_prompt(truth: np.ndarray, random: np.random.Generator) -> Interaction:
    """A box, a click, both, or a roughly drawn mask. A click means the connected part under it."""
    kind = random.choice(["box", "click", "both", "mask"], p=[0.42, 0.42, 0.08, 0.08])
    if kind == "box":
        return Interaction(truth, box_clicks(jittered_box(truth, 0.1, random)))
    if kind == "mask":
        rough = _roughly_drawn(truth, random)
        return Interaction(truth, mask_logits=PREVIOUS_MASK_LOGIT * (2.0 * rough - 1.0).astype(np.float32))
    click = interior_click(truth, random)
    if kind == "both":
        return Interaction(truth, [*box_clicks(jittered_box(truth, 0.1, random)), click])
    return Interaction(component_at(truth, click), [click], ambiguous=True)


def training_loss(
    network: SegSam, batch: TrainingBatch, alignment_weight: float, random: np.random.Generator
) -> tuple[torch.Tensor, dict[str, float]]:
    """Run the rounds of one batch and return the loss with its parts for the log."""
    device = batch.images.device
    features = network.encode(batch.images)
    interactions = [first_prompt(truth, random) for truth in batch.objects]
    truth = torch.from_numpy(np.stack([interaction.truth for interaction in interactions])).float().to(device)
    rounds = 2 if random.random() < 0.6 else 3
    # The first answer must name the object; a refined one must still know it.
    semantic_round = 0 if random.random() < 0.65 else rounds - 1
    total = torch.zeros((), device=device)
    parts: dict[str, float] = {}
    for index in range(rounds):
        output = network.decode(
            features, prompt_batch(interactions, batch.image_index), with_semantics=index == semantic_round
        )
        ambiguous = torch.tensor([item.ambiguous and index == 0 for item in interactions], device=device)
        binary = binary_loss(_as_float(output.binary), truth, ambiguous).mean()
        total = total + binary / rounds
        parts[f"binary_{index}"] = float(binary.detach())
        if output.semantic is not None:
            semantic = _as_float(output.semantic)
            losses = {"semantic": semantic_loss(semantic, truth, batch.targets).mean()}
            if semantic.presence_logits is not None:
                losses["presence"] = presence_loss(semantic.presence_logits, batch.targets).mean()
            aligned = alignment_loss(_as_float(output.binary), semantic, batch.targets).mean()
            total = total + SEMANTIC_WEIGHT * sum(losses.values()) + alignment_weight * aligned
            parts.update(
                {name: float(loss.detach()) for name, loss in losses.items()}, alignment=float(aligned.detach())
            )
        if index + 1 < rounds:
            _correct(interactions, output.binary.mask_logits[:, 0].detach().float().cpu().numpy(), random)
    return total, parts


def prompt_batch(interactions: list[Interaction], image_index: torch.Tensor) -> PromptBatch:
    """Pad the prompts of N objects into one batch; the mask grid has half the picture's resolution."""
    device, count = image_index.device, len(interactions)
    longest = max(1, *(len(item.clicks) for item in interactions))
    points = np.zeros((count, longest, 2), dtype=np.float32)
    labels = np.full((count, longest), PADDING, dtype=np.int64)
    masks = np.zeros((count, 1, *interactions[0].truth.shape), dtype=np.float32)
    has_mask = np.zeros(count, dtype=bool)
    for row, item in enumerate(interactions):
        for column, (x, y, label) in enumerate(item.clicks):
            points[row, column] = 2 * (x + 0.5) - 0.5, 2 * (y + 0.5) - 0.5
            labels[row, column] = label
        if item.mask_logits is not None:
            masks[row, 0], has_mask[row] = item.mask_logits, True
    return PromptBatch(
        torch.from_numpy(points).to(device),
        torch.from_numpy(labels).to(device),
        torch.from_numpy(masks).to(device),
        torch.from_numpy(has_mask).to(device),
        image_index,
    )


def _correct(interactions: list[Interaction], mask_logits: np.ndarray, random: np.random.Generator) -> None:
    for item, logits in zip(interactions, mask_logits, strict=True):
        for _ in range(int(random.choice([1, 1, 2]))):
            click = corrective_click(item.truth, logits > 0, random)
            if click is not None:
                item.clicks.append(click)
        item.mask_logits = None if random.random() < 0.1 else logits.clip(-20, 20)


def _roughly_drawn(truth: np.ndarray, random: np.random.Generator) -> np.ndarray:
    depth = ndimage.distance_transform_edt(truth) - ndimage.distance_transform_edt(~truth)
    wobble = ndimage.gaussian_filter(random.standard_normal(truth.shape), 6.0)
    radius = max(1.0, 0.15 * np.sqrt(truth.sum()))
    rough = depth + radius * (wobble / wobble.std() + random.normal(0, 0.5)) > 0
    return rough if rough.any() else truth


def _as_float(output):  # type: ignore[no-untyped-def]
    """The same answer in float32: losses of half-precision logits lose their small differences."""
    return type(output)(
        *(value.float() if isinstance(value, torch.Tensor) else value for value in vars(output).values())
    )
