from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from monailabel.datastore.local import LocalDatastore
from monailabel.interfaces.exception import ImageNotFoundException, LabelNotFoundException
from PIL import Image
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from samantic.app.lib.datastore import (
    ImageExistsError,
    NameRefusedError,
    ReadOnlyError,
    SamanticDatastore,
    checked_name,
)
from samantic.app.lib.datastore.names import derived_id

LEDGER = "datastore_v2.json"


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_kind_of_image_is_listed_whatever_the_case_of_its_extension(
    tmp_path: Path, write_nifti: Callable
) -> None:
    write_nifti(tmp_path / "a.nii")
    write_nifti(tmp_path / "b.NII.GZ")
    for name in ("c.jpg", "d.JPG", "e.jpeg", "f.PNG", "k.bmp"):
        Image.new("L", (4, 4)).save(tmp_path / name)
    for name in ("g.nrrd", "h.mha", "i.mhd", "notes.txt", "j.seg.nrrd", ".hidden.png"):
        (tmp_path / name).write_bytes(b"only names matter here")
    assert SamanticDatastore(tmp_path).list_images() == ["a", "b", "c", "d", "e", "f", "g", "h", "i", "k"]


def test_two_images_of_one_stem_have_two_ids_that_stay_when_a_third_comes(studies: Path) -> None:
    Image.new("RGB", (5, 5), "red").save(studies / "scan.jpg")
    before = SamanticDatastore(studies)
    by_file = {before.get_image_info(i)["name"]: i for i in before.list_images()}
    assert sorted([by_file["scan.jpg"], by_file["scan.png"]]) == ["scan", "scan.png"]
    Image.new("RGB", (5, 5), "blue").save(studies / "scan.JPEG")
    after = SamanticDatastore(studies)
    assert {after.get_image_info(i)["name"]: i for i in after.list_images()} == {**by_file, "scan.JPEG": "scan.JPEG"}


def test_a_file_with_spaces_gets_a_safe_id_and_keeps_its_name(studies: Path) -> None:
    (studies / "ct.nii.gz").rename(studies / "CT (abdomen), 2.nii.gz")
    store = SamanticDatastore(studies)
    assert "CT_abdomen_2" in store.list_images()
    assert store.get_image_uri("CT_abdomen_2") == str(studies / "CT (abdomen), 2.nii.gz")


@given(st.text(max_size=200))
def test_whatever_a_file_is_called_its_id_is_safe(name: str) -> None:
    image_id = derived_id(name.replace("/", "_") + ".nii.gz", taken=())
    assert checked_name(image_id, "image id") == image_id


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a..b", "../evil", "/etc/passwd", "a/b", "a\\b", "a b", "a\n", "a\0", ".hidden", "x" * 129]
)
def test_ids_and_tags_that_could_leave_the_folder_are_refused(name: str) -> None:
    with pytest.raises(NameRefusedError, match="label tag"):
        checked_name(name, "label tag")


def test_the_truth_of_the_demo_is_not_listed(studies: Path, write_nifti: Callable) -> None:
    (studies / "truth").mkdir()
    write_nifti(studies / "truth" / "ct.nii.gz")
    assert SamanticDatastore(studies).list_images() == ["ct", "lesion", "scan"]


def test_a_saved_label_keeps_every_byte_and_all_that_was_noted(
    studies: Path, write_nifti: Callable, tmp_path: Path
) -> None:
    label = write_nifti(tmp_path / "my label.nii.gz", 3)
    notes = {"label_info": [{"name": "kidney_left", "idx": 3}], "client_id": "nobody", "nested": {"ü": [1.5, None]}}
    store = SamanticDatastore(studies)
    assert store.save_label("ct", str(label), "final", notes) == "ct"
    for opened in (store, SamanticDatastore(studies)):
        assert Path(opened.get_label_uri("ct", "final")).read_bytes() == label.read_bytes()
        assert notes.items() <= opened.get_label_info("ct", "final").items()
        assert opened.get_labeled_images() == ["ct"]
        assert opened.status() == {"total": 3, "completed": 1, "label_tags": {"final": 1}}
    assert store.datalist(full_path=False) == [{"image": "ct.nii.gz", "label": "labels/final/ct.nii.gz"}]


def test_a_label_in_another_format_replaces_the_old_file(studies: Path, write_nifti: Callable, tmp_path: Path) -> None:
    store = SamanticDatastore(studies)
    store.save_label("ct", str(write_nifti(tmp_path / "one.nii.gz", 1)), "final", {})
    store.save_label("ct", str(write_nifti(tmp_path / "two.nii", 2)), "final", {})
    assert [path.name for path in (studies / "labels" / "final").iterdir()] == ["ct.nii"]
    assert store.get_label_uri("ct", "final").endswith("ct.nii")


def test_the_stock_datastore_reads_what_ours_wrote(studies: Path, write_nifti: Callable, tmp_path: Path) -> None:
    SamanticDatastore(studies).save_label("ct", str(write_nifti(tmp_path / "l.nii.gz", 1)), "final", {"by": "me"})
    stock = LocalDatastore(str(studies), extensions=("*.nii.gz", "*.jpg", "*.png"))
    assert stock.get_label_info("ct", "final")["by"] == "me"
    assert Path(stock.get_label_uri("ct", "final")).is_file()


def test_what_the_stock_datastore_wrote_is_taken_over_with_safe_ids(studies: Path, write_nifti: Callable) -> None:
    (studies / "ct.nii.gz").rename(studies / "CT 1.nii.gz")
    stock = LocalDatastore(str(studies), extensions=("*.nii.gz", "*.jpg", "*.png"))
    stock.save_label("CT 1", str(write_nifti(studies.parent / "l.nii.gz", 1)), "final", {"by": "me"})
    store = SamanticDatastore(studies)
    assert store.list_images() == ["CT_1", "lesion", "scan"]
    assert store.get_label_info("CT_1", "final")["by"] == "me"
    assert Path(store.get_label_uri("CT_1", "final")).is_file()


@pytest.mark.parametrize("damage", ["cut short", "emptied", "deleted", "zeroed"])
def test_a_damaged_record_is_recovered_from_its_backup(
    damage: str, studies: Path, write_nifti: Callable, tmp_path: Path
) -> None:
    SamanticDatastore(studies).save_label("ct", str(write_nifti(tmp_path / "l.nii.gz", 1)), "final", {"by": "me"})
    ledger = studies / LEDGER
    whole = ledger.read_bytes()
    if damage == "deleted":
        ledger.unlink()
    else:
        ledger.write_bytes({"cut short": whole[:-40], "emptied": b"", "zeroed": bytes(len(whole))}[damage])
    assert SamanticDatastore(studies).get_label_info("ct", "final")["by"] == "me"
    assert json.loads(ledger.read_text()) == json.loads(whole)
    kept = list(studies.glob(f"{LEDGER}.damaged-*"))
    assert len(kept) == (0 if damage == "deleted" else 1)


def test_without_record_and_backup_the_files_themselves_are_listed(
    studies: Path, write_nifti: Callable, tmp_path: Path
) -> None:
    SamanticDatastore(studies).save_label("ct", str(write_nifti(tmp_path / "l.nii.gz", 1)), "final", {})
    (studies / LEDGER).write_text("{")
    (studies / ".samantic" / "datastore_v2.backup.json").write_text("{")
    assert SamanticDatastore(studies).get_labeled_images() == ["ct"]


def test_files_that_vanish_are_hidden_and_come_back_with_all_that_was_noted(
    studies: Path, write_nifti: Callable, tmp_path: Path
) -> None:
    store = SamanticDatastore(studies)
    store.save_label("ct", str(write_nifti(tmp_path / "l.nii.gz", 1)), "final", {"by": "me"})
    (studies / "labels" / "final" / "ct.nii.gz").rename(tmp_path / "away.nii.gz")
    assert store.get_labeled_images() == [] and SamanticDatastore(studies).get_labeled_images() == []
    (tmp_path / "away.nii.gz").rename(studies / "labels" / "final" / "ct.nii.gz")
    assert store.get_label_info("ct", "final")["by"] == "me"


def test_an_image_and_a_label_that_somebody_puts_there_are_noticed_at_once(
    studies: Path, write_nifti: Callable
) -> None:
    store = SamanticDatastore(studies)
    write_nifti(studies / "new.nii.gz")
    assert "new" in store.list_images()
    write_nifti(studies / "labels" / "final" / "new.nii.gz", 2)
    assert store.get_labeled_images() == ["new"]
    (studies / "new.nii.gz").unlink()
    assert "new" not in store.list_images()


def test_a_label_in_a_folder_that_is_no_tag_is_not_shown(studies: Path, write_nifti: Callable) -> None:
    (studies / "labels" / "my tag").mkdir(parents=True)
    write_nifti(studies / "labels" / "my tag" / "ct.nii.gz")
    assert SamanticDatastore(studies).status()["label_tags"] == {}


@pytest.mark.parametrize("decided", [True, False])
def test_a_save_that_a_kill_interrupted_is_finished_if_it_was_decided_and_dropped_if_not(
    decided: bool, studies: Path, write_nifti: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(*_: object, **__: object) -> None:
        raise Killed

    old, new = write_nifti(tmp_path / "old.nii.gz", 1), write_nifti(tmp_path / "new.nii.gz", 2)
    store = SamanticDatastore(studies)
    store.save_label("ct", str(old), "final", {"by": "old"})
    step = "samantic.app.lib.datastore.incoming.IncomingFile.settle" if decided else "pathlib.Path.unlink"
    if not decided:
        monkeypatch.setattr("samantic.app.lib.datastore.ledger.LedgerFile.write", kill)
    monkeypatch.setattr(step, kill)
    with pytest.raises(Killed):
        store.save_label("ct", str(new), "final", {"by": "new"})
    monkeypatch.undo()
    assert list((studies / "labels" / "final").glob(".incoming-*")), "the kill was meant to leave a file behind"
    again = SamanticDatastore(studies)
    expected, by = (new, "new") if decided else (old, "old")
    assert Path(again.get_label_uri("ct", "final")).read_bytes() == expected.read_bytes()
    assert again.get_label_info("ct", "final")["by"] == by
    assert not list((studies / "labels" / "final").glob(".incoming-*"))


def test_what_a_kill_left_half_written_is_removed_at_start(studies: Path) -> None:
    SamanticDatastore(studies)
    before = tree(studies)
    for name in (".samantic-tmp-0123456789abcdef.json", ".samantic/.samantic-tmp-00.json"):
        (studies / name).write_bytes(b"half of it")
    (studies / "labels" / "final" / ".incoming-no-checksum").write_bytes(b"half of it")
    SamanticDatastore(studies)
    assert tree(studies) == before


def test_a_save_that_fails_leaves_everything_as_it_was(
    studies: Path, write_nifti: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SamanticDatastore(studies)
    label = write_nifti(tmp_path / "l.nii.gz", 1)
    before = tree(studies)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("samantic.app.lib.datastore.ledger.LedgerFile.write", full)
    with pytest.raises(OSError, match="space"):
        store.save_label("ct", str(label), "final", {})
    monkeypatch.undo()
    assert tree(studies) == before and store.get_labeled_images() == []


def test_many_threads_and_a_second_process_worth_of_datastore_lose_nothing(
    studies: Path, write_nifti: Callable
) -> None:
    label = write_nifti(studies.parent / "l.nii.gz", 1)
    stores = [SamanticDatastore(studies), SamanticDatastore(studies)]
    errors: list[BaseException] = []

    def work(worker: int) -> None:
        try:
            for turn in range(6):
                store = stores[(worker + turn) % 2]
                store.save_label("ct", str(label), f"t{worker}-{turn}", {"worker": worker})
                store.update_label_info("ct", f"t{worker}-{turn}", {"turn": turn})
                assert store.status()["total"] == 3
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    again = SamanticDatastore(studies)
    for worker in range(6):
        for turn in range(6):
            notes = again.get_label_info("ct", f"t{worker}-{turn}")
            assert (notes["worker"], notes["turn"]) == (worker, turn)


def test_readers_do_not_wait_while_somebody_writes(studies: Path, write_nifti: Callable) -> None:
    store = SamanticDatastore(studies)
    with store._writing():
        write_nifti(studies / "new.nii.gz")
        waited = time.perf_counter()
        seen: list[int] = []
        reader = threading.Thread(target=lambda: seen.append(store.status()["total"]))
        reader.start()
        reader.join(timeout=10)
        waited = time.perf_counter() - waited
    assert seen == [3] and waited < 1
    assert store.status()["total"] == 4


def test_a_label_for_an_unknown_image_is_refused_and_leaves_nothing(studies: Path, write_nifti: Callable) -> None:
    store = SamanticDatastore(studies)
    label = write_nifti(studies.parent / "l.nii.gz", 1)
    before = tree(studies)
    with pytest.raises(ImageNotFoundException):
        store.save_label("nothing", str(label), "final", {})
    with pytest.raises(NameRefusedError, match="label tag"):
        store.save_label("ct", str(label), "../../evil", {})
    jpeg = label.with_name("l.jpg")
    jpeg.write_bytes(b"")
    with pytest.raises(NameRefusedError, match=r"nii\.gz"):
        store.save_label("ct", str(jpeg), "final", {})
    assert tree(studies) == before


def test_removing_what_is_not_there_says_so(studies: Path) -> None:
    store = SamanticDatastore(studies)
    with pytest.raises(ImageNotFoundException):
        store.remove_image("nothing")
    with pytest.raises(LabelNotFoundException):
        store.remove_label("ct", "final")
    with pytest.raises(ImageNotFoundException):
        store.update_image_info("nothing", {})
    with pytest.raises(LabelNotFoundException):
        store.update_label_info("ct", "final", {})


def test_removing_an_image_removes_its_labels(studies: Path, write_nifti: Callable) -> None:
    store = SamanticDatastore(studies)
    store.save_label("ct", str(write_nifti(studies.parent / "l.nii.gz", 1)), "final", {})
    store.remove_image("ct")
    assert store.list_images() == ["lesion", "scan"]
    assert not (studies / "ct.nii.gz").exists() and not (studies / "labels" / "final" / "ct.nii.gz").exists()
    assert SamanticDatastore(studies).list_images() == ["lesion", "scan"]


def test_a_removed_label_stays_away(studies: Path, write_nifti: Callable) -> None:
    store = SamanticDatastore(studies)
    store.save_label("ct", str(write_nifti(studies.parent / "l.nii.gz", 1)), "final", {"by": "me"})
    store.remove_label("ct", "final")
    assert SamanticDatastore(studies).get_labels_by_image_id("ct") == {}


def test_an_added_image_is_listed_and_the_same_one_may_come_again(studies: Path, write_nifti: Callable) -> None:
    store = SamanticDatastore(studies)
    image = write_nifti(studies.parent / "upload.nii.gz", 5)
    assert store.add_image("new", str(image), {"user": "me", "source": "dicom"}) == "new"
    assert store.get_image_uri("new") == str(studies / "new.nii.gz")
    assert store.add_image("new", str(image), {}) == "new"
    assert store.get_image_info("new")["user"] == "me"
    other = write_nifti(studies.parent / "other.nii.gz", 6)
    with pytest.raises(ImageExistsError, match="'new'"):
        store.add_image("new", str(other), {})
    assert store.add_image("", str(other), {}) == "other"
    with pytest.raises(NameRefusedError):
        store.add_image("../evil", str(other), {})


def test_a_client_cannot_rename_a_file_by_noting_another_name(studies: Path, write_nifti: Callable) -> None:
    store = SamanticDatastore(studies)
    store.save_label("ct", str(write_nifti(studies.parent / "l.nii.gz", 1)), "final", {"name": "/etc/passwd"})
    store.update_label_info("ct", "final", {"name": "/etc/passwd", "checksum": "none", "more": 1})
    store.update_image_info("ct", {"name": "/etc/passwd", "source": "dicom", "more": 1})
    assert store.get_label_uri("ct", "final") == str(studies / "labels" / "final" / "ct.nii.gz")
    assert store.get_image_uri("ct") == str(studies / "ct.nii.gz")
    assert store.get_label_info("ct", "final")["more"] == 1


def test_a_read_only_folder_is_listed_and_never_written(studies: Path, write_nifti: Callable) -> None:
    before = tree(studies)
    store = SamanticDatastore(studies, read_only=True)
    assert store.list_images() == ["ct", "lesion", "scan"]
    with pytest.raises(ReadOnlyError):
        store.save_label("ct", str(write_nifti(studies.parent / "l.nii.gz", 1)), "final", {})
    assert tree(studies) == before


def test_a_missing_studies_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        SamanticDatastore(tmp_path / "nowhere")


def write_series(folder: Path, values: list[int], uid: str | None = None, first_file: int = 0) -> str:
    """Writes a CT series of 4 x 3 slices, slice n full of values[n], and returns its uid."""
    folder.mkdir(parents=True, exist_ok=True)
    uid = uid or generate_uid()
    for index, value in enumerate(values):
        slice_ = pydicom.Dataset()
        slice_.file_meta = pydicom.dataset.FileMetaDataset()
        slice_.file_meta.MediaStorageSOPClassUID = slice_.SOPClassUID = CTImageStorage
        slice_.file_meta.MediaStorageSOPInstanceUID = slice_.SOPInstanceUID = generate_uid()
        slice_.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        slice_.SeriesInstanceUID, slice_.StudyInstanceUID, slice_.Modality = uid, "1.2.3", "CT"
        slice_.PatientName, slice_.ImagePositionPatient = "Phantom^B", [10.0, 20.0, 2.5 * index]
        slice_.ImageOrientationPatient, slice_.PixelSpacing = [1.0, 0, 0, 0, 1.0, 0], [0.5, 0.75]
        slice_.SliceThickness, slice_.Rows, slice_.Columns = 2.5, 3, 4
        slice_.SamplesPerPixel, slice_.PhotometricInterpretation = 1, "MONOCHROME2"
        slice_.BitsAllocated, slice_.BitsStored, slice_.HighBit, slice_.PixelRepresentation = 16, 16, 15, 1
        slice_.RescaleSlope, slice_.RescaleIntercept = 1, -1000
        slice_.PixelData = np.full((3, 4), value, np.int16).tobytes()
        slice_.is_little_endian, slice_.is_implicit_VR = True, False
        slice_.save_as(folder / f"{first_file + len(values) - index:03d}.dcm", write_like_original=False)
    return uid


def test_a_dicom_folder_is_one_image_converted_once_with_its_headers_beside_it(studies: Path) -> None:
    uid = write_series(studies / "patient 1" / "CT head", [1000, 1100, 1200])
    store = SamanticDatastore(studies)
    assert store.list_images() == ["ct", "lesion", "scan", "CT_head"]
    path = Path(store.get_image_uri("CT_head"))
    image = nibabel.load(path)
    assert image.shape == (4, 3, 3)
    assert [float(image.dataobj[0, 0, k]) for k in range(3)] == [0.0, 100.0, 200.0]
    np.testing.assert_allclose(image.affine, [[-0.75, 0, 0, -10], [0, -0.5, 0, -20], [0, 0, 2.5, 0], [0, 0, 0, 1]])
    headers = json.loads(path.with_name("CT_head.json").read_text())
    assert headers["header"]["0020000E"]["Value"] == [uid] and len(headers["sop_instance_uids"]) == 3
    written = path.stat().st_mtime_ns
    assert SamanticDatastore(studies).get_image_uri("CT_head") == str(path)
    assert path.stat().st_mtime_ns == written


def test_a_series_that_grew_is_converted_again_and_keeps_its_id_and_labels(
    studies: Path, write_nifti: Callable
) -> None:
    uid = write_series(studies / "head", [1000, 1100])
    store = SamanticDatastore(studies)
    assert nibabel.load(store.get_image_uri("head")).shape == (4, 3, 2)
    store.save_label("head", str(write_nifti(studies.parent / "l.nii.gz", 1, (4, 3, 2))), "final", {"by": "me"})
    for file in (studies / "head").iterdir():
        file.unlink()
    write_series(studies / "head", [1000, 1100, 1200], uid)
    assert nibabel.load(store.get_image_uri("head")).shape == (4, 3, 3)
    assert store.get_label_info("head", "final")["by"] == "me"


def test_two_series_in_one_folder_are_two_images(studies: Path) -> None:
    write_series(studies / "both", [1000, 1100], first_file=0)
    write_series(studies / "both", [1000, 1100, 1200], first_file=10)
    store = SamanticDatastore(studies)
    assert [image for image in store.list_images() if image.startswith("both")] == ["both", "both-2"]
    assert {nibabel.load(store.get_image_uri(image)).shape[2] for image in ("both", "both-2")} == {2, 3}


def test_a_folder_that_is_itself_a_series_can_be_served(tmp_path: Path) -> None:
    write_series(tmp_path / "my head", [1000, 1100])
    store = SamanticDatastore(tmp_path / "my head")
    assert store.list_images() == ["my_head"]
    assert nibabel.load(store.get_image_uri("my_head")).shape == (4, 3, 2)


def test_a_series_is_not_removed_by_the_server(studies: Path) -> None:
    write_series(studies / "head", [1000, 1100])
    store = SamanticDatastore(studies)
    with pytest.raises(ImageExistsError, match="DICOM series"):
        store.remove_image("head")
    assert len(list((studies / "head").iterdir())) == 2


@pytest.mark.slow
def test_ten_thousand_images_are_opened_in_seconds_and_counted_in_milliseconds(tmp_path: Path) -> None:
    for number in range(10_000):
        (tmp_path / f"image_{number:05d}.png").write_bytes(b"")
    start = time.perf_counter()
    store = SamanticDatastore(tmp_path)
    assert time.perf_counter() - start < 10
    os.utime(tmp_path, (time.time() - 60, time.time() - 60))
    store.status()
    start = time.perf_counter()
    assert store.status()["total"] == 10_000
    assert time.perf_counter() - start < 0.05
