"""On SAM's weights SEG-SAM's binary path answers as `segment_anything` does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from segment_anything import SamPredictor
from segment_anything.modeling import Sam

from samantic.segsam import SegSam, SegSamPredictor, ViewPrompts, load_network, save_network
from samantic.segsam.prompt_batch import PADDING, PromptBatch
from samantic.segsam.published_weights import load_published, sam_config

pytestmark = pytest.mark.usefixtures("small_vits")

GRID = 32
BOX = [(20.0, 14.5, 2), (90.0, 80.0, 3)]
POINT = [(60.0, 30.0, 1)]
MASK = torch.randn(1, 1, GRID, GRID, generator=torch.Generator().manual_seed(5))
CASES = {
    "box": (BOX, None),
    "point": (POINT, None),
    "two points": ([*POINT, (100.0, 9.0, 0)], None),
    "point and box": ([*POINT, *BOX], None),
    "box and mask": (BOX, MASK),
    "point and mask": (POINT, MASK),
    "mask": ([], MASK),
}


@pytest.fixture(scope="module")
def network(small_sam: Sam, small_vits: None) -> SegSam:  # noqa: ARG001
    network = SegSam(sam_config(("liver", "spleen"), "small_vit")).eval()
    load_published(network, small_sam.state_dict())
    return network


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """Noise of 96 rows and 128 columns: the small SAM's input without scaling, padded below."""
    return np.random.default_rng(1).integers(0, 256, size=(96, 128, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def features(network: SegSam, picture: np.ndarray):
    with torch.no_grad():
        return network.encode(network.input_transform((96, 128), (1.0, 1.0)).image(picture))


def _of_sam(
    sam: Sam, picture: np.ndarray, tokens: list, mask: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """All four masks (4, g, g) and their predicted IoU (4,)."""
    given = {"image": torch.from_numpy(picture).permute(2, 0, 1).float(), "original_size": picture.shape[:2]}
    points = [token for token in tokens if token[2] < 2]
    corners = [coordinate for x, y, label in tokens if label >= 2 for coordinate in (x, y)]
    if points:
        given["point_coords"] = torch.tensor([[point[:2] for point in points]])
        given["point_labels"] = torch.tensor([[point[2] for point in points]])
    if corners:
        given["boxes"] = torch.tensor([corners])
    if mask is not None:
        given["mask_inputs"] = mask
    (single,), (multiple,) = sam([given], multimask_output=False), sam([given], multimask_output=True)
    return (
        torch.cat([single["low_res_logits"], multiple["low_res_logits"]], dim=1)[0],
        torch.cat([single["iou_predictions"], multiple["iou_predictions"]], dim=1)[0],
    )


def _batch(cases: list[tuple[list, torch.Tensor | None]], batch_of) -> PromptBatch:
    prompts = batch_of([tokens or [(0.0, 0.0, PADDING)] for tokens, _ in cases], grid=GRID)
    return replace(
        prompts,
        mask_logits=torch.cat([torch.zeros(1, 1, GRID, GRID) if mask is None else mask for _, mask in cases]),
        has_mask=torch.tensor([mask is not None for _, mask in cases]),
    )


def test_the_image_embedding_is_sams(features, small_sam, picture):
    with torch.no_grad():
        pixels = torch.from_numpy(picture).permute(2, 0, 1).float()
        expected = small_sam.image_encoder(small_sam.preprocess(pixels)[None])
    torch.testing.assert_close(features["image_embedding"], expected, atol=1e-4, rtol=0)
    assert expected.std() > 0.1


@pytest.mark.parametrize("name", CASES)
def test_masks_and_quality_are_sams(name, network, features, small_sam, picture, batch_of):
    logits, quality = _of_sam(small_sam, picture, *CASES[name])
    with torch.no_grad():
        found = network.segment(features, _batch([CASES[name]], batch_of))
    assert logits.std() > 0.1
    torch.testing.assert_close(found.mask_logits[0], logits, atol=1e-4, rtol=0)
    torch.testing.assert_close(found.predicted_iou[0], quality, atol=1e-4, rtol=0)


def test_objects_prompted_differently_keep_sams_answers_in_one_batch(network, features, small_sam, picture, batch_of):
    with torch.no_grad():
        found = network.segment(features, _batch(list(CASES.values()), batch_of))
    for row, case in enumerate(CASES.values()):
        logits, quality = _of_sam(small_sam, picture, *case)
        torch.testing.assert_close(found.mask_logits[row], logits, atol=1e-4, rtol=0)
        torch.testing.assert_close(found.predicted_iou[row], quality, atol=1e-4, rtol=0)


def test_the_semantic_path_does_not_change_the_masks(network, features, batch_of):
    prompts = _batch([CASES["point"]], batch_of)
    with torch.no_grad():
        output = network.decode(features, prompts)
        assert torch.equal(output.binary.mask_logits, network.segment(features, prompts).mask_logits)
    assert output.semantic is not None and output.semantic.semantic_logits.shape[:2] == (1, 3)


def test_a_checkpoint_answers_as_sams_own_predictor(small_sam, picture, tmp_path):
    adopted = SegSam(sam_config(encoder="small_vit"))
    load_published(adopted, small_sam.state_dict())
    save_network(adopted, tmp_path / "adopted.safetensors", dtype=torch.float32)
    ours = SegSamPredictor.from_checkpoint(tmp_path / "adopted.safetensors", device="cpu")
    ours.set_image(picture)
    sams = SamPredictor(small_sam)
    sams.set_image(picture)
    # SAM names pixels by their centres; our boxes are edges.
    _, quality, low_res = sams.predict(box=np.array([19.5, 9.5, 99.5, 69.5]), multimask_output=False)
    (found,) = ours.predict([ViewPrompts(np.zeros((0, 2)), np.zeros(0, dtype=int), (20.0, 10.0, 100.0, 70.0))])
    mask, *_ = sams.predict(box=np.array([19.5, 9.5, 99.5, 69.5]), multimask_output=False, return_logits=True)
    np.testing.assert_allclose(found.mask_logits, mask[0], atol=1e-4)
    assert found.predicted_iou == pytest.approx(float(np.clip(quality[0], 0, 1)), abs=1e-4)
    assert (found.class_probabilities, found.predicted_class, found.presence) == ({}, "", {})
    assert ours.class_names == ()
    assert low_res.shape == (1, GRID, GRID)


def test_pictures_are_laid_into_the_input_as_sam_lays_them(network, small_sam):
    predictor, seen = SamPredictor(small_sam), []
    handle = small_sam.image_encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    picture = np.kron(np.random.default_rng(2).integers(0, 256, size=(6, 10, 3)), np.ones((30, 30, 1))).astype(np.uint8)
    predictor.set_image(picture)
    handle.remove()
    transform = network.input_transform((180, 300), (0.7, 0.7))
    ours = (transform.image(picture) - network.pixel_mean) / network.pixel_std
    assert ours.shape == seen[0].shape
    # SAM rounds to whole grey levels in between.
    torch.testing.assert_close(ours, seen[0], atol=2 / 57, rtol=0)
    assert not ours[:, :, transform.inner_shape[0] :].abs().max() > 1e-5
    # SAM scales a point without regard to half pixels: that much it may differ.
    point = np.array([[250.0, 20.0]])
    expected = predictor.transform.apply_coords(point, (180, 300))
    np.testing.assert_allclose(transform.points(point), expected, atol=0.5)


def test_pictures_are_laid_into_the_input_as_medsam_lays_them(small_sam):
    network = SegSam(sam_config(encoder="small_medsam"))
    load_published(network, small_sam.state_dict())
    picture = np.random.default_rng(2).integers(10, 200, size=(128, 128, 3), dtype=np.uint8)
    transform = network.input_transform((128, 128), (1.0, 1.0))
    scaled = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
    scaled = (scaled - scaled.min()) / (scaled.max() - scaled.min())
    with torch.no_grad():
        found = network.encode(transform.image(picture))["image_embedding"]
        torch.testing.assert_close(found, small_sam.image_encoder(scaled), atol=1e-4, rtol=0)
    wide = network.input_transform((40, 160), (1.0, 1.0))
    assert wide.inner_shape == (128, 128) and wide.offset_yx == (0, 0)
    # The box of MedSAM's own inference: coordinates over width and height, times the input's side.
    np.testing.assert_allclose(wide.points(np.array([[39.5, 9.5]])), [[31.5, 31.5]])


def test_a_picture_of_one_colour_is_no_division_by_zero(small_sam):
    network = SegSam(sam_config(encoder="small_medsam"))
    load_published(network, small_sam.state_dict())
    with torch.no_grad():
        assert network.encode(torch.full((1, 3, 128, 128), 77.0))["image_embedding"].isfinite().all()


@pytest.mark.slow
def test_vit_b_at_its_true_size_segments_and_names_from_a_checkpoint(tmp_path):
    torch.manual_seed(0)
    save_network(SegSam(sam_config(("liver", "spleen"))), tmp_path / "vit_b.safetensors")
    assert (tmp_path / "vit_b.safetensors").stat().st_size < 260e6
    predictor = SegSamPredictor(load_network(tmp_path / "vit_b.safetensors"), "hash", device="cpu")
    (tmp_path / "vit_b.safetensors").unlink()
    features = predictor.encode(np.random.default_rng(0).integers(0, 256, size=(300, 400, 3), dtype=np.uint8))
    assert features.maps["image_embedding"].shape == (1, 256, 64, 64)
    (answer,) = predictor.decode(features, [ViewPrompts(np.array([[200.0, 100.0]]), np.array([1]))])
    assert answer.mask.shape == (300, 400)
    assert np.isfinite(answer.mask_logits).all() and answer.mask_logits.std() > 0
    assert sum(answer.class_probabilities.values()) == pytest.approx(1, abs=1e-4)
