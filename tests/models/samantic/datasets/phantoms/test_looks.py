"""What a radiologist would check first: sides, grey values, contrast, noise."""

from __future__ import annotations

import numpy as np
import pytest

from samantic.datasets import DemoImage, DemoStudy


@pytest.fixture
def abdomen(demo_study: DemoStudy) -> DemoImage:
    return demo_study["ct_abdomen"]


@pytest.fixture
def head(demo_study: DemoStudy) -> DemoImage:
    return demo_study["mr_head"]


def voxels(image: DemoImage, name: str) -> np.ndarray:
    values = {known: value for value, known in image.names.items()}
    return image.truth() == values[name]


def centre_ras(image: DemoImage, name: str) -> np.ndarray:
    middle = np.argwhere(voxels(image, name)).mean(axis=0)
    return (image.volume().affine @ [*middle, 1])[:3]


def test_the_abdomen_has_many_organs_of_very_different_size(abdomen: DemoImage) -> None:
    expected = {
        "liver", "spleen", "kidney_left", "kidney_right", "stomach", "gallbladder", "aorta", "inferior_vena_cava",
        "pancreas", "colon", "urinary_bladder", "spinal_cord", "autochthon_left", "autochthon_right",
        *(f"vertebrae_L{n}" for n in range(1, 6)), "rib_left_10", "rib_right_10",
    }  # fmt: skip
    assert expected <= set(abdomen.names.values())
    sizes = np.bincount(abdomen.truth().ravel())[1:]
    assert sizes.max() > 200 * sizes.min()


@pytest.mark.parametrize(
    ("right", "left"),
    [("liver", "spleen"), ("kidney_right", "kidney_left"), ("inferior_vena_cava", "aorta"), ("gallbladder", "stomach")],
)
def test_sides_are_the_patients(abdomen: DemoImage, right: str, left: str) -> None:
    assert centre_ras(abdomen, right)[0] > centre_ras(abdomen, left)[0] + 10


def test_organs_lie_above_and_before_one_another_as_they_should(abdomen: DemoImage) -> None:
    heights = [
        centre_ras(abdomen, name)[2] for name in ("urinary_bladder", "small_bowel", "pancreas", "liver", "heart")
    ]
    assert heights == sorted(heights)
    depths = [centre_ras(abdomen, name)[1] for name in ("spinal_cord", "vertebrae_L3", "aorta", "small_bowel")]
    assert depths == sorted(depths)


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [
        ("liver", 90, 130), ("spleen", 100, 140), ("kidney_left", 140, 210), ("aorta", 130, 185),
        ("gallbladder", -5, 40), ("urinary_bladder", -5, 30), ("lung_lower_lobe_right", -900, -650),
        ("autochthon_left", 30, 75), ("vertebrae_L3", 150, 450),
    ],
)  # fmt: skip
def test_hounsfield_units_are_those_of_the_tissue(abdomen: DemoImage, name: str, lowest: int, highest: int) -> None:
    values = abdomen.volume().array[voxels(abdomen, name)]
    assert lowest < np.median(values) < highest
    assert values.std() > 10


def test_there_is_air_outside_and_fat_under_the_skin(abdomen: DemoImage) -> None:
    array = abdomen.volume().array
    assert -1024 <= array[:5, :5].mean() < -950
    assert (np.abs(array + 104.0) < 30).sum() > 200_000


def test_the_head_shows_fluid_darker_than_cortex_and_cortex_darker_than_white_matter(head: DemoImage) -> None:
    brain = head.volume().array[voxels(head, "brain")]
    dark, middle, bright = np.percentile(brain, (4, 40, 90))
    assert dark < 0.6 * middle
    assert middle < 0.9 * bright


def test_the_hippocampus_has_its_head_in_front_and_lies_on_both_sides(head: DemoImage) -> None:
    front, back = centre_ras(head, "hippocampus_anterior"), centre_ras(head, "hippocampus_posterior")
    assert front[1] > back[1] + 8
    inside = np.argwhere(voxels(head, "hippocampus_anterior"))
    x = (head.volume().affine @ np.c_[inside, np.ones(len(inside))].T)[0]
    assert (x > 15).any()
    assert (x < -15).any()
    assert not (np.abs(x) < 10).any()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_pigmented_lesion_is_darker_than_the_skin_around_it(demo_study: DemoStudy, number: int) -> None:
    image = demo_study[f"dermoscopy_{number}"]
    grey = image.volume().array.mean(axis=-1)
    inside = voxels(image, "skin_lesion")
    ring = ~inside & (grey > 60)
    assert 0.04 < inside.mean() < 0.5
    assert grey[inside].mean() < 0.85 * grey[ring].mean()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_ultrasound_lesion_returns_less_echo_than_the_gland_and_everything_is_speckled(
    demo_study: DemoStudy, number: int
) -> None:
    image = demo_study[f"ultrasound_{number}"]
    array = image.volume().array
    grey = (array if array.ndim == 3 else array[..., 0]).astype(float)
    inside = voxels(image, "breast_lesion")
    gland = ~inside
    gland[:, :110] = gland[:, 240:] = False
    assert grey[inside].mean() < 0.75 * grey[gland].mean()
    assert grey[gland].std() > 20


def test_tissue_behind_a_dense_lesion_is_in_shadow_and_behind_a_cyst_it_is_bright(demo_study: DemoStudy) -> None:
    behind = {}
    for number in (2, 3):
        image = demo_study[f"ultrasound_{number}"]
        array = image.volume().array
        grey = (array if array.ndim == 3 else array[..., 0])[:, :, 0].astype(float)
        columns = voxels(image, "breast_lesion")[:, :, 0].any(axis=1)
        behind[number] = grey[columns, 255:280].mean() - grey[~columns, 255:280].mean()
    assert behind[2] < -20
    assert behind[3] > 5
