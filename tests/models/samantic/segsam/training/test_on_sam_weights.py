"""The semantic path learns over SAM's encoder, which stays as it was published."""

from __future__ import annotations

import numpy as np
import pytest
from segment_anything.modeling import Sam

from samantic.segsam import SegSam
from samantic.segsam.published_weights import load_published, sam_config
from samantic.segsam.training.batches import BatchBuilder
from samantic.segsam.training.fit import text_vectors
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
