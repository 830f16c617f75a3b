"""The parts fit together, whatever they are, and each does what the method says."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from samantic.breast import BreastConfig, BreastNetwork
from samantic.breast.classifiers import MaskGuidedClassifier
from samantic.sam.registry import ENCODERS
from samantic.sam.tiny_encoder import TinyEncoder


@pytest.fixture
def small_tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """An encoder of the shape of `tiny`, in small."""
    build = partial(TinyEncoder, image_size=64, embedding_dim=64, widths=(8, 16, 32, 64), depths=(1, 1, 1))
    monkeypatch.setitem(ENCODERS, "small_tiny", build)


@pytest.mark.usefixtures("small_vits", "small_tiny")
@pytest.mark.parametrize("head", ["unet", "conv"])
@pytest.mark.parametrize("classifier", ["mask_guided", "plain"])
@pytest.mark.parametrize("encoder", ["folded", "small_tiny", "small_vit", "small_medsam"])
def test_any_encoder_head_and_classifier_answer_in_the_size_of_the_input(encoder: str, head: str, classifier: str):
    torch.manual_seed(0)
    network = BreastNetwork(BreastConfig(encoder=encoder, head=head, classifier=classifier)).train()
    side = network.image_size
    found = network(torch.rand(2, 1, side, side))
    assert found.mask_logits.shape == (2, 1, side, side) and found.class_logits.shape == (2, 3)
    attention = found.attention.detach()
    assert attention.shape[:2] == (2, 1) and 0 <= float(attention.min()) <= float(attention.max()) <= 1
    (found.mask_logits.mean() + found.class_logits.square().mean()).backward()
    still = [name for name, weight in network.named_parameters() if weight.requires_grad and weight.grad is None]
    if head == "unet":
        # Every part of the encoder is used, the taps of a ViT as well.
        assert not still
    assert any(
        parameter.grad.abs().sum() > 0 for parameter in network.encoder.parameters() if parameter.grad is not None
    )


def test_the_decoder_with_skips_sees_what_the_embedding_alone_does_not():
    torch.manual_seed(0)
    network = BreastNetwork(BreastConfig(image_size=64)).eval()
    with torch.no_grad():
        maps = network.encode(torch.rand(1, 1, 64, 64))
        before = network.decode(maps).mask_logits
        after = network.decode({**maps, "stride4": maps["stride4"] + 1}).mask_logits
    assert not torch.allclose(before, after)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"encoder": "resnet"}, "no encoder of breast ultrasound; choose one of folded, tiny"),
        ({"image_size": 100}, "multiple of 32"),
        ({"encoder": "vit_b", "image_size": 256}, "1024"),
        ({"head": "none"}, "head must be unet or conv"),
        ({"classifier": "none"}, "classifier must be mask_guided or plain"),
        ({"dropout": 1.0}, "dropout must be"),
        ({"hidden": 0}, "hidden must be"),
    ],
)
def test_parts_that_do_not_fit_are_refused(config: dict, said: str):
    with pytest.raises(ValueError, match=said):
        BreastNetwork(BreastConfig(**config))


def test_a_picture_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"reads \(B, 1, 64, 64\)"):
        BreastNetwork(BreastConfig(image_size=64))(torch.rand(1, 1, 32, 32))


class TestMaskGuidedAttention:
    def test_what_lies_outside_the_mask_counts_little_and_what_lies_inside_much(self):
        torch.manual_seed(1)
        classifier = MaskGuidedClassifier(8, 16, 0.0).eval()
        features = torch.randn(1, 8, 8, 8)
        logits = torch.full((1, 1, 32, 32), -20.0)
        logits[..., 8:16, 8:16] = 20.0

        def change(rows: slice, columns: slice) -> float:
            other = features.clone()
            other[..., rows, columns] += 1.5 * torch.randn(8, 1, 1)
            return float((classifier(other, logits)[0] - classifier(features, logits)[0]).abs().sum().detach())

        inside = np.mean([change(slice(2, 4), slice(2, 4)) for _ in range(12)])
        outside = np.mean([change(slice(5, 7), slice(5, 7)) for _ in range(12)])
        assert inside > 3 * outside > 0

    def test_without_a_lesion_nothing_is_divided_by_zero(self):
        classifier = MaskGuidedClassifier(8, 16, 0.0)
        logits, attention = classifier(torch.randn(2, 8, 4, 4), torch.full((2, 1, 16, 16), -1e4))
        assert torch.isfinite(logits).all() and float(attention.max()) == 0

    def test_the_diagnosis_teaches_the_mask_only_when_it_may(self):
        torch.manual_seed(2)
        network = BreastNetwork(BreastConfig(image_size=64, dropout=0.0)).train()
        for learns in (False, True):
            network.zero_grad()
            network(torch.rand(2, 1, 64, 64), attention_learns=learns).class_logits.square().sum().backward()
            taught = any(
                weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.head.parameters()
            )
            assert taught is learns
