"""The semantic path learns the names of late classes on kept embeddings; its answers for the others stay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from samantic.segsam.growing import wake_in_decoder
from samantic.segsam.losses import SemanticTargets, presence_loss, semantic_loss
from samantic.segsam.network import SegSam
from samantic.segsam.training.batches import SMALLEST_OBJECT, object_in
from samantic.segsam.training.retraining.feature_shelf import FeatureShelf
from samantic.segsam.training.retraining.map_loss import disturbed
from samantic.segsam.training.retraining.material import Material
from samantic.segsam.training.retraining.options import RetrainOptions
from samantic.segsam.training.retraining.slices import StudySlice
from samantic.segsam.training.retraining.watching import Watch
from samantic.segsam.training.rounds import first_prompt, prompt_batch, with_border
from samantic.training import learning_rate_at

OBJECTS_PER_SLICE = 3

REHEARSAL_WEIGHT = 4.0
"""Of what the new names take on pictures that are rehearsed."""

OBJECT_SHARE = 0.75
"""Of the regions that are prompted where a picture's objects are known; the others are anywhere."""


def learn_names(
    network: SegSam,
    material: Material,
    shelf: FeatureShelf,
    options: RetrainOptions,
    random: np.random.Generator,
    watch: Watch,
) -> None:
    """Teach the late classes that the labels name, on prompts simulated from the labels; nothing where there are none.

    Only what belongs to these classes alone is changed: their CO-tokens, their rows of the hypernetwork, their bias.
    Nothing looks at a late class's token, so the logits and presences of all other classes stay what they were, exactly
    (ours). On slices without labels any region is prompted and the old answers are asked for again: the divergence from
    them is what the new classes took.
    """
    # Negatives without any label say nothing about names.
    labelled = [item for item in material.training if bool((item.shares[1:] > 0).any())]
    late = late_classes_of(network, labelled)
    parameters = _parameters(network, late)
    if not parameters or not options.naming_steps:
        return
    wake_in_decoder(network, late)
    schedule = options.fit_options(options.naming_steps)
    optimiser = torch.optim.Adam([parameter for parameter, _ in parameters])
    for step in range(options.naming_steps):
        watch.go_on(step, options.naming_steps, "naming")
        for group in optimiser.param_groups:
            rate = learning_rate_at(step, schedule) / schedule.learning_rate
            group["lr"] = rate * options.naming_learning_rate
        optimiser.zero_grad()
        loss = _labelled_loss(network, _drawn(labelled, options.batch_size, random), shelf, random)
        if material.rehearsed:
            some = _drawn(material.rehearsed, options.batch_size, random)
            loss = loss + REHEARSAL_WEIGHT * _rehearsal_loss(network, some, late, shelf, random)
        if not loss.requires_grad:
            continue
        loss.backward()
        for parameter, rows in parameters:
            if parameter.grad is not None:
                parameter.grad *= rows
        optimiser.step()


def late_classes_of(network: SegSam, labelled: Sequence[StudySlice]) -> list[int]:
    """The late classes, by index, that labels name."""
    first = len(network.config.class_names) - network.config.late_classes
    named = {index for item in labelled for index in item.classes}
    return sorted(index for index in named if index >= first)


def _parameters(network: SegSam, late: Sequence[int]) -> list[tuple[nn.Parameter, torch.Tensor]]:
    """The tensors that hold something of the late classes, and 1 where it is theirs alone."""
    decoder = network.semantic_decoder
    network.requires_grad_(False)
    if decoder is None or decoder.late_bias is None or not late:
        return []
    first = decoder.num_classes - decoder.late_classes
    last = decoder.semantic_hypernetwork.layers[-1]
    wide = decoder.upscaled_dim
    of_class = torch.zeros(decoder.num_classes)
    of_class[list(late)] = 1
    of_output = functional.pad(of_class, (1, 0)).repeat_interleave(wide)
    found = [
        (last.weight, of_output[:, None]),
        (last.bias, of_output),
        (decoder.late_bias, of_class[first:]),
    ]
    if decoder.co_tokens is not None:
        found.append((decoder.co_tokens.weight, of_class[:, None]))
    device = last.weight.device
    return [(parameter.requires_grad_(True), rows.to(device)) for parameter, rows in found]


def _labelled_loss(
    network: SegSam, slices: Sequence[StudySlice], shelf: FeatureShelf, random: np.random.Generator
) -> torch.Tensor:
    count, grid = len(network.config.class_names), network.low_resolution_size
    truths, image_index, class_index, present, known = [], [], [], [], []
    for row, item in enumerate(slices):
        shares = functional.interpolate(item.shares[None].float(), size=(grid, grid), mode="bilinear")[0].numpy()
        regions = {index: shares[channel] >= 0.5 for channel, index in enumerate(item.classes, start=1)}
        large = [index for index, region in regions.items() if region.sum() >= SMALLEST_OBJECT]
        is_present, is_known = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
        is_present[large], is_known[large] = True, True
        is_known[[index for index, region in regions.items() if not region.any()]] = True
        for index in random.permutation(large)[:OBJECTS_PER_SLICE].astype(int).tolist():
            truths.append(object_in(regions[index], random))
            image_index.append(row)
            class_index.append(index)
            present.append(is_present)
            known.append(is_known)
    device = network.text_embeddings.device
    if not truths:
        return torch.zeros((), device=device)
    targets = SemanticTargets(
        torch.tensor(class_index, device=device),
        torch.from_numpy(np.stack(present)).to(device),
        torch.from_numpy(np.stack(known)).to(device),
    )
    interactions = [with_border(first_prompt(truth, random), random) for truth in truths]
    prompts = prompt_batch(interactions, torch.tensor(image_index, device=device), network.image_size)
    answer = network.name(shelf.of(slices), prompts)
    assert answer is not None
    truth = torch.from_numpy(np.stack([item.truth for item in interactions])).float().to(device)
    loss = semantic_loss(answer, truth, targets).mean()
    if answer.presence_logits is not None:
        loss = loss + presence_loss(answer.presence_logits, targets).mean()
    return loss


def _rehearsal_loss(
    network: SegSam,
    slices: Sequence[StudySlice],
    late: Sequence[int],
    shelf: FeatureShelf,
    random: np.random.Generator,
) -> torch.Tensor:
    device = network.text_embeddings.device
    regions = [region_in(item, network.low_resolution_size, random) for item in slices]
    interactions = [first_prompt(region, random) for region in regions]
    prompts = prompt_batch(interactions, torch.arange(len(slices), device=device), network.image_size)
    # Disturbed, the few pictures that are rehearsed stand for more of their kind.
    answer = network.name(disturbed(shelf.of(slices), random), prompts)
    assert answer is not None
    classes = answer.semantic_logits[:, 1:]
    others = [index for index in range(classes.shape[1]) if index not in late]
    # The others' logits are what they were: the divergence from them is the share that the late ones took. Names are
    # given by the classes alone, inside the region, so the background is not asked.
    taken = classes.logsumexp(dim=1) - classes[:, others].logsumexp(dim=1)
    truth = torch.from_numpy(np.stack([item.truth for item in interactions])).float().to(device)
    inside = functional.interpolate(truth[:, None], size=taken.shape[-2:], mode="area")[:, 0]
    return taken.mean() + (taken * inside).sum() / inside.sum().clamp(min=1e-6)


def region_in(item: StudySlice, grid: int, random: np.random.Generator) -> np.ndarray:
    """Something (g, g) bool of a slice that somebody might prompt: mostly one of its objects, where they are known."""
    if item.objects and random.random() < OBJECT_SHARE:
        known = torch.from_numpy(item.objects[int(random.integers(len(item.objects)))]).float()
        region = functional.interpolate(known[None, None], size=(grid, grid), mode="bilinear")[0, 0].numpy() >= 0.5
        if region.sum() >= SMALLEST_OBJECT:
            return region
    return any_region(grid, random)


def any_region(grid: int, random: np.random.Generator) -> np.ndarray:
    """A disc (g, g) bool of any size, anywhere: something that somebody might prompt."""
    rows, columns = np.mgrid[:grid, :grid]
    y, x = random.uniform(0.2 * grid, 0.8 * grid, size=2)
    radius = np.exp(random.uniform(np.log(0.03 * grid + 2), np.log(0.2 * grid + 2)))
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


def _drawn(slices: Sequence[StudySlice], count: int, random: np.random.Generator) -> list[StudySlice]:
    return [slices[int(index)] for index in random.integers(len(slices), size=count)]
