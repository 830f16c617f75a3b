"""Segmentations saved and opened again by Slicer's own reader, and read by the server's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from SamanticLib.errors import SamanticError
from SamanticLib.segmentation import OverwritePolicy, SegmentationLogic
from SamanticLib.segmentation_files import export_segmentation, import_segmentation
from SamanticLib.segments import stable_values, tag
from tests.slicer_extension.scenes import GRIDS, OBLIQUE, SHAPE, Scene, blob, entry, grid

from samantic.imaging import Volume, read_mask, read_segments

ALLOW = OverwritePolicy.ALLOW_OVERLAP
WHOLE = (0, 7, 0, 9, 0, 5)
NAMES = ("liver", "spleen", "left_kidney", "lesion")


class Desk:
    """A segmentation of four classes: the spleen is empty, the lesion as drawn is told by `lesion`."""

    def __init__(self, ijk_to_ras: np.ndarray, lesion: np.ndarray) -> None:
        self.scene = Scene()
        self.logic = SegmentationLogic(self.scene.scene)
        self.matrix = ijk_to_ras
        self.volume = self.scene.volume(ijk_to_ras)
        self.node = self.logic.segmentation_for(self.volume)
        self.ids = {name: self.logic.segment_for(self.node, entry(name)) for name in NAMES}
        free = blob(SHAPE, 8)
        self.masks = {"liver": blob(SHAPE) & free, "left_kidney": ~blob(SHAPE) & free, "lesion": lesion}
        self.masks["spleen"] = np.zeros(SHAPE, bool)
        for name, mask in self.masks.items():
            self.logic.paste(self.node, self.ids[name], mask, WHOLE, ALLOW)

    def reopened(self, path: Path) -> tuple[Scene, Any, Any]:
        other = Scene()
        volume = other.volume(self.matrix)
        return other, import_segmentation(other.scene, path, volume), volume


@pytest.fixture(params=["apart", "overlapping"])
def desk(request: pytest.FixtureRequest) -> Desk:
    lesion = blob(SHAPE, 3) & (~blob(SHAPE, 8) if request.param == "apart" else True)
    return Desk(GRIDS[26], lesion)


def test_everything_survives_saving_and_opening_again(desk: Desk, tmp_path: Path) -> None:
    inner = desk.node.GetSegmentation()
    before = stable_values(desk.node)
    desk.node.GetDisplayNode().SetSegmentVisibility(desk.ids["liver"], False)
    inner.GetSegment(desk.ids["lesion"]).SetName("Läsion ~ 1")
    inner.SetSegmentIndex(desk.ids["lesion"], 0)
    path = export_segmentation(desk.node, tmp_path / "ct.seg.nrrd")
    other, node, volume = desk.reopened(path)
    assert stable_values(node) == {segment_id: before[segment_id] for segment_id in inner.GetSegmentIDs()}
    logic = SegmentationLogic(other.scene)
    for name, segment_id in desk.ids.items():
        old, new = inner.GetSegment(segment_id), node.GetSegmentation().GetSegment(segment_id)
        np.testing.assert_array_equal(logic.segment_mask(node, segment_id, volume), desk.masks[name])
        np.testing.assert_array_equal(other.exported(node, segment_id, volume), desk.masks[name])
        np.testing.assert_allclose(new.GetColor(), old.GetColor(), atol=1e-5)
        assert tag(new, "TerminologyEntry") == tag(old, "TerminologyEntry") != ""
        assert tag(new, "Samantic.Class") == name
        assert new.GetName() == old.GetName()
        assert logic.segment_for(node, entry(name)) == segment_id


def test_saving_changes_nothing_in_the_scene(desk: Desk, tmp_path: Path) -> None:
    inner = desk.node.GetSegmentation()

    def state() -> list[Any]:
        parts: list[Any] = [desk.scene.scene.GetNumberOfNodes(), inner.GetNumberOfLayers()]
        for segment_id in inner.GetSegmentIDs():
            segment = inner.GetSegment(segment_id)
            mask = desk.logic.segment_mask(desk.node, segment_id, desk.volume)
            parts.append((segment_id, segment.GetLabelValue(), segment.GetName(), mask.tobytes()))
        return parts

    before = state()
    export_segmentation(desk.node, tmp_path / "ct.seg.nrrd")
    assert state() == before


def test_a_segmentation_that_stock_slicer_saved_keeps_our_values(desk: Desk, tmp_path: Path) -> None:
    """Slicer numbers its labelmaps anew; the value for the server is noted in the segment."""
    before = stable_values(desk.node)
    desk.node.GetSegmentation().GetSegment(desk.ids["lesion"]).SetLabelValue(4)
    storage = desk.scene.add("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(tmp_path / "stock.seg.nrrd"))
    desk.node.GetSegmentation().SetSegmentIndex(desk.ids["lesion"], 0)
    assert storage.WriteData(desk.node)
    other, node, volume = desk.reopened(tmp_path / "stock.seg.nrrd")
    assert stable_values(node) == before
    again = export_segmentation(node, tmp_path / "again.seg.nrrd")
    _, third, _ = desk.reopened(again)
    assert stable_values(third) == before
    values = {name: before[segment_id] for name, segment_id in desk.ids.items() if name != "lesion"}
    labels = SegmentationLogic(other.scene).label_volume(node, volume, values)
    for name, value in values.items():
        np.testing.assert_array_equal(labels == value, desk.masks[name])


@pytest.mark.parametrize("ijk_to_ras", [*GRIDS[::5], grid(OBLIQUE)])
def test_the_server_reads_the_same_voxels_names_and_values(tmp_path: Path, ijk_to_ras: np.ndarray) -> None:
    desk = Desk(ijk_to_ras, blob(SHAPE, 3) & ~blob(SHAPE, 8))
    inner = desk.node.GetSegmentation()
    inner.SetSegmentIndex(desk.ids["lesion"], 0)
    values = stable_values(desk.node)
    path = export_segmentation(desk.node, tmp_path / "ct.seg.nrrd")
    found = {segment.name: segment.value for segment in read_segments(path)}
    assert found == {inner.GetSegment(segment_id).GetName(): value for segment_id, value in values.items()}
    labels = read_mask(path, Volume(np.zeros(SHAPE, np.uint8), ijk_to_ras))
    for name, mask in desk.masks.items():
        np.testing.assert_array_equal(labels == values[desk.ids[name]], mask)


def test_a_segmentation_of_empty_segments_is_saved_too(tmp_path: Path) -> None:
    scene = Scene()
    logic = SegmentationLogic(scene.scene)
    node = logic.segmentation_for(scene.volume(GRIDS[0]))
    ids = [logic.segment_for(node, entry(name)) for name in NAMES]
    path = export_segmentation(node, tmp_path / "empty.seg.nrrd")
    other = Scene()
    read = import_segmentation(other.scene, path, other.volume(GRIDS[0]))
    assert list(read.GetSegmentation().GetSegmentIDs()) == ids
    assert stable_values(read) == stable_values(node)
    after = SegmentationLogic(other.scene)
    after.attach(read, other.scene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode"))
    after.paste(read, ids[2], blob(SHAPE), WHOLE, ALLOW)
    np.testing.assert_array_equal(after.segment_mask(read, ids[2], after.volume_of(read)), blob(SHAPE))


def test_values_beyond_255_are_saved(tmp_path: Path) -> None:
    desk = Desk(GRIDS[0], blob(SHAPE, 3))
    desk.node.GetSegmentation().GetSegment(desk.ids["lesion"]).SetTag("Samantic.LabelValue", "4000")
    path = export_segmentation(desk.node, tmp_path / "ct.seg.nrrd")
    other, node, volume = desk.reopened(path)
    assert stable_values(node)[desk.ids["lesion"]] == 4000
    shown = SegmentationLogic(other.scene).segment_mask(node, desk.ids["lesion"], volume)
    np.testing.assert_array_equal(shown, desk.masks["lesion"])


def test_a_file_is_there_whole_or_as_it_was(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = export_segmentation(desk.node, tmp_path / "ct.seg.nrrd")
    before = path.read_bytes()
    desk.logic.paste(desk.node, desk.ids["liver"], ~blob(SHAPE), WHOLE, ALLOW)
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(SamanticError, match="no space left"):
        export_segmentation(desk.node, path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["ct.seg.nrrd"]
    export_segmentation(desk.node, path)
    assert path.read_bytes() != before


def test_what_cannot_be_saved_is_a_sentence(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(SamanticError, match=r"saved as '\.seg\.nrrd', not as 'ct\.nii'"):
        export_segmentation(desk.node, tmp_path / "ct.nii")
    with pytest.raises(SamanticError, match="cannot be used"):
        export_segmentation(desk.node, tmp_path / "nowhere" / "ct.seg.nrrd")
    with pytest.raises(SamanticError, match="has no segments"):
        export_segmentation(desk.scene.add("vtkMRMLSegmentationNode"), tmp_path / "ct.seg.nrrd")
    finer = GRIDS[26] @ np.diag([0.5, 0.5, 0.5, 1])
    desk.scene.hand_drawn(desk.node, "finer", finer, np.ones((3, 3, 3), bool))
    with pytest.raises(SamanticError, match="several grids"):
        export_segmentation(desk.node, tmp_path / "ct.seg.nrrd")
    assert not any(tmp_path.iterdir())


DAMAGES = {
    "missing": lambda _: None,
    "empty": lambda _: b"",
    "text": lambda _: b"dear diary",
    "header cut": lambda whole: whole[:300],
    "voxels cut": lambda whole: whole[:-9],
    "no voxels": lambda whole: whole[: whole.index(b"\n\n") + 2],
    "voxels changed": lambda whole: whole[:-12] + b"\xff\x00\xff\x00" + whole[-8:],
    "too large": lambda whole: whole.replace(b"\nsizes: ", b"\nsizes: 9", 1),
    "strange type": lambda whole: whole.replace(b"type: unsigned char", b"type: block", 1),
    "strange encoding": lambda whole: whole.replace(b"encoding: gzip", b"encoding: hex", 1),
    "other dimension": lambda whole: whole.replace(b"\ndimension: ", b"\ndimension: 1", 1),
    "voxels elsewhere": lambda whole: whole.replace(b"\nencoding: ", b"\ndata file: a.raw\nencoding: ", 1),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_that_is_no_segmentation_leaves_nothing_in_the_scene(tmp_path: Path, damage: str) -> None:
    """Slicer's own reader would end the program with some of these, and everybody's work with it."""
    desk = Desk(GRIDS[26], blob(SHAPE, 3) & ~blob(SHAPE, 8))
    path = export_segmentation(desk.node, tmp_path / "ct.seg.nrrd")
    content = DAMAGES[damage](path.read_bytes())
    assert content != path.read_bytes()
    path.unlink() if content is None else path.write_bytes(content)
    before = desk.scene.scene.GetNumberOfNodes()
    with pytest.raises(SamanticError, match=r"ct\.seg\.nrrd"):
        import_segmentation(desk.scene.scene, path)
    assert desk.scene.scene.GetNumberOfNodes() == before


def test_a_nrrd_without_segments_leaves_nothing_in_the_scene(tmp_path: Path) -> None:
    path = tmp_path / "image.seg.nrrd"
    path.write_bytes(b"NRRD0004\ntype: float\ndimension: 2\nsizes: 2 2\nencoding: raw\nendian: little\n\n" + bytes(16))
    scene = Scene().scene
    before = scene.GetNumberOfNodes()
    with pytest.raises(SamanticError, match="no segmentation"):
        import_segmentation(scene, path)
    assert scene.GetNumberOfNodes() == before
