from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from samantic.skinphoto.classes import BACKGROUND, SKIN
from samantic.skinphoto.crop_search import CropSearch
from samantic.skinphoto.folder import CropFolderError, CropProgress, crop_folder
from samantic.skinphoto.folder.html_sheet import PAGE, write_sheets
from samantic.skinphoto.folder.record import RECORD, PhotographEntry


@pytest.fixture
def photographs(tmp_path: Path, disc: Callable[..., np.ndarray], painted: Callable[[np.ndarray], np.ndarray]) -> Path:
    """Two photographs with crops, one of them turned; healthy skin; a gray one; a tiny one; and one cut off."""
    folder = tmp_path / "photographs"
    (folder / "visit 2").mkdir(parents=True)
    lesion = Image.fromarray(painted(disc((240, 320))))
    lesion.save(folder / "a.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    lesion.save(folder / "visit 2" / "turned <b>.JPG", quality=95, exif=exif)
    Image.fromarray(painted(np.full((100, 100), SKIN, np.uint8))).save(folder / "healthy.bmp")
    Image.new("L", (90, 60), 200).save(folder / "gray.png")
    Image.new("RGB", (2, 1), (225, 180, 150)).save(folder / "tiny.png")
    (folder / "broken.jpg").write_bytes((folder / "visit 2" / "turned <b>.JPG").read_bytes()[:500])
    (folder / "notes.txt").write_text("no photograph")
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_crops_tables_and_sheet_tell_of_every_photograph(
    photographs: Path, tmp_path: Path, colour_segmenter, painted, disc
):
    out = tmp_path / "out"
    done = crop_folder(photographs, out, colour_segmenter)
    assert done.finished and [one.photograph for one in done.unread] == ["broken.jpg"]
    told = {row["photograph"]: row for row in rows(out / "photographs.csv")}
    assert set(told) == {"a.png", "broken.jpg", "gray.png", "healthy.bmp", "tiny.png", "visit 2/turned <b>.JPG"}
    assert "not a whole PNG, JPEG or BMP" in told["broken.jpg"]["note"] and told["broken.jpg"]["crops"] == "0"
    assert "more than 80 % skin" in told["healthy.bmp"]["note"] and told["healthy.bmp"]["skin"] == "1.0000"
    turned = told["visit 2/turned <b>.JPG"]
    assert (turned["width"], turned["height"]) == ("240", "320") and int(turned["crops"]) > 0
    crops = rows(out / "crops.csv")
    assert {row["photograph"] for row in crops} == {"a.png", "visit 2/turned <b>.JPG"}
    truth = painted(disc((240, 320)))
    for row in crops:
        left, top, side = (int(row[name]) for name in ("left", "top", "side"))
        cut = np.asarray(Image.open(out / row["crop"]))
        assert cut.shape == (side, side, 3) and float(row["skin"]) > 0.8 and float(row["lesion"]) > 0.1
        if row["photograph"] == "a.png":
            np.testing.assert_array_equal(cut, truth[top : top + side, left : left + side])
        else:
            upright = np.rot90(truth, -1)[top : top + side, left : left + side]
            assert np.abs(cut.astype(int) - upright).mean() < 5
    sheet = (out / "sheet.html").read_text(encoding="utf-8")
    assert "turned &lt;b&gt;.JPG" in sheet and "<b>.JPG" not in sheet and "broken.jpg" in sheet
    assert "visit%202/turned%20%3Cb%3E_JPG_1.jpg" in sheet


def test_crops_carry_nothing_of_the_cameras_notes(photographs: Path, tmp_path: Path, colour_segmenter):
    crop_folder(photographs, tmp_path / "out", colour_segmenter)
    written = sorted((tmp_path / "out" / "crops" / "visit 2").iterdir())
    assert written
    for path in written:
        assert not Image.open(path).getexif()


def test_a_run_that_was_stopped_goes_on_where_it_stopped(photographs: Path, tmp_path: Path, colour_segmenter):
    out, whole = tmp_path / "out", tmp_path / "whole"
    seen: list[CropProgress] = []
    done = crop_folder(photographs, out, colour_segmenter, on_progress=seen.append, is_cancelled=lambda: len(seen) > 3)
    assert not done.finished and len(done.entries) == 3 and (out / "sheet.html").exists()
    # A kill cut the last line of the record off.
    with (out / RECORD).open("a") as file:
        file.write('{"photograph": "healthy.bmp", "si')
    asked = colour_segmenter.asked
    assert crop_folder(photographs, out, colour_segmenter).finished
    assert colour_segmenter.asked == asked + 3
    crop_folder(photographs, whole, colour_segmenter)
    for name in ("crops.csv", "photographs.csv", RECORD):
        assert (out / name).read_bytes() == (whole / name).read_bytes()


def test_only_photographs_that_changed_are_done_again(photographs: Path, tmp_path: Path, colour_segmenter, painted):
    out = tmp_path / "out"
    crop_folder(photographs, out, colour_segmenter)
    asked = colour_segmenter.asked
    Image.fromarray(painted(np.full((80, 80), BACKGROUND, np.uint8))).save(photographs / "a.png")
    (photographs / "gray.png").unlink()
    done = crop_folder(photographs, out, colour_segmenter)
    assert colour_segmenter.asked == asked + 1
    assert "gray.png" not in {one.photograph for one in done.entries}
    assert {row["photograph"] for row in rows(out / "crops.csv")} == {"visit 2/turned <b>.JPG"}


def test_the_photographs_stay_as_they_are(photographs: Path, colour_segmenter):
    before = {path: path.read_bytes() for path in photographs.rglob("*") if path.is_file()}
    crop_folder(photographs, photographs / "crops of it", colour_segmenter)
    crop_folder(photographs, photographs / "crops of it", colour_segmenter)
    assert {path: path.read_bytes() for path in before} == before
    assert colour_segmenter.asked == 5


def test_crops_of_other_settings_do_not_mix(photographs: Path, tmp_path: Path, colour_segmenter):
    crop_folder(photographs, tmp_path / "out", colour_segmenter)
    with pytest.raises(CropFolderError, match="was begun with other weights or settings"):
        crop_folder(photographs, tmp_path / "out", colour_segmenter, CropSearch(most=1))


def test_a_damaged_record_is_not_gone_on_from(photographs: Path, tmp_path: Path, colour_segmenter):
    crop_folder(photographs, tmp_path / "out", colour_segmenter)
    record = tmp_path / "out" / RECORD
    lines = record.read_text().splitlines()
    record.write_text("\n".join([lines[0], json.dumps({"photograph": "a.png"}), *lines[2:], ""]))
    with pytest.raises(CropFolderError, match="is damaged"):
        crop_folder(photographs, tmp_path / "out", colour_segmenter)


def test_two_runs_do_not_write_into_one_folder(photographs: Path, tmp_path: Path, colour_segmenter):
    (tmp_path / "out").mkdir()
    with (
        FileLock(tmp_path / "out" / ".crops.lock"),
        pytest.raises(CropFolderError, match="Another process is writing crops"),
    ):
        crop_folder(photographs, tmp_path / "out", colour_segmenter)


def test_a_folder_without_photographs_is_refused(tmp_path: Path, colour_segmenter):
    with pytest.raises(CropFolderError, match="There are no photographs"):
        crop_folder(tmp_path, tmp_path / "out", colour_segmenter)
    assert not (tmp_path / "out").exists()


def test_thousands_of_photographs_are_spread_over_pages_and_old_pages_go(tmp_path: Path):
    entries = [PhotographEntry(f"{number}.jpg", 1, 1, (9, 9), 1.0, 0.0) for number in range(2 * PAGE + 1)]
    write_sheets(tmp_path, entries)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sheet-2.html", "sheet-3.html", "sheet.html"]
    assert (tmp_path / "sheet-2.html").read_text().count("<figure>") == PAGE
    write_sheets(tmp_path, entries[:3])
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.html"]
