"""What is drawn and not submitted survives the end of the workbench, voxel for voxel, and is offered again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from PIL import Image

pytest.importorskip("trame_slicer")

from SamanticLib.answers import ClassCode, ClassEntry, CodedTerm
from SamanticLib.errors import SamanticError
from SamanticLib.segments import stable_values, tag
from SamanticLib.session_state import SessionView
from trame_slicer.core import SlicerApp

from samantic.imaging import read_segments
from samantic.workbench.drafts.keeper import DraftKeeper
from samantic.workbench.drafts.store import Draft, DraftPlace, DraftStore, fingerprint_of
from samantic.workbench.logic.draft_logic import question
from samantic.workbench.scene.workbench_scene import WorkbenchScene

SHAPE = (20, 24, 10)
AFFINE = np.array([[-0.8, 0, 0, 9], [0, -0.9, 0, 4], [0, 0, 3.0, -20], [0, 0, 0, 1.0]])
WHOLE, FLAT = (0, 20, 0, 24, 0, 10), (0, 18, 0, 12, 0, 1)
SERVER = "http://127.0.0.1:8000"


def an_entry(name: str, value: str, rgb: tuple[int, int, int] = (40, 140, 200)) -> ClassEntry:
    code = ClassCode(CodedTerm("SCT", "123037004", "Anatomical Structure"), CodedTerm("SCT", value, name))
    return ClassEntry(name.replace("_", " "), name, "ct", (), code, rgb)


LIVER, SPLEEN = an_entry("liver", "10200004"), an_entry("spleen", "78961009", (211, 7, 99))
LESION, ODD = an_entry("skin_lesion", "95324001"), an_entry("a | b: \\ Läsion", "1")


def blob(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random(shape) < 0.3


@pytest.fixture(scope="module")
def a_slicer_app() -> SlicerApp:
    return SlicerApp()


@pytest.fixture
def a_ct(tmp_path: Path) -> Path:
    volume = np.random.default_rng(3).integers(-200, 200, SHAPE).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(volume, AFFINE), tmp_path / "ct.nii.gz")
    return tmp_path / "ct.nii.gz"


@pytest.fixture
def a_photograph(tmp_path: Path) -> Path:
    picture = np.random.default_rng(5).integers(0, 255, (12, 18, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "mole.png")
    return tmp_path / "mole.png"


@pytest.fixture
def a_scene(a_slicer_app: SlicerApp, a_ct: Path) -> WorkbenchScene:
    scene = WorkbenchScene(a_slicer_app)
    scene.load_image(a_ct, "ct")
    return scene


def place_of(scene: WorkbenchScene, server: str = SERVER) -> DraftPlace:
    image = scene.image
    assert image is not None
    return DraftPlace(server, image.image_id, fingerprint_of(scene.voxels, image.ijk_to_ras))


def drawn(scene: WorkbenchScene, extent: tuple[int, ...]) -> dict[str, tuple[Any, ...]]:
    """All that makes a segment what it is, by its id."""
    inner, values = scene.segmentation.GetSegmentation(), stable_values(scene.segmentation)
    found = {}
    for segment_id in inner.GetSegmentIDs():
        one = inner.GetSegment(segment_id)
        said = (one.GetName(), one.GetColor(), tag(one, "Samantic.Class"), tag(one, "TerminologyEntry"))
        found[segment_id] = (*said, values[segment_id], scene.crop(segment_id, extent).tobytes())
    return found


def draw(scene: WorkbenchScene, entry: ClassEntry, mask: np.ndarray, extent: Any, overlap: bool = False) -> str:
    segment_id = scene.segment_for(entry)
    scene.paste(segment_id, mask, extent, overlap=overlap)
    return segment_id


def kept(scene: WorkbenchScene, store: DraftStore) -> Draft:
    snapshot = scene.copied().settled()
    assert snapshot is not None
    return store.write(place_of(scene), snapshot)


def test_segments_of_a_scan_come_back_exactly_and_can_be_drawn_on(
    a_scene: WorkbenchScene, a_ct: Path, tmp_path: Path
) -> None:
    corner = (3, 9, 5, 17, 2, 7)
    draw(a_scene, LIVER, blob((6, 12, 5), 1), corner)
    draw(a_scene, SPLEEN, blob((20, 24, 10), 2), WHOLE)
    a_scene.segment_for(ODD)
    before = drawn(a_scene, WHOLE)
    draft = kept(a_scene, DraftStore(tmp_path / "drafts"))
    assert draft.drawn == 2
    a_scene.load_image(a_ct, "ct")
    found = DraftStore(tmp_path / "drafts").newest(place_of(a_scene))
    assert found is not None
    a_scene.restore(found)
    assert drawn(a_scene, WHOLE) == before
    assert [one.class_name for one in a_scene.segments() if not one.is_empty] == ["liver", "spleen"]
    assert not a_scene.can_undo
    liver = a_scene.segment_for(LIVER)
    step = a_scene.paste(liver, np.ones((1, 1, 1), bool), (0, 1, 0, 1, 9, 10), overlap=True)
    assert a_scene.crop(liver, (0, 1, 0, 1, 9, 10)).all()
    assert a_scene.undo() == step
    assert drawn(a_scene, WHOLE) == before


def test_overlapping_segments_of_a_photograph_come_back_exactly(
    a_slicer_app: SlicerApp, a_photograph: Path, tmp_path: Path
) -> None:
    scene = WorkbenchScene(a_slicer_app)
    scene.load_image(a_photograph, "mole")
    draw(scene, LESION, np.ones((8, 8, 1), bool), (2, 10, 1, 9, 0, 1), overlap=True)
    draw(scene, ODD, blob((18, 12, 1), 4), FLAT, overlap=True)
    before = drawn(scene, FLAT)
    draft = kept(scene, DraftStore(tmp_path / "drafts"))
    scene.load_image(a_photograph, "mole")
    scene.restore(draft)
    assert drawn(scene, FLAT) == before
    lesion, odd = (scene.crop(scene.segment_for(entry), FLAT) for entry in (LESION, ODD))
    assert (lesion & odd).any()


def test_a_draft_is_a_segmentation_that_others_read_too(a_scene: WorkbenchScene, tmp_path: Path) -> None:
    mask = blob((6, 12, 5), 1)
    draw(a_scene, LIVER, mask, (3, 9, 5, 17, 2, 7))
    read = read_segments(kept(a_scene, DraftStore(tmp_path)).path)
    assert [segment.name for segment in read] == ["liver"]


def test_a_damaged_draft_is_a_sentence_and_the_scene_stays(a_scene: WorkbenchScene, tmp_path: Path) -> None:
    segment = draw(a_scene, LIVER, blob(SHAPE, 1), WHOLE)
    draft = kept(a_scene, DraftStore(tmp_path / "drafts"))
    a_scene.paste(segment, np.zeros(SHAPE, bool), WHOLE, overlap=False)
    before, nodes = a_scene.segmentation, a_scene.volume.GetScene().GetNumberOfNodes()
    fewer = tuple(replace(one, voxels=one.voxels + 1) for one in draft.segments)
    with pytest.raises(SamanticError, match="'liver' has"):
        a_scene.restore(replace(draft, segments=fewer))
    draft.path.write_bytes(draft.path.read_bytes()[:-40])
    with pytest.raises(SamanticError, match="damaged"):
        a_scene.restore(draft)
    assert a_scene.segmentation is before
    assert a_scene.volume.GetScene().GetNumberOfNodes() == nodes


def test_a_draft_takes_nothing_away_that_is_drawn_already(a_scene: WorkbenchScene, tmp_path: Path) -> None:
    draw(a_scene, LIVER, blob(SHAPE, 1), WHOLE)
    with pytest.raises(SamanticError, match="drawn on this image already"):
        a_scene.restore(kept(a_scene, DraftStore(tmp_path)))


def test_a_draft_is_of_one_image_of_one_server_and_of_its_voxels(a_scene: WorkbenchScene, tmp_path: Path) -> None:
    draw(a_scene, LIVER, blob(SHAPE, 1), WHOLE)
    store, place = DraftStore(tmp_path), place_of(a_scene)
    kept(a_scene, store)
    assert store.newest(place) is not None
    assert store.newest(replace(place, server="http://elsewhere:8000")) is None
    assert store.newest(replace(place, image_id="other")) is None
    changed = a_scene.voxels.copy()
    changed[7] += 1
    assert store.newest(replace(place, fingerprint=fingerprint_of(changed, AFFINE))) is None
    moved = AFFINE + np.eye(4)[:, [3, 0, 1, 2]] * 0.5
    assert store.newest(replace(place, fingerprint=fingerprint_of(a_scene.voxels, moved))) is None


def test_two_workbenches_keep_drafts_of_their_own_and_twenty_are_kept(a_scene: WorkbenchScene, tmp_path: Path) -> None:
    draw(a_scene, LIVER, blob(SHAPE, 1), WHOLE)
    snapshot, place = a_scene.copied().settled(), place_of(a_scene)
    assert snapshot is not None
    one, other = DraftStore(tmp_path), DraftStore(tmp_path)
    first, second = one.write(place, snapshot), other.write(place, snapshot)
    assert one.newest(place) == second
    one.remove_own(place)
    assert not first.path.exists()
    assert one.newest(place) == second
    for number in range(25):
        one.write(replace(place, image_id=f"ct_{number}"), snapshot)
    assert len(list(tmp_path.glob("*.json"))) == len(list(tmp_path.glob("*.seg.nrrd"))) == 20
    assert one.newest(replace(place, image_id="ct_24")) is not None
    assert one.newest(place) is None


class AClock:
    """Calls what was to be called later, when told to."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def later(self, _seconds: float, callback: Callable[[], None]) -> None:
        self.waiting.append(callback)

    def go(self) -> None:
        waiting, self.waiting = self.waiting, []
        for callback in waiting:
            callback()


class AWorker:
    """Does what it was given in order, when told to."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Any, ...]] = []

    def submit(self, _lane: str, work: Any, done: Any, failed: Any) -> None:
        self.waiting.append((work, done, failed))

    def busy(self, _lane: str) -> bool:
        return bool(self.waiting)

    def go(self) -> None:
        while self.waiting:
            work, done, failed = self.waiting.pop(0)
            try:
                answer = work()
            except Exception as error:
                failed(error)
            else:
                done(answer)


class Desk:
    """A keeper with a real scene and a real folder, and a clock and a worker that wait."""

    def __init__(self, scene: WorkbenchScene, folder: Path) -> None:
        self.scene, self.folder = scene, folder
        self.clock, self.worker = AClock(), AWorker()
        self.said: list[str] = []
        self.offers: list[Draft | None] = []
        self.keeper = DraftKeeper(
            DraftStore(folder), scene, self.worker, self.clock.later, lambda _, text: self.said.append(text),
            self.offers.append,
        )  # fmt: skip
        self.see(unsaved=False)
        self.worker.go()

    def see(self, unsaved: bool) -> None:
        self.keeper.see(SessionView(url=SERVER, image=self.scene.image, unsaved=unsaved))

    def draw(self, seed: int) -> None:
        draw(self.scene, LIVER, blob(SHAPE, seed), WHOLE)
        self.see(unsaved=True)

    def pass_time(self) -> None:
        self.clock.go()
        self.worker.go()

    @property
    def files(self) -> list[str]:
        return sorted(path.suffix for path in self.folder.glob("*"))


@pytest.fixture
def a_desk(a_scene: WorkbenchScene, tmp_path: Path) -> Desk:
    return Desk(a_scene, tmp_path / "drafts")


def test_many_changes_are_written_once_and_offered_to_who_comes_next(a_desk: Desk, a_ct: Path) -> None:
    for seed in range(5):
        a_desk.draw(seed)
    assert len(a_desk.clock.waiting) == 1
    assert a_desk.files == [], "the click waits for the draft"
    a_desk.pass_time()
    assert a_desk.files == [".json", ".nrrd"]
    a_desk.see(unsaved=True)
    assert a_desk.clock.waiting == [], "what is kept already is written again"
    last = drawn(a_desk.scene, WHOLE)
    a_desk.scene.load_image(a_ct, "ct")
    heir = Desk(a_desk.scene, a_desk.folder)
    assert heir.offers[-1] is not None
    heir.scene.restore(heir.offers[-1])
    heir.keeper.took(heir.offers[-1])
    assert drawn(heir.scene, WHOLE) == last
    heir.see(unsaved=True)
    assert a_desk.files == [".json", ".nrrd"], "between two drafts there is none"
    heir.pass_time()
    assert a_desk.files == [".json", ".nrrd"], "the draft that was restored is kept twice"
    heir.see(unsaved=False)
    heir.worker.go()
    assert a_desk.files == []


def test_what_was_submitted_is_no_draft_any_more_even_if_one_was_under_way(a_desk: Desk) -> None:
    a_desk.draw(1)
    a_desk.clock.go()
    a_desk.see(unsaved=False)
    a_desk.worker.go()
    assert a_desk.files == []
    a_desk.draw(2)
    a_desk.pass_time()
    assert a_desk.files == [".json", ".nrrd"], "what is drawn after a submission is not kept"


def test_who_leaves_an_image_leaves_no_draft(a_desk: Desk, a_photograph: Path) -> None:
    a_desk.draw(1)
    a_desk.pass_time()
    a_desk.scene.load_image(a_photograph, "mole")
    a_desk.see(unsaved=False)
    a_desk.worker.go()
    assert a_desk.files == []
    assert a_desk.offers[-1] is None


def test_a_draft_of_nothing_is_none(a_desk: Desk) -> None:
    a_desk.draw(1)
    a_desk.pass_time()
    a_desk.scene.undo()
    a_desk.see(unsaved=True)
    a_desk.pass_time()
    assert a_desk.files == []


def test_a_draft_is_not_offered_over_what_was_drawn_meanwhile(a_desk: Desk, a_ct: Path) -> None:
    a_desk.draw(1)
    a_desk.pass_time()
    a_desk.scene.load_image(a_ct, "ct")
    slow, offers = AWorker(), []
    store = DraftStore(a_desk.folder)
    keeper = DraftKeeper(store, a_desk.scene, slow, a_desk.clock.later, lambda *_: None, offers.append)
    keeper.see(SessionView(url=SERVER, image=a_desk.scene.image))
    draw(a_desk.scene, SPLEEN, blob(SHAPE, 9), WHOLE)
    slow.go()
    assert offers == [None]
    assert store.newest(place_of(a_desk.scene)) is not None, "nor is it lost"


def test_a_folder_that_cannot_be_written_is_said_once_and_tried_again(a_desk: Desk) -> None:
    a_desk.folder.write_text("in the way")
    a_desk.draw(1)
    a_desk.pass_time()
    a_desk.draw(2)
    a_desk.pass_time()
    (said,) = a_desk.said
    assert "the draft" in said
    assert "not kept" in said
    a_desk.folder.unlink()
    a_desk.draw(3)
    a_desk.pass_time()
    assert a_desk.files == [".json", ".nrrd"]


def test_at_the_end_what_is_not_kept_yet_is_written(a_desk: Desk) -> None:
    a_desk.draw(1)
    a_desk.keeper.flush()
    assert a_desk.files == [".json", ".nrrd"]


def test_the_question_says_when_and_how_much(a_scene: WorkbenchScene, tmp_path: Path) -> None:
    draw(a_scene, LIVER, blob(SHAPE, 1), WHOLE)
    draft = kept(a_scene, DraftStore(tmp_path))
    noon = datetime(2026, 3, 4, 12, 31, tzinfo=timezone.utc)
    draft = replace(draft, saved_at=noon)
    assert question(draft, noon).startswith("There is a draft of 12:31, with 1 segment,")
    assert question(draft, noon + timedelta(days=2)).startswith("There is a draft of 4 March, 12:31, with 1 segment,")
