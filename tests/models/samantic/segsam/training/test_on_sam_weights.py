"""The semantic path learns over SAM's encoder, which stays as it was published."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from segment_anything.modeling import Sam

from samantic.segsam import SegSam, SegSamPredictor, ViewPrompts, save_network
from samantic.segsam.published_weights import load_published, sam_config
from samantic.segsam.training.batches import BatchBuilder
from samantic.segsam.training.fit import FitOptions, fit, text_vectors
from samantic.segsam.training.rounds import training_loss
from samantic.vocabulary import load_vocabulary

pytestmark = pytest.mark.usefixtures("small_vits")

CLASS_NAMES = ("liver", "kidney_left", "skin_lesion")


def test_a_step_teaches_everything_but_the_frozen_encoder(small_sam: Sam, square_view, disc_view):
    network = SegSam(sam_config(CLASS_NAMES, "small_vit"), text_vectors(CLASS_NAMES))
    load_published(network, small_sam.state_dict())
    network.freeze_encoder()
    builder = BatchBuilder(CLASS_NAMES, load_vocabulary(), network.image_size, 3, network.low_resolution_size, 0.0)
    batch = builder.build([square_view, disc_view], np.random.default_rng(0))
    assert batch is not None and batch.objects.shape[1:] == (32, 32)
    learned: set[str] = set()
    for seed in range(3):
        loss, parts = training_loss(network, batch, 1.0, np.random.default_rng(seed))
        assert {"binary_0", "semantic", "presence", "alignment"} <= parts.keys()
        loss.backward()
        learned |= {name for name, p in network.named_parameters() if p.grad is not None and p.grad.any()}
    assert not any(name.startswith("encoder.") for name in learned)
    silent = {name for name, _ in network.named_parameters() if not name.startswith("encoder.")} - learned
    # Of the three alternatives for an ambiguous click only the best one learns; nothing called for a background click.
    silent = {name for name in silent if "output_hypernetworks_mlps" not in name}
    assert silent <= {"prompt_encoder.point_embeddings.0.weight"}


def test_a_run_starts_from_adopted_weights_and_ends_with_names(small_sam: Sam, square_view, disc_view, tmp_path):
    adopted = SegSam(sam_config(encoder="small_vit"))
    load_published(adopted, small_sam.state_dict())
    save_network(adopted, tmp_path / "adopted.safetensors", dtype=torch.float32)
    fit(
        sam_config(CLASS_NAMES, "small_vit"),
        {"square": [square_view], "disc": [disc_view]},
        {"square": 0.5, "disc": 0.5},
        FitOptions(steps=2, batch_size=2),
        tmp_path / "run",
        initial_weights=tmp_path / "adopted.safetensors",
        freeze_encoder=True,
    )
    predictor = SegSamPredictor.from_checkpoint(tmp_path / "run" / "segsam.safetensors", device="cpu")
    published = small_sam.image_encoder.state_dict()
    for name, tensor in predictor.network.encoder.image_encoder.state_dict().items():
        assert torch.equal(tensor, published[name].half().float()), name
    predictor.set_image(disc_view.image)
    (answer,) = predictor.predict([ViewPrompts(np.array([[36.0, 30.0]]), np.array([1]))])
    assert answer.mask.shape == disc_view.labels.shape
    assert answer.class_probabilities.keys() == set(CLASS_NAMES)
