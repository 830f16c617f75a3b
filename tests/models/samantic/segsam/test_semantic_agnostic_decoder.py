"""SAM's checkpoints must fit: the same parameter names, the same masks."""

from __future__ import annotations

import itertools

import pytest
import torch
from segment_anything.modeling import MaskDecoder, TwoWayTransformer
from segment_anything.modeling import PromptEncoder as SamPromptEncoder

from samantic.segsam.prompt_encoder import EncodedPrompts, PromptEncoder
from samantic.segsam.semantic_agnostic_decoder import SemanticAgnosticDecoder


@pytest.fixture(scope="module")
def sam_decoder() -> MaskDecoder:
    torch.manual_seed(0)
    transformer = TwoWayTransformer(depth=2, embedding_dim=256, num_heads=8, mlp_dim=2048)
    decoder = MaskDecoder(transformer_dim=256, transformer=transformer, iou_head_depth=3, iou_head_hidden_dim=256)
    return decoder.eval()


@pytest.fixture(scope="module")
def decoder(sam_decoder: MaskDecoder) -> SemanticAgnosticDecoder:
    decoder = SemanticAgnosticDecoder(embedding_dim=256, mlp_dim=2048, with_fine_path=False).eval()
    decoder.load_state_dict(sam_decoder.state_dict())
    return decoder


def test_it_has_exactly_sams_parameters(decoder: SemanticAgnosticDecoder, sam_decoder: MaskDecoder):
    sam_shapes = {name: tensor.shape for name, tensor in sam_decoder.state_dict().items()}
    assert {name: tensor.shape for name, tensor in decoder.state_dict().items()} == sam_shapes


@torch.inference_mode()
def test_with_sams_weights_it_gives_sams_masks(decoder: SemanticAgnosticDecoder, sam_decoder: MaskDecoder):
    torch.manual_seed(1)
    sam_prompts = SamPromptEncoder(256, (64, 64), (1024, 1024), 16).eval()
    prompts = PromptEncoder(256, (64, 64), (1024, 1024), 16).eval()
    prompts.load_state_dict(sam_prompts.state_dict())
    image, position = torch.randn(1, 256, 64, 64), sam_prompts.get_dense_pe()
    sparse, dense = sam_prompts(None, torch.tensor([[100.0, 200.0, 700.0, 640.0], [5.0, 900.0, 77.0, 1000.0]]), None)
    singles = sam_decoder(image, position, sparse, dense, multimask_output=False)
    triples = sam_decoder(image, position, sparse, dense, multimask_output=True)

    encoded = EncodedPrompts(sparse, torch.zeros(2, 2, dtype=torch.bool), dense, None)
    found = decoder({"image_embedding": image}, prompts.get_dense_pe(), encoded, torch.zeros(2).long())
    torch.testing.assert_close(found.mask_logits, torch.cat([singles[0], triples[0]], dim=1), atol=1e-4, rtol=0)
    torch.testing.assert_close(found.predicted_iou, torch.cat([singles[1], triples[1]], dim=1), atol=1e-4, rtol=0)


@torch.inference_mode()
def test_fine_feature_maps_reach_the_mask():
    torch.manual_seed(2)
    decoder = SemanticAgnosticDecoder(embedding_dim=64, mlp_dim=64, with_fine_path=True).eval()
    encoded = EncodedPrompts(
        torch.randn(1, 2, 64), torch.zeros(1, 2, dtype=torch.bool), torch.randn(1, 64, 8, 8), torch.randn(1, 16, 16, 16)
    )
    features = {"image_embedding": torch.randn(1, 64, 8, 8)}
    position, index = torch.randn(1, 64, 8, 8), torch.zeros(1).long()
    answers = [decoder(features, position, encoded, index).mask_logits]
    features = {**features, "skip_stride4": torch.randn(1, 16, 16, 16)}
    answers.append(decoder(features, position, encoded, index).mask_logits)
    features = {**features, "skip_stride2": torch.randn(1, 8, 32, 32)}
    answers.append(decoder(features, position, encoded, index).mask_logits)
    plain = EncodedPrompts(encoded.sparse, encoded.is_padding, encoded.dense, None)
    answers.append(decoder(features, position, plain, index).mask_logits)
    for first, second in itertools.pairwise(answers):
        assert first.shape == (1, 4, 32, 32)
        assert (first - second).abs().max() > 1e-3
