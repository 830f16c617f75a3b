"""One training step: a first prompt, then corrective clicks, as an annotator would give them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import torch
from scipy import ndimage

from samantic.sam.image_encoder import FeatureMaps
from samantic.segsam.interaction import (
    Click,
    box_clicks,
    component_at,
    corrective_click,
    interior_click,
    jittered_box,
)
from samantic.segsam.losses import (
    SEMANTIC_WEIGHT,
    alignment_loss,
    binary_loss,
    presence_loss,
    semantic_loss,
)
from samantic.segsam.network import SegSam
from samantic.segsam.prompt_batch import PADDING, PromptBatch
from samantic.segsam.semantic_agnostic_decoder import BinaryMasks
from samantic.segsam.semantic_aware_decoder import SemanticMasks
from samantic.segsam.training.batches import TrainingBatch

_Output = TypeVar("_Output", BinaryMasks, SemanticMasks)

PREVIOUS_MASK_LOGIT = 6.0
"""Logit of a drawn mask that is given as a prompt (ours)."""


@dataclass
class Interaction:
    """The prompts that one object has received so far, in the pixels of the mask grid."""

    truth: np.ndarray
    clicks: list[Click] = field(default_factory=list)
    mask_logits: np.ndarray | None = None
    ambiguous: bool = False


ROUNDS = (0.4, 0.35, 0.25)
"""How often an object is answered once, corrected once, and corrected twice."""

BORDER_SHARE = 0.6
"""Of the objects that are named when their border is known already: a look network draws it first (ours)."""

KINDS = {"box": 0.42, "click": 0.42, "both": 0.08, "mask": 0.08}
"""How objects are first prompted."""


def first_prompt(truth: np.ndarray, random: np.random.Generator, kinds: Mapping[str, float] = KINDS) -> Interaction:
    """A box, a click, both, a roughly drawn mask, or a click and such a mask, as often as `kinds` says.

    A click means the connected part under it.
    """
    kind = random.choice(list(kinds), p=list(kinds.values()))
    if kind == "box":
        return Interaction(truth, box_clicks(jittered_box(truth, 0.1, random)))
    if kind == "mask":
        return Interaction(truth, mask_logits=_as_logits(roughly_drawn(truth, 0.15, random)))
    click = interior_click(truth, random)
    if kind == "both":
        return Interaction(truth, [*box_clicks(jittered_box(truth, 0.1, random)), click])
    truth = component_at(truth, click)
    if kind == "click and mask":
        return Interaction(truth, [click], _as_logits(roughly_drawn(truth, random.uniform(0.1, 0.5), random)))
    return Interaction(truth, [click], ambiguous=True)


def training_loss(
    network: SegSam,
    batch: TrainingBatch,
    alignment_weight: float,
    random: np.random.Generator,
    semantic_weight: float = SEMANTIC_WEIGHT,
) -> tuple[torch.Tensor, dict[str, float]]:
    """Run the rounds of one batch and return the loss with its parts for the log."""
    device = batch.images.device
    features = network.encode(batch.images)
    interactions = [first_prompt(truth, random) for truth in batch.objects]
    truth = torch.from_numpy(np.stack([interaction.truth for interaction in interactions])).float().to(device)
    rounds = int(random.choice([1, 2, 3], p=ROUNDS))
    # The first answer must name the object; a refined one must still know it.
    semantic_round = 0 if random.random() < 0.65 else rounds - 1
    total = torch.zeros((), device=device)
    parts: dict[str, float] = {}
    for index in range(rounds):
        prompts = prompt_batch(interactions, batch.image_index, network.image_size)
        binary = _as_float(network.segment(features, prompts))
        ambiguous = torch.tensor([item.ambiguous and index == 0 for item in interactions], device=device)
        masks = _mean_of(binary_loss(binary, truth, ambiguous), batch.is_structure)
        total = total + masks / rounds
        parts[f"binary_{index}"] = float(masks.detach())
        if index == semantic_round:
            prompts = prompt_batch(
                [with_border(item, random) for item in interactions], batch.image_index, network.image_size
            )
            loss, aligned, named = _semantic_losses(network, features, prompts, binary, truth, batch)
            total = total + semantic_weight * loss + alignment_weight * aligned
            parts.update(named)
        if index + 1 < rounds:
            correct(interactions, binary.mask_logits[:, 0].detach().cpu().numpy(), random)
    return total, parts


def _semantic_losses(
    network: SegSam,
    features: FeatureMaps,
    prompts: PromptBatch,
    binary: BinaryMasks,
    truth: torch.Tensor,
    batch: TrainingBatch,
) -> tuple[torch.Tensor, torch.Tensor, dict[str, float]]:
    """The losses of the semantic path and of the alignment; none where the network has none."""
    answer = network.name(features, prompts)
    if answer is None:
        nothing = torch.zeros((), device=truth.device)
        return nothing, nothing, {}
    semantic, targets = _as_float(answer), batch.targets
    losses = {"semantic": semantic_loss(semantic, truth, targets).mean()}
    if semantic.presence_logits is not None:
        losses["presence"] = presence_loss(semantic.presence_logits, targets).mean()
    aligned = alignment_loss(binary, semantic, targets).mean()
    shown = {**losses, "alignment": aligned}
    return (
        torch.stack(list(losses.values())).sum(),
        aligned,
        {name: float(loss.detach()) for name, loss in shown.items()},
    )


def _mean_of(values: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return (values * wanted).sum() / wanted.sum().clamp(min=1)


def prompt_batch(interactions: list[Interaction], image_index: torch.Tensor, image_size: int) -> PromptBatch:
    """Pad the prompts of N objects on the mask grid into one batch in the pixels of the square input."""
    scale = image_size / interactions[0].truth.shape[0]
    device, count = image_index.device, len(interactions)
    longest = max(1, *(len(item.clicks) for item in interactions))
    points = np.zeros((count, longest, 2), dtype=np.float32)
    labels = np.full((count, longest), PADDING, dtype=np.int64)
    masks = np.zeros((count, 1, *interactions[0].truth.shape), dtype=np.float32)
    has_mask = np.zeros(count, dtype=bool)
    for row, item in enumerate(interactions):
        for column, (x, y, label) in enumerate(item.clicks):
            points[row, column] = scale * (x + 0.5) - 0.5, scale * (y + 0.5) - 0.5
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


def correct(interactions: list[Interaction], mask_logits: np.ndarray, random: np.random.Generator) -> None:
    """Give every object one or two corrective clicks, and now its answer (N, g, g) as the previous mask."""
    for item, logits in zip(interactions, mask_logits, strict=True):
        for _ in range(int(random.choice([1, 1, 2]))):
            click = corrective_click(item.truth, logits > 0, random)
            if click is not None:
                item.clicks.append(click)
        item.mask_logits = None if random.random() < 0.1 else logits.clip(-20, 20)


def roughly_drawn(truth: np.ndarray, looseness: float, random: np.random.Generator) -> np.ndarray:
    """A mask (H, W) whose border wobbles by about `looseness` of the object's size."""
    depth = ndimage.distance_transform_edt(truth) - ndimage.distance_transform_edt(~truth)
    wobble = ndimage.gaussian_filter(random.standard_normal(truth.shape), 6.0)
    radius = max(1.0, looseness * np.sqrt(truth.sum()))
    rough = depth + radius * (wobble / wobble.std() + random.normal(0, 0.5)) > 0
    return rough if rough.any() else truth


def with_border(interaction: Interaction, random: np.random.Generator) -> Interaction:
    """The same prompts, for most objects with a mask almost as the object is."""
    if random.random() >= BORDER_SHARE:
        return interaction
    return replace(interaction, mask_logits=_as_logits(roughly_drawn(interaction.truth, 0.05, random)))


def _as_logits(mask: np.ndarray) -> np.ndarray:
    return PREVIOUS_MASK_LOGIT * (2.0 * mask - 1.0).astype(np.float32)


def _as_float(output: _Output) -> _Output:
    """The same answer in float32: losses of half-precision logits lose their small differences."""
    return replace(output, **{name: value.float() for name, value in vars(output).items() if value is not None})
