from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from samantic.datasets.labelled_view import LabelledView
from samantic.skinphoto.classes import BACKGROUND, LESION, SKIN
from samantic.skinphoto.composites import Composite, LesionPatch, draw_composite, lesion_patches
from samantic.skinphoto.composites.lesions import clinical_look
from samantic.skinphoto.composites.skin import TONES, skin_tone


@pytest.fixture(scope="module")
def drawn(lesions: list[LesionPatch]) -> list[Composite]:
    return [draw_composite(np.random.default_rng((1, number)), lesions, (72, 96)) for number in range(60)]


def test_the_same_seed_draws_the_same_and_another_one_another(lesions: list[LesionPatch], drawn: list[Composite]):
    again = draw_composite(np.random.default_rng((1, 5)), lesions, (72, 96))
    np.testing.assert_array_equal(again.image, drawn[5].image)
    np.testing.assert_array_equal(again.labels, drawn[5].labels)
    assert (drawn[5].image != drawn[6].image).any()


def test_pictures_and_labels_are_of_the_shape_that_was_asked_for(drawn: list[Composite]):
    for one in drawn:
        assert (one.image.shape, one.image.dtype) == ((72, 96, 3), np.uint8)
        assert (one.labels.shape, one.labels.dtype) == ((72, 96), np.uint8)
        assert set(np.unique(one.labels)) <= {BACKGROUND, SKIN, LESION}


def test_close_ups_pictures_without_a_person_and_healthy_skin_are_among_them(drawn: list[Composite]):
    skin = np.array([(one.labels != BACKGROUND).mean() for one in drawn])
    lesion = np.array([(one.labels == LESION).mean() for one in drawn])
    assert (skin == 1).any() and (skin < 0.5).any() and (lesion > 0.15).any()
    assert ((lesion == 0) & (skin > 0.3)).any()


def test_lesions_can_be_told_from_the_skin_beside_them(drawn: list[Composite]):
    contrasts = []
    for one in drawn:
        lesion, skin = one.image[one.labels == LESION], one.image[one.labels == SKIN]
        if len(lesion) > 100 and len(skin) > 100:
            contrasts.append(np.abs(lesion.mean(axis=0) - skin.mean(axis=0)).max())
    assert len(contrasts) > 15 and np.median(contrasts) > 15


def test_lesions_are_named_by_where_they_are_from(lesions: list[LesionPatch], drawn: list[Composite]):
    known = {lesion.image_id for lesion in lesions}
    assert {name for one in drawn for name in one.lesion_ids} == known
    assert all(one.lesion_ids for one in drawn if (one.labels == LESION).any())


def test_skin_tones_reach_from_very_light_to_very_dark():
    random = np.random.default_rng(0)
    tones = np.array([skin_tone(random).mean() for _ in range(400)])
    assert tones.min() < 0.16 and tones.max() > 0.85
    lightest, darkest = max(map(sum, TONES)), min(map(sum, TONES))
    thirds = np.histogram(tones, 3, (darkest / 765, lightest / 765))[0]
    assert thirds.min() > 40


def test_a_lesion_loses_the_bright_rim_of_a_generous_outline():
    ratio = np.full((20, 20, 3), 0.4, np.float32)
    ratio[:3] = 1.1
    for seed in range(20):
        look = clinical_look(np.random.default_rng(seed), ratio, np.ones((20, 20)), np.full(3, 0.8, np.float32))
        # Scales are at most as light as their white over the tone of the skin.
        assert look[:3, :, 1].max() <= 0.9 / 0.8 + 1e-3


def test_lesions_that_the_picture_cuts_or_fills_are_left_out(lesion_views: Callable[..., list[LabelledView]]):
    view = lesion_views(1, shape=(96, 128))[0]
    for labels in (
        np.zeros((96, 128), np.int16),
        np.ones((96, 128), np.int16),
        (np.arange(128) < 40) * np.ones((96, 1)),
    ):
        other = LabelledView("other", "dermoscopy", view.image, labels.astype(np.int16), ("skin_lesion",))
        assert lesion_patches([view, other])[0].image_id == view.image_id
        assert len(lesion_patches([view, other])) == 1


def test_without_lesions_or_room_nothing_is_drawn(lesions: list[LesionPatch]):
    with pytest.raises(ValueError, match="no lesion"):
        draw_composite(np.random.default_rng(0), [], (64, 64))
    with pytest.raises(ValueError, match="at least 32 pixels"):
        draw_composite(np.random.default_rng(0), lesions, (31, 64))
