"""New classes for a network that has learned others, whose answers for those stay as they were (ours)."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from samantic.segsam.network import SegSam
from samantic.segsam.prompt_free_head import PromptFreeHead
from samantic.vocabulary import (
    TextEncoderError,
    UnknownClassError,
    embed_text,
    load_text_embeddings,
    load_vocabulary,
)

ASLEEP = -60.0
"""Logit bias of a class that nothing was learned about: no softmax in float32 notices it."""

AWAKE = -3.0
"""Logit bias with which a class begins to learn: rare, as one expects of a new one."""

FILLED_WITH_ZEROS = (
    "semantic_decoder.semantic_hypernetwork.layers.2.weight",
    "semantic_decoder.semantic_hypernetwork.layers.2.bias",
    "semantic_decoder.presence_to_so.0.weight",
    "prompt_free_head.classes.weight",
)
FILLED_WITH_SLEEP = ("semantic_decoder.late_bias", "prompt_free_head.classes.bias")
FILLED_WITH_MEANS = ("semantic_decoder.co_tokens.weight",)
"""What a larger network has more of, and what is put there."""


@dataclass(frozen=True)
class NewClass:
    """A class to add: its `name` in the vocabulary or a free one, and, for a free one, what it looks like."""

    name: str
    description: str = ""


def class_named(word: str, known: Sequence[str] = ()) -> str:
    """The class that a person means by a name, synonym or SNOMED CT code: one of `known`, else the vocabulary's name.

    A word that neither has is a class of its own and keeps its spelling. ValueError for an empty one.
    """
    word = word.strip()
    if not word:
        raise ValueError("A class needs a name; write what is to be found, e.g. 'left kidney'.")
    if word in known:
        return word
    try:
        return load_vocabulary().find(word).name
    except UnknownClassError:
        return word


def grown(network: SegSam, new: Sequence[NewClass]) -> SegSam:
    """A copy of the network, in evaluation mode, that has outputs for further classes after its own.

    The new ones are silent until they are learned, and no token of the others ever looks at them: the answers for the
    old classes are those of before, also in softmax. ValueError for a class that the network has already.
    """
    names = tuple(one.name for one in new)
    twice = [name for index, name in enumerate(names) if name in network.config.class_names + names[:index]]
    if twice:
        raise ValueError(f"The network knows the class '{twice[0]}' already.")
    late = network.config.late_classes + (len(names) if network.config.so_token else 0)
    config = dataclasses.replace(network.config, class_names=(*network.config.class_names, *names), late_classes=late)
    # The random start is overwritten; others' random numbers must not depend on it.
    with torch.random.fork_rng(devices=[]):
        larger = SegSam(config, torch.cat([network.text_embeddings.cpu(), _text_vectors(new, config.text_dim)]))
    old = network.state_dict()
    larger.load_state_dict({name: _widened(name, tensor, old) for name, tensor in larger.state_dict().items()})
    return larger.to(network.text_embeddings.device).eval()


def with_new_head(network: SegSam, width: int, seed: int) -> SegSam:
    """A copy of the network, in evaluation mode, with a prompt-free head whose classes are all silent."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        larger = SegSam(dataclasses.replace(network.config, prompt_free_width=width))
    kept = {name: one for name, one in network.state_dict().items() if not name.startswith("prompt_free_head.")}
    larger.load_state_dict(kept, strict=False)
    head = larger.prompt_free_head
    assert head is not None
    with torch.no_grad():
        head.classes.weight[1:] = 0
        _bias(head)[0], _bias(head)[1:] = 0.0, ASLEEP
    return larger.to(network.text_embeddings.device).eval()


def awake_in_head(head: PromptFreeHead) -> list[int]:
    """The classes, by index, that a head has learned anything about."""
    return (_bias(head)[1:] > ASLEEP / 2).nonzero()[:, 0].tolist()


def without_silent(head: PromptFreeHead, classes: Sequence[int]) -> PromptFreeHead:
    """A copy of a head with the outputs of some classes alone, in their order; silent ones begin to learn.

    They begin rare beside the background. What a copy learned goes back by `with_learned`.
    """
    small = copy.deepcopy(head)
    channels = [0, *(index + 1 for index in classes)]
    small.classes = nn.Conv2d(head.classes.in_channels, len(channels), 1).to(head.classes.weight.device)
    with torch.no_grad():
        small.classes.weight.copy_(head.classes.weight[channels])
        bias = _bias(head)[channels]
        _bias(small).copy_(torch.where(bias > ASLEEP / 2, bias, bias[0] + AWAKE))
    return small


def with_learned(head: PromptFreeHead, small: PromptFreeHead, classes: Sequence[int]) -> None:
    """Put what a copy of a head for some classes learned into the head."""
    channels = [0, *(index + 1 for index in classes)]
    learned = small.state_dict()
    weight, bias = learned.pop("classes.weight"), learned.pop("classes.bias")
    head.load_state_dict(learned, strict=False)
    with torch.no_grad():
        head.classes.weight[channels] = weight
        _bias(head)[channels] = bias


def wake_in_decoder(network: SegSam, classes: Sequence[int]) -> None:
    """Let silent late classes of the semantic-aware decoder, by their indices, begin to learn."""
    bias = None if network.semantic_decoder is None else network.semantic_decoder.late_bias
    if bias is None:
        return
    first = len(network.config.class_names) - network.config.late_classes
    with torch.no_grad():
        for index in classes:
            if index >= first and bias[index - first] <= ASLEEP / 2:
                bias[index - first] = AWAKE


def _bias(head: PromptFreeHead) -> torch.Tensor:
    bias = head.classes.bias
    assert bias is not None
    return bias


def described_by_text(new: NewClass) -> bool:
    """Whether there is a text embedding for a class: the vocabulary has it, or a sentence encoder is installed."""
    return new.name in load_vocabulary() or _embedded(new) is not None


def _text_vectors(new: Sequence[NewClass], text_dim: int) -> torch.Tensor:
    """(N, text_dim); zeros where nothing can embed a free name: it then says nothing, and the picture says it all."""
    vectors = torch.zeros(len(new), text_dim)
    for row, one in enumerate(new):
        if one.name in load_vocabulary():
            vectors[row] = torch.from_numpy(load_text_embeddings().of([one.name])[0])
        elif (embedded := _embedded(one)) is not None:
            vectors[row] = embedded
    return vectors


def _embedded(new: NewClass) -> torch.Tensor | None:
    text = f"{new.name.replace('_', ' ')}: {new.description}" if new.description else new.name.replace("_", " ")
    try:
        return torch.from_numpy(embed_text([text])[0])
    except TextEncoderError:
        return None


def _widened(name: str, fresh: torch.Tensor, old: dict[str, torch.Tensor]) -> torch.Tensor:
    """The tensor of the larger network: what the old one had, then what leaves its answers alone."""
    if name == "text_embeddings":
        return fresh
    earlier = old.get(name)
    if earlier is None:  # the first late classes
        return torch.full_like(fresh, ASLEEP)
    if earlier.shape == fresh.shape:
        return earlier
    missing = [wide - narrow for wide, narrow in zip(fresh.shape, earlier.shape, strict=True)]
    padding = [side for count in reversed(missing) for side in (0, count)]
    widened = nn.functional.pad(earlier, padding, value=ASLEEP if name in FILLED_WITH_SLEEP else 0.0)
    if name in FILLED_WITH_MEANS:
        widened[len(earlier) :] = earlier.mean(dim=0)
    elif name not in FILLED_WITH_ZEROS + FILLED_WITH_SLEEP:
        raise ValueError(f"'{name}' cannot grow from {tuple(earlier.shape)} to {tuple(fresh.shape)}.")
    return widened
