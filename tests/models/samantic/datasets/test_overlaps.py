from __future__ import annotations

from samantic.datasets.overlaps import seen_in_training, training_overlaps


def test_frames_of_a_held_out_lesion_are_named():
    parts = {
        "train": ["benign_1", "malignant_107", "malignant_42"],
        "val": ["malignant_106"],
        "test": ["malignant_40", "benign_2"],
    }
    assert training_overlaps("busi", parts) == ("malignant_107", "malignant_42")


def test_frames_of_one_lesion_may_all_be_trained_on():
    assert training_overlaps("busi", {"train": ["malignant_106", "malignant_107"], "val": [], "test": []}) == ()


def test_the_other_hippocampus_of_a_held_out_person_is_named():
    parts = {
        "train": ["hippocampus_007", "hippocampus_009", "hippocampus_036"],
        "val": ["hippocampus_035"],
        "test": ["hippocampus_008"],
    }
    assert training_overlaps("msd_hippocampus", parts) == ("hippocampus_007", "hippocampus_036")


def test_a_set_without_known_overlaps_has_none():
    assert training_overlaps("isic2017", {"train": ["ISIC_0000001"], "val": [], "test": ["ISIC_0000002"]}) == ()


def test_held_out_images_of_a_trained_lesion_or_person_are_named():
    lesions = {"train": ["malignant_107", "benign_1"], "val": [], "test": ["malignant_106", "benign_2"]}
    assert seen_in_training("busi", lesions) == ("malignant_106",)
    persons = {"train": ["hippocampus_007"], "val": ["hippocampus_008"], "test": ["hippocampus_009"]}
    assert seen_in_training("msd_hippocampus", persons) == ()
    assert seen_in_training("msd_hippocampus", persons, "val") == ("hippocampus_008",)
