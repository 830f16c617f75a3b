from __future__ import annotations

import pytest

from samantic.sam.image_encoder import ImageEncoder
from samantic.sam.registry import ENCODERS, build_encoder
from samantic.sam.tiny_encoder import TinyEncoder


def test_an_unknown_name_is_refused_listing_all_names():
    with pytest.raises(ValueError, match=r"'vit_x' is not an image encoder") as refusal:
        build_encoder("vit_x")
    assert {"tiny", "vit_b", "vit_l", "vit_h"} <= ENCODERS.keys()
    assert all(name in str(refusal.value) for name in ENCODERS)


def test_the_tiny_encoder_is_built_by_its_name_and_keeps_the_promises_of_an_encoder():
    encoder = build_encoder("tiny")
    assert isinstance(encoder, TinyEncoder)
    assert isinstance(encoder, ImageEncoder)
    assert (encoder.image_size, encoder.embedding_dim, encoder.embedding_size) == (256, 128, 32)


@pytest.mark.parametrize("name", ["vit_b", "vit_l", "vit_h", "medsam_vit_b"])
def test_sams_encoders_refuse_another_size_before_they_are_built(name):
    with pytest.raises(ValueError, match=r"reads pictures of 1024 x 1024 pixels alone.* setting it to 256"):
        build_encoder(name, image_size=256)
