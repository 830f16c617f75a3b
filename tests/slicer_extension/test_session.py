# ruff: noqa: ARG002 - what stands in for a server takes what a server takes
"""A session from a server to a saved label, with servers that fail in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from SamanticLib.answers import (
    Candidate,
    ClassCode,
    ClassEntry,
    CodedTerm,
    ImageEntry,
    JobState,
    MapAnswer,
    ModelInfo,
    NextSample,
    SegmentAnswer,
    ServerInfo,
    SubmittedLabel,
    TrainingEpoch,
    TrainingState,
)
from SamanticLib.errors import RequestRefused, SamanticError, ServerAway
from SamanticLib.geometry import extent_slices
from SamanticLib.prompts import Prompts
from SamanticLib.session import AnnotationSession
from SamanticLib.session_ports import SceneImage, SceneSegment
from SamanticLib.session_state import Connection, SessionState, SessionView

SHAPE = (16, 16, 8)
CODE = ClassCode(CodedTerm("SCT", "123037004", "Anatomical Structure"), CodedTerm("SCT", "64033007", "Kidney"))
KIDNEY = ClassEntry("left kidney", "kidney_left", "ct, mr", (), CODE, (40, 140, 200))
LIVER = ClassEntry("liver", "liver", "ct, mr", (), CODE, (30, 150, 40))
LESION = ClassEntry("skin lesion", "skin_lesion", "dermoscopy", (), CODE, (200, 90, 60))
GLOBULES = ClassEntry("globules", "globules", "dermoscopy", (), CODE, (90, 60, 200))


class AServer:
    """Answers as told; `failure` is raised in place of the next answers."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.asked: list[tuple[str, dict[str, Any], Path | None]] = []
        self.submitted: list[tuple[str, dict[str, int], dict[str, Any]]] = []
        self.jobs: deque[JobState] = deque()
        self.cancelled: list[str] = []
        self.trainings: deque[TrainingState] = deque()
        self.map_geometry = np.eye(4)
        self.answer_of = a_square_around_the_click

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure

    def info(self) -> ServerInfo:
        self._fail()
        models = {
            "segsam": ModelInfo("segsam", "deepgrow", 2, ("kidney_left", "liver", "globules"), "", True),
            "besadiff": ModelInfo("besadiff", "segmentation", 2, ("skin_lesion",), "", True),
        }
        return ServerInfo("Samantic", "0.1.0", models, ("kidney_left",), ("hybrid",))

    def vocabulary(self, model: str | None = None) -> tuple[ClassEntry, ...]:
        return (KIDNEY, LIVER, LESION, GLOBULES)

    def images(self) -> tuple[ImageEntry, ...]:
        labelled = {image for image, *_ in self.submitted}
        return tuple(ImageEntry(name, ("final",) if name in labelled else ()) for name in ("ct", "mole"))

    def download_image(self, image_id: str, folder: Path) -> Path:
        self._fail()
        path = folder / image_id
        path.write_bytes(b"image")
        return path

    def segment(self, model: str, image_id: str, params: dict[str, Any], label_file: Path | None = None) -> Any:
        self.asked.append((model, params, label_file))
        self._fail()
        return self.answer_of(model, params)

    def start_job(self, kind: str, image_id: str, params: dict[str, Any], label_file: Path | None = None) -> JobState:
        self._fail()
        assert label_file is not None
        assert label_file.exists()
        self.asked.append((kind, params, label_file))
        return self.jobs.popleft()

    def job(self, job_id: str) -> JobState:
        self._fail()
        return self.jobs.popleft()

    def job_answer(self, job_id: str) -> SegmentAnswer:
        mask = np.ones((4, 4, 6), np.uint8)
        return SegmentAnswer(
            mask, (4, 8, 4, 8, 1, 7), {"kidney_left": 1}, propagation={"slices": [1, 6], "stopped": {}}
        )

    def cancel_job(self, job_id: str) -> None:
        self.cancelled.append(job_id)

    def next_sample(self, strategy: str, **params: Any) -> NextSample:
        self._fail()
        return NextSample("mole", "the most uncertain")

    def give_back(self, image_id: str) -> None: ...

    def submit_label(self, image_id: str, label_file: Path, label_info: Any, provenance: Any = None) -> None:
        self._fail()
        assert label_file.exists()
        self.submitted.append((image_id, dict(label_info), provenance))

    def submitted_label(self, image_id: str, folder: Path) -> SubmittedLabel:
        self._fail()
        return SubmittedLabel(image_id, folder / "label.nrrd", {3: "kidney_left", 5: "a bright tube", 7: "kidney_left"})

    def train(self, model: str, **params: Any) -> None:
        self._fail()

    def training(self) -> TrainingState:
        return self.trainings.popleft()

    def stop_training(self) -> None: ...

    def versions(self, model: str) -> tuple[()]:
        return ()

    def roll_back(self, model: str, version: str) -> None:
        raise SamanticError("Where it runs, say: samantic models rollback")

    def uncertainty(self, image_id: str, *, model: str) -> MapAnswer:
        depth = 1 if image_id == "mole" else 8
        values = np.ones((16, 16, depth), np.float32)
        return MapAnswer(values, (0, 16, 0, 16, 0, depth), "uncertainty", 0.25, ijk_to_ras=self.map_geometry)


def a_square_around_the_click(model: str, params: dict[str, Any]) -> SegmentAnswer:
    """3 x 3 voxels around the last positive click, 1 x 1 with a negative one; three readings of a single click."""
    if not params.get("foreground"):
        return SegmentAnswer(np.ones((6, 6, 1), np.uint8), (2, 8, 2, 8, 0, 1), {"skin_lesion": 1}, model=model)
    i, j, k = params["foreground"][-1]
    reach = 0 if params.get("background") else 1
    extent = (i - reach, i + reach + 1, j - reach, j + reach + 1, k, k + 1)
    mask = np.ones((2 * reach + 1, 2 * reach + 1, 1), np.uint8)
    small = (i, i + 1, j, j + 1, k, k + 1)
    readings = (Candidate(0.5, mask, extent), Candidate(0.4, np.ones((1, 1, 1), bool), small))
    return SegmentAnswer(
        mask, extent, {"kidney_left": 1}, predicted_class="liver", class_confidence=0.6, unsure=False,
        presence={"kidney_left": 0.1, "liver": 0.7}, quality=0.8, slice=k, axis=2, model=model,
        candidates=readings if params.get("multimask") else (),
    )  # fmt: skip


class AScene:
    """Segments as whole volumes, with an undo stack of copies."""

    def __init__(self) -> None:
        self.segments_: dict[str, np.ndarray] = {}
        self.entries: dict[str, ClassEntry] = {}
        self.undone: list[tuple[int | None, dict[str, np.ndarray]]] = []
        self.redone: list[tuple[int | None, dict[str, np.ndarray]]] = []
        self.shape = SHAPE
        self.is_colour = False
        self.prompts = Prompts()
        self.map: Any = None
        self.steps = 0

    def load_image(self, path: Path, image_id: str) -> SceneImage:
        assert path.exists()
        flat = image_id == "mole"
        self.shape = (16, 16, 1) if flat else SHAPE
        self.segments_, self.undone, self.redone = {}, [], []
        return SceneImage(image_id, self.shape, np.eye(4), is_colour=flat)

    def segment_for(self, entry: ClassEntry) -> str:
        self.entries[entry.name] = entry
        self.segments_.setdefault(entry.name, np.zeros(self.shape, bool))
        return entry.name

    def segments(self) -> tuple[SceneSegment, ...]:
        return tuple(
            SceneSegment(name, name, self.entries[name].label, self.entries[name].rgb, not mask.any())
            for name, mask in self.segments_.items()
        )

    def crop(self, segment_id: str, extent: Any) -> np.ndarray:
        return self.segments_[segment_id][extent_slices(extent)].copy()

    def paste(self, segment_id: str, mask: np.ndarray, extent: Any, overlap: bool) -> int | None:
        self.steps += 1
        self._step(self.steps)
        self.segments_[segment_id][extent_slices(extent)] = mask
        return self.steps

    def paint(self, segment_id: str, voxel: tuple[int, int, int]) -> None:
        self._step(None)
        self.segments_[segment_id][voxel] = True

    def _step(self, number: int | None) -> None:
        self.undone.append((number, {name: mask.copy() for name, mask in self.segments_.items()}))
        self.redone.clear()

    def _swap(self, source: list[Any], target: list[Any]) -> int | None:
        number, held = source.pop()
        target.append((number, self.segments_))
        self.segments_ = held
        return number

    def undo(self) -> int | None:
        return self._swap(self.undone, self.redone)

    def redo(self) -> int | None:
        return self._swap(self.redone, self.undone)

    @property
    def can_undo(self) -> bool:
        return bool(self.undone)

    @property
    def can_redo(self) -> bool:
        return bool(self.redone)

    def write_labels(self, path: Path) -> dict[str, int]:
        path.write_bytes(b"label")
        made = [one.segment_id for one in self.segments() if not one.is_empty]
        return {name: number for number, name in enumerate(made, 1)}

    def show_prompts(self, prompts: Prompts) -> None:
        self.prompts = prompts

    def show_map(self, values: Any, extent: Any, largest: float) -> None:
        self.map = values


class AWorker:
    """Does at `go` what it was given; the newest click wins, as with the real one."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, Callable[[], Any], Callable[[Any], None], Callable[[Exception], None]]] = []

    def submit(self, lane: str, work: Any, on_answer: Any = lambda _: None, on_error: Any = lambda _: None) -> None:
        if lane == "click":
            self.cancel(lane)
        self.waiting.append((lane, work, on_answer, on_error))

    def cancel(self, lane: str) -> None:
        self.waiting = [task for task in self.waiting if task[0] != lane]

    def busy(self, lane: str) -> bool:
        return any(task[0] == lane for task in self.waiting)

    def go(self, times: int = 20, lanes: tuple[str, ...] = ("click", "job")) -> None:
        for _ in range(times):
            here = next((task for task in self.waiting if task[0] in lanes), None)
            if here is None:
                return
            self.waiting.remove(here)
            _, work, on_answer, on_error = here
            try:
                answer = work()
            except Exception as error:
                on_error(error)
            else:
                on_answer(answer)

    def close(self) -> None:
        self.waiting.clear()


class AWorkplace:
    """A session with all that it needs."""

    def __init__(self) -> None:
        self.server, self.scene, self.worker = AServer(), AScene(), AWorker()
        self.session = AnnotationSession(lambda _url: self.server, self.scene, self.worker)
        self.views: list[SessionView] = []
        self.session.listen(self.views.append)

    @property
    def view(self) -> SessionView:
        return self.session.view

    def with_image(self, image: str = "ct") -> AWorkplace:
        self.session.connect("http://server")
        self.worker.go()
        self.session.open_image(image)
        self.worker.go()
        return self

    def with_click(self, *voxel: int, positive: bool = True) -> AWorkplace:
        self.session.add_point(voxel, positive, 2)
        self.worker.go()
        return self

    def voxels(self, name: str = "kidney_left") -> int:
        return int(self.scene.segments_[name].sum())


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("session_following", "session_learning"):
        monkeypatch.setattr(f"SamanticLib.{module}.LOOK_S", 0.0)
    monkeypatch.setattr("SamanticLib.session_core.ASK_AGAIN_S", 0.0)


@pytest.fixture
def a_workplace() -> AWorkplace:
    return AWorkplace()


@pytest.fixture
def a_kidney(a_workplace: AWorkplace) -> AWorkplace:
    """An image with a left kidney clicked once."""
    a_workplace.with_image().session.choose_class("kidney_left")
    return a_workplace.with_click(6, 6, 3)


def test_the_way_leads_from_a_server_to_the_next_image(a_workplace: AWorkplace) -> None:
    session, worker = a_workplace.session, a_workplace.worker
    states = [a_workplace.view.state]
    for act in (
        lambda: session.connect("http://server"),
        lambda: session.open_image("ct"),
        lambda: session.choose_class("kidney_left"),
        lambda: session.add_point((6, 6, 3), True, 2),
        session.accept,
        session.submit,
    ):
        act()
        worker.go()
        states.append(a_workplace.view.state)
    assert states == [
        SessionState.DISCONNECTED,
        SessionState.CONNECTED,
        SessionState.IMAGE,
        SessionState.CLASS,
        SessionState.REFINING,
        SessionState.ACCEPTED,
        SessionState.SUBMITTED,
    ]
    ((image, names, provenance),) = a_workplace.server.submitted
    assert (image, names, provenance["marks"]) == ("ct", {"kidney_left": 1}, 1)
    session.next_image("hybrid")
    worker.go()
    assert a_workplace.view.image is not None
    assert (a_workplace.view.image.image_id, a_workplace.view.reason) == ("mole", "the most uncertain")


def test_the_view_says_what_the_model_thinks(a_kidney: AWorkplace) -> None:
    answer = a_kidney.view.answer
    assert answer is not None
    assert (answer.predicted_name, answer.agrees, answer.unsure) == ("liver", False, False)
    assert [(bar.name, bar.probability) for bar in answer.presence] == [("liver", 0.7)]
    assert answer.readings == (0.5, 0.4)
    assert a_kidney.voxels() == 9


def test_every_answer_is_one_step_back_and_forth(a_kidney: AWorkplace) -> None:
    a_kidney.with_click(9, 9, 3, positive=False)
    assert a_kidney.voxels() == 1
    a_kidney.session.undo()
    assert a_kidney.voxels() == 9
    assert a_kidney.scene.prompts.negative_ijk == ()
    a_kidney.session.redo()
    assert a_kidney.voxels() == 1
    assert a_kidney.scene.prompts.negative_ijk == ((9, 9, 3),)
    a_kidney.session.undo()
    a_kidney.session.undo()
    assert a_kidney.view.state is SessionState.CLASS
    assert a_kidney.scene.prompts.empty


def test_another_reading_takes_the_place_of_the_answer_in_one_step(a_kidney: AWorkplace) -> None:
    a_kidney.session.take_reading(1)
    assert a_kidney.voxels() == 1
    assert a_kidney.view.answer is not None
    assert a_kidney.view.answer.reading == 1
    a_kidney.session.undo()
    assert a_kidney.voxels() == 9


@pytest.mark.parametrize(
    "failure", [ServerAway("Nobody answers."), RequestRefused("Not that.", 422), RuntimeError("broken")]
)
def test_a_failure_is_a_sentence_and_leaves_the_segments(a_kidney: AWorkplace, failure: Exception) -> None:
    a_kidney.server.failure = failure
    a_kidney.with_click(7, 7, 3)
    view = a_kidney.view
    assert view.notice is not None
    assert view.notice.kind == "error"
    assert str(failure) in view.notice.text
    assert a_kidney.voxels() == 9
    assert not view.asking
    a_kidney.server.failure = None
    a_kidney.session.ask()
    a_kidney.worker.go()
    assert a_kidney.scene.segments_["kidney_left"][8, 8, 3]


def test_when_the_server_is_back_it_is_said_and_work_goes_on(a_kidney: AWorkplace) -> None:
    a_kidney.server.failure = ServerAway("Nobody answers.")
    a_kidney.with_click(7, 7, 3)
    assert a_kidney.view.connection is Connection.LOST
    assert "safe" in a_kidney.view.next_step
    a_kidney.worker.go(3, ("train",))
    assert a_kidney.view.connection is Connection.LOST
    a_kidney.server.failure = None
    a_kidney.worker.go(1, ("train",))
    assert a_kidney.view.connection is Connection.THERE
    assert "back" in (a_kidney.view.notice.text if a_kidney.view.notice else "")


def test_a_mark_that_was_not_answered_is_taken_back_first(a_kidney: AWorkplace) -> None:
    a_kidney.server.failure = RequestRefused("Not that.", 422)
    a_kidney.with_click(7, 7, 3)
    a_kidney.session.undo()
    assert a_kidney.voxels() == 9
    assert a_kidney.scene.prompts.positive_ijk == ((6, 6, 3),)


def test_without_live_update_marks_wait_until_the_model_is_asked(a_workplace: AWorkplace) -> None:
    a_workplace.with_image().session.choose_class("kidney_left")
    a_workplace.session.set_live(False)
    a_workplace.with_click(5, 5, 3).with_click(6, 6, 3)
    assert a_workplace.server.asked == []
    assert a_workplace.view.state is SessionState.PROMPTING
    a_workplace.session.ask()
    a_workplace.worker.go()
    ((_, params, _),) = a_workplace.server.asked
    assert params["foreground"] == [[5, 5, 3], [6, 6, 3]]
    a_workplace.session.undo()
    assert a_workplace.scene.prompts.empty


def test_only_the_marks_on_the_slice_are_asked_about(a_kidney: AWorkplace) -> None:
    a_kidney.with_click(6, 6, 5)
    assert a_kidney.server.asked[-1][1]["foreground"] == [[6, 6, 5]]
    assert a_kidney.voxels() == 18


def test_an_answer_that_comes_late_is_not_drawn_on_another_object(a_kidney: AWorkplace) -> None:
    a_kidney.session.add_point((7, 7, 3), True, 2)
    waiting = a_kidney.worker.waiting[-1]
    a_kidney.session.choose_class("liver")
    waiting[2](waiting[1]())
    assert a_kidney.voxels() == 9
    assert "liver" not in a_kidney.scene.segments_


def test_a_wrong_extent_is_refused_and_nothing_is_drawn(a_kidney: AWorkplace) -> None:
    answer = a_square_around_the_click("segsam", {"foreground": [[6, 6, 3]]})
    a_kidney.server.answer_of = lambda *_: replace(answer, extent_ijk=(14, 17, 5, 8, 3, 4))
    a_kidney.with_click(7, 7, 3)
    assert a_kidney.voxels() == 9
    assert "does not fit the image" in (a_kidney.view.notice.text if a_kidney.view.notice else "")


def test_an_empty_answer_takes_nothing_away(a_kidney: AWorkplace) -> None:
    a_kidney.server.answer_of = lambda *_: SegmentAnswer(np.zeros((0, 0, 0), np.uint8), None, {}, empty=True)
    a_kidney.with_click(12, 12, 3, positive=False)
    assert a_kidney.voxels() == 9
    assert "Nothing was found" in a_kidney.view.next_step


def test_an_object_is_followed_with_progress_and_drawn_in_one_step(a_kidney: AWorkplace) -> None:
    a_kidney.server.jobs += [
        JobState("7", "propagation", "queued"),
        JobState("7", "propagation", "running", 3, 6),
        JobState("7", "propagation", "done", 6, 6, has_file=True),
    ]
    a_kidney.session.propagate()
    seen = []
    for _ in range(6):
        a_kidney.worker.go(1)
        seen.append(a_kidney.view.progress and (a_kidney.view.progress.done, a_kidney.view.progress.total))
    assert (3, 6) in seen
    assert a_kidney.voxels() == 16 * 6
    assert a_kidney.view.answer is not None
    assert a_kidney.view.answer.slices == (1, 6)
    a_kidney.session.undo()
    assert a_kidney.voxels() == 9


def test_a_cancelled_job_draws_nothing_and_is_cancelled_on_the_server(a_kidney: AWorkplace) -> None:
    a_kidney.server.jobs += [
        JobState("7", "propagation", "running", 1, 6),
        JobState("7", "propagation", "running", 2, 6),
    ]
    a_kidney.session.propagate()
    a_kidney.worker.go(2)
    a_kidney.session.cancel()
    a_kidney.worker.go()
    assert a_kidney.server.cancelled == ["7"]
    assert a_kidney.voxels() == 9
    assert a_kidney.view.progress is None


def test_a_job_that_was_cancelled_before_it_had_a_number_is_cancelled_too(a_kidney: AWorkplace) -> None:
    a_kidney.server.jobs += [JobState("7", "propagation", "running", 1, 6)]
    a_kidney.session.propagate()
    a_kidney.session.cancel()
    a_kidney.worker.go()
    assert a_kidney.server.cancelled == ["7"]


def test_a_job_survives_a_server_that_is_silent_for_a_while(a_kidney: AWorkplace) -> None:
    a_kidney.server.jobs += [JobState("7", "propagation", "running", 1, 6)]
    a_kidney.session.propagate()
    a_kidney.worker.go(1)
    a_kidney.server.failure = ServerAway("Nobody answers.")
    a_kidney.worker.go(1)
    a_kidney.server.failure = None
    a_kidney.server.jobs += [JobState("7", "propagation", "done", 6, 6, has_file=True)]
    a_kidney.worker.go(3)
    assert a_kidney.voxels() == 16 * 6


def test_a_refused_submission_keeps_everything(a_kidney: AWorkplace) -> None:
    a_kidney.server.failure = RequestRefused("The folder is read-only.", 403)
    a_kidney.session.submit()
    a_kidney.worker.go()
    assert a_kidney.view.unsaved
    assert a_kidney.voxels() == 9
    a_kidney.server.failure = None
    a_kidney.session.submit()
    a_kidney.worker.go()
    assert a_kidney.view.state is SessionState.SUBMITTED


def test_an_image_with_labels_that_are_not_submitted_is_not_left_by_accident(a_kidney: AWorkplace) -> None:
    a_kidney.session.open_image("mole")
    a_kidney.worker.go()
    assert a_kidney.view.image is not None
    assert a_kidney.view.image.image_id == "ct"
    a_kidney.session.open_image("mole", discard=True)
    a_kidney.worker.go()
    assert a_kidney.view.image.image_id == "mole"


def test_painting_after_a_submission_makes_it_unsaved_again(a_kidney: AWorkplace) -> None:
    a_kidney.session.submit()
    a_kidney.worker.go()
    a_kidney.scene.paint("kidney_left", (0, 0, 0))
    a_kidney.session.scene_changed()
    assert a_kidney.view.unsaved
    assert a_kidney.view.can_submit
    a_kidney.session.undo()
    assert a_kidney.voxels() == 9


def test_a_lesion_is_outlined_without_a_click_and_its_attributes_are_asked_of_another_model(
    a_workplace: AWorkplace,
) -> None:
    a_workplace.with_image("mole").session.choose_class("skin_lesion")
    assert a_workplace.view.model == "besadiff"
    assert [entry.name for entry in a_workplace.view.classes] == ["skin_lesion", "globules"]
    a_workplace.session.outline()
    a_workplace.worker.go()
    assert a_workplace.voxels("skin_lesion") == 36
    a_workplace.session.show_uncertainty(True)
    a_workplace.worker.go()
    assert a_workplace.scene.map is not None
    assert a_workplace.view.map_shown
    a_workplace.session.choose_class("globules")
    assert a_workplace.view.model == "segsam"
    a_workplace.with_click(4, 4, 0)
    assert a_workplace.voxels("globules") == 9
    assert a_workplace.voxels("skin_lesion") == 36


def test_a_map_that_does_not_lie_on_the_image_is_not_shown(a_kidney: AWorkplace) -> None:
    a_kidney.server.map_geometry = np.diag([1.0, 1.0, 1.0, 1.0]) + np.eye(4, k=3)
    a_kidney.session.show_uncertainty(True)
    a_kidney.worker.go()
    assert a_kidney.scene.map is None
    assert not a_kidney.view.map_shown
    assert "The map lies 1.0 voxels away" in (a_kidney.view.notice.text if a_kidney.view.notice else "")
    a_kidney.server.map_geometry = np.eye(4)
    a_kidney.session.show_uncertainty(True)
    a_kidney.worker.go()
    assert a_kidney.scene.map is not None


def test_versions_that_cannot_be_listed_are_said_and_do_not_hide_what_was_learned(a_kidney: AWorkplace) -> None:
    a_kidney.session.submit()
    a_kidney.worker.go()
    a_kidney.server.trainings.append(TrainingState("done", "segsam", (), published="0001", dice_after=0.8))
    a_kidney.server.versions = refused  # type: ignore[method-assign]
    a_kidney.session.train("segsam")
    a_kidney.worker.go(4, ("train",))
    said = a_kidney.view.notice.text if a_kidney.view.notice else ""
    assert "version 0001 answers from now on" in said
    assert "The versions of segsam cannot be listed: You may not see them." in said


def refused(_model: str) -> tuple[()]:
    raise RequestRefused("You may not see them.", 403)


def test_a_training_is_watched_and_its_outcome_said(a_kidney: AWorkplace) -> None:
    a_kidney.session.submit()
    a_kidney.worker.go()
    epoch = TrainingEpoch(1, 2, 0.4, 0.8, {"kidney_left": 0.8}, True)
    a_kidney.server.trainings += [
        TrainingState("running", "segsam", (epoch,)),
        TrainingState("done", "segsam", (epoch,), published="0001", dice_after=0.8),
    ]
    a_kidney.session.train("segsam")
    a_kidney.worker.go(2, ("train",))
    assert a_kidney.view.state is SessionState.TRAINING
    assert a_kidney.view.training is not None
    assert a_kidney.view.training.epochs == (epoch,)
    a_kidney.worker.go(4, ("train",))
    assert "0001" in (a_kidney.view.notice.text if a_kidney.view.notice else "")


def test_a_mark_without_a_class_says_what_is_missing(a_workplace: AWorkplace) -> None:
    a_workplace.with_image().with_click(6, 6, 3)
    assert "Choose a class" in (a_workplace.view.notice.text if a_workplace.view.notice else "")
    assert a_workplace.server.asked == []


def a_label(values: Any = (3, 5, 7), shape: tuple[int, ...] = SHAPE, moved: float = 0.0) -> Callable[[Path], Any]:
    """What reads a label that has one voxel of each value along i."""
    labels = np.zeros(shape, np.uint8)
    labels[: len(values), 2, 1] = values
    return lambda _: (labels, np.eye(4) + moved * np.eye(4, k=3))


def test_a_submitted_label_is_drawn_again_and_is_nothing_new(a_kidney: AWorkplace) -> None:
    a_kidney.with_click(6, 6, 3).session.submit()
    a_kidney.worker.go()
    assert not a_kidney.view.can_load_label, "it is what is drawn here"
    a_kidney.session.open_image("ct")
    a_kidney.worker.go()
    assert a_kidney.view.can_load_label
    a_kidney.session.load_label(a_label())
    a_kidney.worker.go()
    view = a_kidney.view
    assert {one.class_name: a_kidney.voxels(one.class_name) for one in view.segments} == {
        "kidney_left": 2,
        "a bright tube": 1,
    }
    assert view.notice is not None
    assert view.notice.text == "Loaded: left kidney, a bright tube of ct."
    assert not view.unsaved
    assert not view.can_load_label
    a_kidney.session.load_label(a_label())
    assert "nothing is drawn" in (a_kidney.view.notice.text if a_kidney.view.notice else "")


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (a_label(shape=(16, 16, 7)), "has 16 x 16 x 7 voxels, but the image 16 x 16 x 8"),
        (a_label(moved=1.0), "1.0 voxels away"),
        (a_label((3, 4)), "holds the value 4, which has no name"),
    ],
)
def test_a_label_that_does_not_fit_is_a_sentence_and_draws_nothing(
    a_workplace: AWorkplace, read: Callable[[Path], Any], said: str
) -> None:
    a_workplace.with_image().session.load_label(read)
    a_workplace.worker.go()
    assert said in (a_workplace.view.notice.text if a_workplace.view.notice else "")
    assert a_workplace.view.segments == ()


def test_a_label_that_cannot_be_fetched_leaves_the_session_as_it_was(a_workplace: AWorkplace) -> None:
    a_workplace.with_image().server.failure = RequestRefused("There is no such label.", 404)
    a_workplace.session.load_label(a_label())
    a_workplace.worker.go()
    assert a_workplace.view.notice is not None
    assert a_workplace.view.notice.text == "There is no such label."
    assert a_workplace.view.progress is None


def test_what_has_no_class_is_described_in_words(a_workplace: AWorkplace) -> None:
    a_workplace.with_image().session.describe("a bright tube")
    a_workplace.with_click(6, 6, 3)
    assert a_workplace.server.asked[-1][1]["text"] == "a bright tube"
    assert a_workplace.view.chosen is not None
    assert a_workplace.view.chosen.label == "a bright tube"
