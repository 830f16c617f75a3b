from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from samantic.imaging import read_mask, read_segments, read_volume
from samantic.segsam import SegSamPredictor


def test_a_click_gives_a_mask_in_the_images_grid_an_overlay_and_a_table(run, ct: Path, tmp_path: Path) -> None:
    mask, overlay = tmp_path / "mask.nii.gz", tmp_path / "overlay.png"
    code, output = run("infer", ct, "--point", "20,26,5", "-o", mask, "--overlay", overlay)
    assert code == 0, output
    assert "axial slice 5" in output
    for heading in ("class", "probability", "quality"):
        assert heading in output
    written, image = read_volume(mask), read_volume(ct)
    assert written.shape_ijk == image.shape_ijk
    np.testing.assert_allclose(written.affine, image.affine)
    labels = read_mask(mask, image)
    assert not labels[:, :, [0, 1, 2, 3, 4, 6, 7, 8, 9]].any()
    assert max(Image.open(overlay).size) >= 512


def test_a_box_and_a_class_give_that_class(run, ct: Path, tmp_path: Path) -> None:
    code, output = run("infer", ct, "--box", "8,33,14,39,5,6", "--classes", "spleen", "-o", tmp_path / "mask.seg.nrrd")
    assert code == 0, output
    assert "spleen" in output
    assert "100%" in output
    assert [segment.name for segment in read_segments(tmp_path / "mask.seg.nrrd")] == ["spleen"]


def test_four_numbers_are_a_box_on_the_slice_named(run, ct: Path) -> None:
    six = run("infer", ct, "--box", "8,33,14,39,5,6")
    assert run("infer", ct, "--box", "8,33,14,39", "--slice", "5") == six
    assert six[0] == 0
    code, output = run("infer", ct, "--box", "8,33,3,8", "--slice", "26", "--axis", "1")
    assert code == 0, output
    assert "coronal slice 26" in output


def test_slice_0_is_a_slice(run, ct: Path) -> None:
    code, output = run("infer", ct, "--point", "20,26,0", "--slice", "0")
    assert code == 0, output
    assert "slice 0 along axis 2" in output


def test_two_boxes_are_two_objects(run, ct: Path) -> None:
    code, output = run("infer", ct, "--box", "8,33,14,39,5,6", "--box", "2,8,2,9,5,6")
    assert code == 0, output
    lines = [line.split() for line in output.splitlines()]
    assert [line[0] for line in lines if line and line[0].isdigit()] == ["1", "2"]


def test_a_photograph_takes_x_and_y_and_its_mask_is_a_picture(run, photograph: Path, tmp_path: Path) -> None:
    code, output = run("infer", photograph, "--point", "40,24", "--negative", "5,5", "-o", tmp_path / "mask.png")
    assert code == 0, output
    assert "RGB, photograph" in output
    assert Image.open(tmp_path / "mask.png").size == (64, 48)
    assert run("infer", photograph, "--box", "24,56,8,40")[0] == 0


def test_with_classes_alone_the_whole_slice_is_searched(
    run, photograph: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samantic.cli.automatic.GRID", 4)
    code, output = run("infer", photograph, "--classes", "skin_lesion", "-o", tmp_path / "mask.png")
    assert code == 0, output
    assert set(np.unique(np.asarray(Image.open(tmp_path / "mask.png")))) <= {0, 1}


def test_words_name_a_class(run, ct: Path) -> None:
    code, output = run("infer", ct, "--point", "20,26,5", "--text", "left kidney")
    assert code == 0, output
    assert "kidney_left" in output


@pytest.mark.parametrize(("sure", "familiar"), [(True, True), (False, True), (False, False), (None, None)])
def test_what_the_model_does_not_know_is_said_in_words(
    run, ct: Path, calibrated: Any, monkeypatch: pytest.MonkeyPatch, sure: bool | None, familiar: bool | None
) -> None:
    bundled = SegSamPredictor.from_bundled(device="cpu")
    model = SegSamPredictor(bundled.network, bundled.weights_hash, "cpu")
    if sure is not None:
        model = calibrated(model, sure=sure, familiar=familiar)
    monkeypatch.setattr("samantic.cli.segment.SegSamPredictor.from_bundled", lambda *_: model)
    code, output = run("infer", ct, "--point", "20,26,5", "--classes", "spleen,liver")
    assert code == 0, output
    doubts = ("1 may be spleen, liver or something", "2 may be liver, spleen or something")
    assert any(f"Not sure: {doubt} that the model does not know." in output for doubt in doubts) is (sure is False)
    assert ("This picture is unlike anything that the model was trained on" in output) is (familiar is False)


def test_reading_the_same_twice_answers_the_same(run, ct: Path) -> None:
    assert run("infer", ct, "--point", "20,26,5") == run("infer", ct, "--point", "20,26,5")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "Nothing says what to segment; give --point, --box, or --classes"),
        (("--classes", "liver"), "give --slice, 0 to 9, or a prompt"),
        (("--point", "20,26"), "--point '20,26' has 2 numbers, but it must be i,j,k"),
        (("--point", "20,26,x"), "'x' in '20,26,x' is not a number"),
        (("--point", "20,26,nan"), "finite"),
        (("--point", "48,26,5"), "48"),
        (("--point", "20,26,5", "--negative", "20,26,5"), "marked as foreground and as background"),
        (("--point", "20,26,5", "--point", "20,26,6"), "different slices"),
        (("--point", "20,26,5", "--slice", "6"), "the slice asked for is 6"),
        (("--box", "1,2,3"), "--box '1,2,3' has 3 numbers"),
        (("--point", "20,26,5", "--classes", "livr"), "liver"),
        (("--point", "20,26,5", "--classes", "skin"), "skin"),
        (("--point", "20,26,5", "--window", "wide"), "there is no window 'wide'"),
        (("--point", "20,26,5", "--modality", "PET"), "--modality is 'PET'"),
        (("--point", "20,26,5", "--model", "segsam-huge"), "segsam-huge"),
        (("--point", "20,26,5", "--device", "gpu7"), "--device is 'gpu7'"),
        (("--classes", "liver", "--slice", "10"), "slice 10 lies outside the image"),
        (("--point", "20,26,5", "--axis", "3"), "--axis"),
        (("--point", "20,26,5", "-o", "mask.jpg"), "--output 'mask.jpg' must end with"),
        (("--point", "20,26,5", "--overlay", "overlay.tif"), "--overlay 'overlay.tif' must end with .png"),
        (("--point", "20,26,5", "-o", "no/such/folder/mask.nii.gz"), "there is no folder 'no/such/folder'"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(
    run, ct: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    code, output = run("infer", ct, *options)
    assert code == 2, output
    assert sentence in output
    assert output.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x1f\x8b\x08\x00broken"])
def test_a_damaged_image_is_refused_by_name(run, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ct.nii.gz"
    path.write_bytes(content)
    code, output = run("infer", path, "--point", "1,2,3")
    assert code == 2
    assert "ct.nii.gz" in output
    assert output.count("\n") == 1
