"""The desktop's scene on Slicer's own classes: images come and go, answers are steps, nothing of a person's is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from SamanticLib.errors import SamanticError
from SamanticLib.nodes import local_to_world
from SamanticLib.nrrd import read_nrrd
from SamanticLib.prompts import Prompts
from SamanticLib.scene_adapter import DesktopScene
from tests.slicer_extension.scenes import GRIDS, OBLIQUE_GRIDS, SHAPE, Scene, entry

WHOLE = (0, SHAPE[0], 0, SHAPE[1], 0, SHAPE[2])
PHOTOGRAPH = (12, 9, 1)


class Slicer:
    """A scene, what is loaded into it next, and what was shown and said."""

    def __init__(self) -> None:
        self.here = Scene()
        self.shown: list[Any] = []
        self.said: list[str] = []
        self.changes = 0
        self.load: Callable[[Path], Any] = lambda _: self.here.volume(GRIDS[0])
        self.desktop = DesktopScene(self.here.scene, lambda path: self.load(path), self.shown.append, self.said.append)
        self.desktop.on_change = self._changed

    def _changed(self) -> None:
        self.changes += 1


@pytest.fixture
def app() -> Slicer:
    return Slicer()


@pytest.fixture
def opened(app: Slicer) -> Slicer:
    app.desktop.load_image(Path("ct.nrrd"), "ct")
    return app


def blob(*spans: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[tuple(slice(*span) for span in spans)] = True
    return mask


ONE = blob((1, 4), (2, 6), (2, 3))
OTHER = blob((3, 6), (2, 6), (2, 3))


def test_an_image_is_loaded_named_and_shown(opened: Slicer) -> None:
    image = opened.desktop.image
    assert image is not None and (image.image_id, image.shape_ijk, image.is_colour) == ("ct", SHAPE, False)
    assert opened.shown == [opened.desktop.volume] and opened.desktop.volume.GetName() == "ct"


def test_a_photograph_is_in_colour_and_flat(app: Slicer) -> None:
    app.load = lambda _: app.here.volume(GRIDS[0], PHOTOGRAPH, colour=True)
    image = app.desktop.load_image(Path("mole.png"), "mole")
    assert image.is_colour and image.is_flat


def test_a_file_without_a_picture_is_refused_and_the_image_before_stays(opened: Slicer) -> None:
    before = opened.desktop.volume
    opened.load = lambda _: None
    with pytest.raises(SamanticError, match="'mr'"):
        opened.desktop.load_image(Path("mr.nrrd"), "mr")
    assert opened.desktop.volume is before and before.GetScene() is not None


def test_a_fetched_image_makes_room_for_the_next_one(opened: Slicer) -> None:
    nodes = opened.desktop.volume, opened.desktop.segmentation
    opened.desktop.load_image(Path("mr.nrrd"), "mr")
    assert [node.GetScene() for node in nodes] == [None, None]


def test_an_image_of_the_person_is_used_as_it_lies_and_stays(app: Slicer) -> None:
    mine = app.here.volume(GRIDS[5])
    app.desktop.adopt("mine", mine)
    app.desktop.load_image(Path("copy.nrrd"), "mine")
    assert app.desktop.volume is mine
    segmentation = app.desktop.segmentation
    app.desktop.load_image(Path("ct.nrrd"), "ct")
    assert mine.GetScene() is not None and segmentation.GetScene() is not None


def test_an_answer_is_one_step_that_can_be_taken_back_and_put_back(opened: Slicer) -> None:
    desktop = opened.desktop
    segment = desktop.segment_for(entry("spleen"))
    step = desktop.paste(segment, ONE, WHOLE, overlap=False)
    assert (desktop.crop(segment, WHOLE) == ONE).all()
    assert desktop.undo() == step and not desktop.crop(segment, WHOLE).any() and not desktop.can_undo
    assert desktop.redo() == step and (desktop.crop(segment, WHOLE) == ONE).all() and not desktop.can_redo


def test_an_answer_that_changes_no_voxel_is_a_step_as_well(opened: Slicer) -> None:
    desktop = opened.desktop
    segment = desktop.segment_for(entry("spleen"))
    first = desktop.paste(segment, ONE, WHOLE, overlap=False)
    second = desktop.paste(segment, ONE, WHOLE, overlap=False)
    assert desktop.undo() == second and (desktop.crop(segment, WHOLE) == ONE).all()
    assert desktop.undo() == first and not desktop.crop(segment, WHOLE).any()


def test_undo_with_nothing_to_take_back_says_so(opened: Slicer) -> None:
    with pytest.raises(SamanticError, match="There is no answer"):
        opened.desktop.undo()
    with pytest.raises(SamanticError, match="There is no answer"):
        opened.desktop.redo()


def test_others_keep_their_voxels_in_a_volume_and_share_them_in_a_photograph(opened: Slicer) -> None:
    desktop = opened.desktop
    spleen, liver = desktop.segment_for(entry("spleen")), desktop.segment_for(entry("liver"))
    desktop.paste(spleen, ONE, WHOLE, overlap=False)
    desktop.paste(liver, OTHER, WHOLE, overlap=False)
    assert (desktop.crop(spleen, WHOLE) == ONE).all()
    assert (desktop.crop(liver, WHOLE) == (OTHER & ~ONE)).all()
    desktop.paste(liver, OTHER, WHOLE, overlap=True)
    assert (desktop.crop(liver, WHOLE) == OTHER).all() and (desktop.crop(spleen, WHOLE) == ONE).all()


def test_what_is_submitted_is_what_is_drawn(opened: Slicer, tmp_path: Path) -> None:
    desktop = opened.desktop
    spleen, liver = desktop.segment_for(entry("spleen")), desktop.segment_for(entry("liver"))
    desktop.segment_for(entry("aorta"))
    desktop.paste(spleen, ONE, WHOLE, overlap=False)
    desktop.paste(liver, OTHER, WHOLE, overlap=False)
    names = desktop.write_labels(tmp_path / "label.nrrd")
    labels = read_nrrd((tmp_path / "label.nrrd").read_bytes()).values
    assert set(names) == {"spleen", "liver"}
    assert ((labels == names["spleen"]) == ONE).all()
    assert ((labels == names["liver"]) == (OTHER & ~ONE)).all()


def test_a_value_stays_with_its_class_whatever_else_is_drawn(opened: Slicer, tmp_path: Path) -> None:
    desktop = opened.desktop
    spleen, liver = desktop.segment_for(entry("spleen")), desktop.segment_for(entry("liver"))
    desktop.paste(liver, OTHER, WHOLE, overlap=False)
    alone = desktop.write_labels(tmp_path / "one.nrrd")
    desktop.paste(spleen, ONE, WHOLE, overlap=False)
    both = desktop.write_labels(tmp_path / "two.nrrd")
    assert alone == {"liver": both["liver"]} and both["liver"] != both["spleen"]


def test_two_segments_of_a_class_are_one_value(opened: Slicer, tmp_path: Path) -> None:
    desktop = opened.desktop
    spleen = desktop.segment_for(entry("spleen"))
    desktop.paste(spleen, ONE, WHOLE, overlap=False)
    second = opened.here.hand_drawn(desktop.segmentation, "more spleen", GRIDS[0], OTHER & ~ONE)
    desktop.tag_class(second, "spleen")
    names = desktop.write_labels(tmp_path / "label.nrrd")
    labels = read_nrrd((tmp_path / "label.nrrd").read_bytes()).values
    assert list(names) == ["spleen"] and ((labels == names["spleen"]) == (ONE | OTHER)).all()


def test_a_label_that_would_lie_about_an_overlap_is_refused(opened: Slicer, tmp_path: Path) -> None:
    desktop = opened.desktop
    spleen, liver = desktop.segment_for(entry("spleen")), desktop.segment_for(entry("liver"))
    desktop.paste(spleen, ONE, WHOLE, overlap=True)
    desktop.paste(liver, OTHER, WHOLE, overlap=True)
    with pytest.raises(SamanticError, match=r"overlap in .* Erase the overlap in one of them, or remove one"):
        desktop.write_labels(tmp_path / "label.nrrd")
    assert not (tmp_path / "label.nrrd").exists()


def test_segments_know_whether_they_are_empty_after_every_change(opened: Slicer) -> None:
    desktop = opened.desktop
    segment = desktop.segment_for(entry("spleen"))
    assert [one.is_empty for one in desktop.segments()] == [True]
    desktop.paste(segment, ONE, WHOLE, overlap=False)
    assert [(one.is_empty, one.class_name) for one in desktop.segments()] == [(False, "spleen")]
    desktop.undo()
    assert [one.is_empty for one in desktop.segments()] == [True]


def test_what_a_person_does_is_told_and_what_the_session_does_is_not(opened: Slicer) -> None:
    desktop = opened.desktop
    segment = desktop.segment_for(entry("spleen"))
    desktop.paste(segment, ONE, WHOLE, overlap=False)
    desktop.undo()
    assert opened.changes == 0
    opened.here.hand_drawn(desktop.segmentation, "mine", GRIDS[0], ONE)
    assert opened.changes > 0
    before = opened.changes
    desktop.segmentation.GetSegmentation().RemoveSegment(segment)
    assert opened.changes > before


def test_a_segmentation_that_was_removed_is_said_and_not_missed(opened: Slicer) -> None:
    segment = opened.desktop.segment_for(entry("spleen"))
    opened.here.scene.RemoveNode(opened.desktop.segmentation)
    assert opened.desktop.segments() == ()
    with pytest.raises(SamanticError, match="removed from the scene"):
        opened.desktop.paste(segment, ONE, WHOLE, overlap=False)


def test_a_segment_that_was_removed_holds_nothing(opened: Slicer) -> None:
    segment = opened.desktop.segment_for(entry("spleen"))
    opened.desktop.segmentation.GetSegmentation().RemoveSegment(segment)
    assert not opened.desktop.crop(segment, WHOLE).any()


def test_closing_the_scene_forgets_the_image(opened: Slicer) -> None:
    opened.here.scene.Clear(False)
    assert opened.desktop.image is None and opened.desktop.segments() == () and not opened.desktop.can_undo


@pytest.mark.parametrize("number", [0, 7, 23, 41])
@pytest.mark.parametrize("oblique", [False, True])
@pytest.mark.parametrize("moved", [False, True])
def test_places_of_the_world_are_voxels_under_any_orientation_and_transform(
    app: Slicer, number: int, oblique: bool, moved: bool
) -> None:
    grids = OBLIQUE_GRIDS if oblique else GRIDS
    volume = app.here.volume(grids[number % len(grids)])
    if moved:
        turned = app.here.transform(np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
        volume.SetAndObserveTransformNodeID(turned.GetID())
    app.load = lambda _: volume
    app.desktop.load_image(Path("ct.nrrd"), "ct")
    wanted = np.array([[0, 0, 0], [6, 8, 4], [2.25, 3.5, 1.75]])
    matrix = grids[number % len(grids)]
    world = local_to_world(wanted @ matrix[:3, :3].T + matrix[:3, 3], volume)
    assert np.allclose(app.desktop.voxels(world), wanted, atol=1e-6)
    again = np.linalg.inv(app.desktop.ijk_to_world()) @ np.vstack([world.T, np.ones(3)])
    assert np.allclose(again[:3].T, wanted, atol=1e-6)


def test_prompts_are_drawn_where_they_are_and_taken_away(opened: Slicer) -> None:
    scene = opened.here.scene
    prompts = Prompts(positive_ijk=((1, 2, 3), (4, 5, 1)), negative_ijk=((0, 0, 0),), boxes_ijk=((1, 4, 2, 6, 2, 3),))
    opened.desktop.show_prompts(prompts)
    points = scene.GetNthNodeByClass(0, "vtkMRMLMarkupsFiducialNode")
    place = [0.0, 0.0, 0.0]
    points.GetNthControlPointPositionWorld(1, place)
    assert np.allclose(opened.desktop.voxels(np.array([place])), [[4, 5, 1]], atol=1e-6)
    assert points.GetLocked() and not points.GetSaveWithScene()
    assert scene.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode") == 2
    assert scene.GetNumberOfNodesByClass("vtkMRMLMarkupsClosedCurveNode") == 1
    opened.desktop.show_prompts(Prompts())
    assert scene.GetNumberOfNodesByClass("vtkMRMLMarkupsNode") == 0


def test_the_map_lies_on_the_image_and_goes_with_it(opened: Slicer) -> None:
    scene = opened.here.scene
    composite = scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    values = np.linspace(0, 0.25, 3 * 4 * 2, dtype=np.float32).reshape(3, 4, 2)
    opened.desktop.show_map(values, (2, 5, 1, 5, 0, 2), 0.25)
    node = scene.GetNodeByID(composite.GetForegroundVolumeID())
    assert node.GetImageData().GetDimensions() == (3, 4, 2)
    assert node.GetImageData().GetScalarComponentAsDouble(2, 3, 1, 0) == pytest.approx(0.25)
    origin = GRIDS[0] @ [2, 1, 0, 1]
    assert np.allclose(node.GetOrigin(), origin[:3])
    opened.desktop.show_map(None, None, 1.0)
    assert composite.GetForegroundVolumeID() is None and node.GetScene() is None


def test_a_strange_segment_is_of_its_class_by_its_codes(opened: Slicer) -> None:
    desktop, spleen = opened.desktop, entry("spleen")
    segment = desktop.segment_for(spleen)
    assert desktop.class_of(segment, [entry("liver"), spleen]) is spleen
    desktop.tag_class(segment, "")
    assert desktop.class_of(segment, [entry("liver"), spleen]) is spleen
    assert desktop.class_of(segment, [entry("liver")]) is None
