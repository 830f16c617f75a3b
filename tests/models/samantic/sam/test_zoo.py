"""The zoo: every entry is complete, and names resolve."""

import re

import pytest

from samantic.sam import UnknownCheckpointError, find_checkpoint, load_zoo
from samantic.sam.registry import ENCODERS


def test_the_zoo_holds_sam_in_three_sizes_and_medsam():
    assert [checkpoint.name for checkpoint in load_zoo()] == ["sam_vit_b", "sam_vit_l", "sam_vit_h", "medsam_vit_b"]


@pytest.mark.parametrize("checkpoint", load_zoo(), ids=lambda checkpoint: checkpoint.name)
def test_every_checkpoint_is_complete_and_fits_an_encoder(checkpoint):
    assert checkpoint.encoder in ENCODERS
    assert all(url.startswith("https://") and checkpoint.file_name in url for url in checkpoint.urls)
    assert checkpoint.urls
    assert checkpoint.size_bytes > 300_000_000
    assert checkpoint.sha256 is None or re.fullmatch("[0-9a-f]{64}", checkpoint.sha256)
    assert checkpoint.licence in ("Apache-2.0", "CC-BY-4.0")
    assert checkpoint.source.startswith("https://")


def test_sam_s_files_are_those_of_the_published_sizes():
    sizes = {checkpoint.file_name: checkpoint.size_bytes for checkpoint in load_zoo()}
    assert sizes["sam_vit_b_01ec64.pth"] == 375042383
    assert sizes["sam_vit_l_0b3195.pth"] == 1249524607
    assert sizes["sam_vit_h_4b8939.pth"] == 2564550879


def test_an_unknown_checkpoint_is_refused_with_the_nearest_and_all_names():
    with pytest.raises(UnknownCheckpointError) as caught:
        find_checkpoint("sam_vitb")
    assert "did you mean sam_vit_b" in str(caught.value)
    assert "medsam_vit_b" in str(caught.value)
