from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from samantic.segsam import SegSam, SegSamConfig
from samantic.segsam.network import SegSamOutput
from samantic.segsam.prompt_batch import PromptBatch

BOX = [(10.0, 12.0, 2), (40.0, 50.0, 3)]
CLICKS = [(20.0, 30.0, 1), (50.0, 8.0, 0), (31.0, 33.0, 1)]
CLICK = [(44.0, 20.0, 1)]


@pytest.fixture
def images() -> torch.Tensor:
    return 255 * torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("raster_prompts", [True, False])
@pytest.mark.parametrize(
    ("so_token", "co_tokens", "text_to_vision"),
    [(False, False, False), (True, False, False), (True, True, False), (True, False, True), (True, True, True)],
)
def test_every_part_can_be_left_out(
    so_token: bool, co_tokens: bool, text_to_vision: bool, raster_prompts: bool, config, images, batch_of
):
    parts = {"so_token": so_token, "co_tokens": co_tokens, "text_to_vision": text_to_vision}
    network = SegSam(replace(config, **parts, raster_prompts=raster_prompts)).eval()
    with torch.no_grad():
        output = network.decode(network.encode(images), batch_of([BOX, CLICKS, CLICK], images=[0, 1, 1]))
    assert output.binary.mask_logits.shape == (3, 4, 32, 32)
    assert output.binary.predicted_iou.shape == (3, 4)
    assert (output.semantic is not None) == so_token
    if output.semantic is not None:
        assert output.semantic.semantic_logits.shape == (3, 6, 8, 8)
        assert (output.semantic.presence_logits is not None) == co_tokens
        if output.semantic.presence_logits is not None:
            assert output.semantic.presence_logits.shape == (3, 5)
    names = "".join(name for name, _ in network.named_parameters())
    assert ("semantic_decoder" in names) == so_token
    assert ("presence" in names) == co_tokens
    assert ("text_to_vision" in names) == text_to_vision
    assert ("raster" in names) == raster_prompts


def test_a_network_for_a_single_class_has_a_map_for_background_and_one_for_the_class(images, batch_of):
    network = SegSam(SegSamConfig(("liver",), encoder="small", transformer_mlp_dim=64)).eval()
    output = network.decode(network.encode(images), batch_of([CLICK]))
    assert output.semantic is not None and output.semantic.presence_logits is not None
    assert output.semantic.semantic_logits.shape == (1, 2, 8, 8)
    assert output.semantic.presence_logits.shape == (1, 1)


def test_objects_on_several_images_are_answered_as_if_each_were_alone(network: SegSam, images, batch_of):
    rows, on_image = [BOX, CLICKS, CLICK, [*BOX, *CLICKS]], [1, 0, 1, 0]
    together = _decode(network, images, batch_of(rows, images=on_image))
    for row, (tokens, image) in enumerate(zip(rows, on_image, strict=True)):
        alone = _decode(network, images[image : image + 1], batch_of([tokens]))
        for many, one in zip(_tensors(together), _tensors(alone), strict=True):
            torch.testing.assert_close(many[row], one[0], atol=1e-4, rtol=0)


def test_an_answer_depends_on_the_image_that_the_object_lies_on(network: SegSam, images, batch_of):
    output = _decode(network, images, batch_of([CLICK, CLICK], images=[0, 1]))
    for tensor in _tensors(output):
        assert (tensor[0] - tensor[1]).abs().max() > 1e-3


def test_a_previous_mask_counts_only_for_the_object_that_has_one(network: SegSam, images, batch_of):
    without = batch_of([CLICK, CLICK])
    drawn = torch.zeros(2, 1, 32, 32)
    drawn[1, :, 8:20, 8:20] = 12.0
    given = replace(without, mask_logits=drawn - 6.0 * torch.tensor([0.0, 1.0]).view(2, 1, 1, 1))
    given = replace(given, has_mask=torch.tensor([False, True]))
    before, after = _decode(network, images, without), _decode(network, images, given)
    torch.testing.assert_close(before.binary.mask_logits[0], after.binary.mask_logits[0], atol=1e-4, rtol=0)
    assert (before.binary.mask_logits[1] - after.binary.mask_logits[1]).abs().max() > 1e-3


def test_the_semantic_path_can_be_skipped_without_changing_the_mask(network: SegSam, images, batch_of):
    prompts = batch_of([BOX])
    features = network.encode(images)
    binary_only = network.decode(features, prompts, with_semantics=False)
    assert binary_only.semantic is None
    assert torch.equal(binary_only.binary.mask_logits, network.decode(features, prompts).binary.mask_logits)


def test_the_class_descriptions_have_a_say_in_the_answer(network: SegSam, images, batch_of):
    before = _decode(network, images, batch_of([CLICK]))
    network.text_embeddings = network.text_embeddings.flip(0)
    after = _decode(network, images, batch_of([CLICK]))
    assert before.semantic is not None and after.semantic is not None
    assert (before.semantic.semantic_logits - after.semantic.semantic_logits).abs().max() > 1e-4
    assert torch.equal(before.binary.mask_logits, after.binary.mask_logits)


def test_text_embeddings_of_another_shape_are_refused_naming_both(config: SegSamConfig):
    with pytest.raises(ValueError, match=r"\(3, 384\).*\(5, 384\)"):
        SegSam(config, torch.zeros(3, 384))


def test_every_parameter_learns(network: SegSam, images, batch_of):
    output = network.decode(network.encode(images), batch_of([BOX, CLICKS, CLICK], images=[0, 1, 1]))
    sum((tensor.square().sum() for tensor in _tensors(output)), torch.zeros(())).backward()
    idle = {name for name, parameter in network.named_parameters() if parameter.grad is None}
    # SAM's token for "no point" only fills up rows, and padding is not looked at.
    assert idle == set()
    still = {name for name, parameter in network.named_parameters() if not parameter.grad.any()}
    assert still == {"prompt_encoder.not_a_point_embed.weight"}


def _decode(network: SegSam, images: torch.Tensor, prompts: PromptBatch) -> SegSamOutput:
    with torch.no_grad():
        return network.decode(network.encode(images), prompts)


def _tensors(output: SegSamOutput) -> list[torch.Tensor]:
    assert output.semantic is not None and output.semantic.presence_logits is not None
    return [
        output.binary.mask_logits,
        output.binary.predicted_iou,
        output.semantic.semantic_logits,
        output.semantic.presence_logits,
    ]
