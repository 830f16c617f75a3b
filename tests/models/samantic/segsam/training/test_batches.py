from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from samantic.datasets.labelled_view import LabelledView
from samantic.segsam.losses import NO_CLASS
from samantic.segsam.training import batches
from samantic.segsam.training.batches import SMALLEST_OBJECT, BatchBuilder, TrainingBatch, unlabelled_region
from samantic.vocabulary import load_vocabulary

CLASS_NAMES = ("liver", "kidney_left", "spleen", "skin_lesion", "breast_lesion", "hippocampus_anterior")
SIZE = 64


@pytest.fixture
def builder() -> BatchBuilder:
    return BatchBuilder(CLASS_NAMES, load_vocabulary(), SIZE, objects_per_image=3, unknown_share=0)


def _row(batch: TrainingBatch, index: int) -> tuple[dict[str, bool], dict[str, bool]]:
    """What is known of, and what is present, around one object, by class name."""
    known, present = batch.targets.known[index].tolist(), batch.targets.present[index].tolist()
    return dict(zip(CLASS_NAMES, known, strict=True)), dict(zip(CLASS_NAMES, present, strict=True))


def test_classes_that_a_set_does_not_label_are_unknown_in_their_domain_and_absent_in_others(builder, square_view):
    batch = builder.build([square_view], np.random.default_rng(0))
    assert batch is not None
    known, present = _row(batch, 0)
    # The set labels liver and left kidney. A CT can show a spleen that nobody marked, but no lesion of the skin.
    assert known == {
        "liver": True,
        "kidney_left": True,
        "spleen": False,
        "skin_lesion": True,
        "breast_lesion": True,
        "hippocampus_anterior": True,
    }
    assert [name for name, there in present.items() if there] == ["liver"]


def test_objects_know_their_image_and_their_class(builder, square_view, disc_view):
    batch = builder.build([square_view, disc_view, square_view], np.random.default_rng(0))
    assert batch is not None
    assert batch.images.shape == (3, 3, SIZE, SIZE)
    assert batch.objects.shape == (3, SIZE // 2, SIZE // 2) and batch.objects.dtype == bool
    assert batch.image_index.tolist() == [0, 1, 2]
    assert [CLASS_NAMES[index] for index in batch.targets.class_index] == ["liver", "skin_lesion", "liver"]
    for image, mask in zip(batch.images, batch.objects, strict=True):
        coarse = image.mean(dim=0).reshape(SIZE // 2, 2, SIZE // 2, 2).mean(dim=(1, 3)).numpy()
        assert coarse[mask].mean() > coarse[~mask].mean() + 60


def test_no_more_objects_are_drawn_from_an_image_than_asked_for():
    labels = np.zeros((64, 64), dtype=np.int16)
    for value, (row, column) in enumerate([(8, 8), (8, 36), (36, 8)], start=1):
        labels[row : row + 20, column : column + 20] = value
    image = np.full((64, 64, 3), 90, dtype=np.uint8)
    view = LabelledView("three", "ct", image, labels, ("liver", "kidney_left", "spleen"))
    builder = BatchBuilder(CLASS_NAMES, load_vocabulary(), SIZE, objects_per_image=2, unknown_share=0)
    seen = set()
    for seed in range(20):
        batch = builder.build([view], np.random.default_rng(seed))
        assert batch is not None and len(batch.objects) <= 2
        indices = batch.targets.class_index.tolist()
        assert len(set(indices)) == len(indices)
        seen.update(indices)
        # All objects of an image share what is there, the chosen and the others.
        assert (batch.targets.present == batch.targets.present[0]).all()
    assert seen == {0, 1, 2}


def test_an_object_is_the_whole_class_or_one_of_its_connected_parts(builder):
    labels = np.zeros((64, 64), dtype=np.int16)
    labels[10:30, 6:28] = labels[34:56, 36:60] = 1
    image = np.full((64, 64, 3), 90, dtype=np.uint8)
    view = LabelledView("two parts", "ct", image, labels, ("liver",))
    counts = set()
    for seed in range(30):
        batch = builder.build([view], np.random.default_rng(seed))
        if batch is not None:
            assert batch.objects[0].sum() >= SMALLEST_OBJECT
            counts.add(ndimage.label(batch.objects[0])[1])
    assert counts == {1, 2}


def test_views_without_an_object_large_enough_give_no_batch(builder, square_view):
    tiny = np.zeros_like(square_view.labels)
    tiny[30, 40] = 1
    empty = replace(square_view, labels=np.zeros_like(tiny))
    assert builder.build([empty, replace(square_view, labels=tiny)], np.random.default_rng(1)) is None


def test_a_class_of_which_only_a_sliver_is_seen_is_unknown_and_not_absent(builder, square_view):
    labels = square_view.labels.copy()
    labels[3:6, 3:6] = 2
    seen = []
    for seed in range(20):
        batch = builder.build([replace(square_view, labels=labels)], np.random.default_rng(seed))
        assert batch is not None
        known, present = _row(batch, 0)
        seen.append((known["kidney_left"], present["kidney_left"]))
    # Zoomed into it is large enough to be there, moved out of the picture it is absent.
    assert seen.count((False, False)) > 8
    assert (False, True) not in seen
    assert (True, True) in seen


def test_a_view_without_objects_takes_no_place_in_the_batch(builder, square_view, disc_view):
    empty = replace(square_view, labels=np.zeros_like(square_view.labels))
    batch = builder.build([empty, disc_view], np.random.default_rng(0))
    assert batch is not None
    assert len(batch.images) == 1
    assert batch.image_index.tolist() == [0]


def test_tissue_without_a_label_is_prompted_now_and_then_and_has_no_class():
    image = np.full((64, 64, 3), 90, dtype=np.uint8)
    labels = np.zeros((64, 64), dtype=np.int16)
    labels[5:25, 5:25] = 1
    view = LabelledView("half", "ct", image, labels, ("liver",))
    builder = BatchBuilder(CLASS_NAMES, load_vocabulary(), SIZE, objects_per_image=3, unknown_share=1)
    found = 0
    for seed in range(20):
        batch = builder.build([view], np.random.default_rng(seed))
        assert batch is not None
        nameless = ~batch.is_structure.numpy()
        assert (batch.targets.class_index.numpy()[nameless] == NO_CLASS).all()
        for region in batch.objects[nameless]:
            found += 1
            assert region.sum() >= SMALLEST_OBJECT
            assert not (region & batch.objects[~nameless].any(axis=0)).any()
    assert found > 8


def test_the_frame_of_a_picture_is_no_tissue():
    black = np.zeros((32, 32))
    assert unlabelled_region(black, np.zeros((32, 32), dtype=bool), np.random.default_rng(0)) is None


def test_most_slices_of_a_one_patient_volume_show_another_patient(square_view, monkeypatch: pytest.MonkeyPatch):
    made: list[str] = []

    def synthesise(view: LabelledView, _random: np.random.Generator) -> LabelledView:
        made.append(view.image_id)
        return view

    monkeypatch.setattr(batches, "synthesise", synthesise)
    builder = BatchBuilder(CLASS_NAMES, load_vocabulary(), SIZE, objects_per_image=3, synthesis_share=0.7)
    only = replace(square_view, image_id="example_ct/axis2-7")
    for seed in range(50):
        builder.build([only, square_view], np.random.default_rng(seed))
    assert set(made) == {"example_ct/axis2-7"}
    assert 25 < len(made) < 45


def test_classes_that_the_network_does_not_know_are_passed_over(builder, square_view):
    other = replace(square_view, class_names=("stomach",))
    assert builder.build([other], np.random.default_rng(0)) is None


def test_the_same_seed_builds_the_same_batch(builder, square_view, disc_view):
    first, again = (builder.build([square_view, disc_view], np.random.default_rng(4)) for _ in range(2))
    assert first is not None and again is not None
    assert first.images.equal(again.images)
    assert np.array_equal(first.objects, again.objects)
