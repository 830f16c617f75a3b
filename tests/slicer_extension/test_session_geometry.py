"""An answer is drawn only where the image that is open here lies as the server says it lies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from SamanticLib.answers import JobState, SegmentAnswer
from SamanticLib.session_ports import SceneImage
from tests.slicer_extension.test_session import AScene, AServer, AWorkplace, a_square_around_the_click

AT_SERVER = np.array([[-0.7, 0, 0, 40.5], [0, -0.7, 0, 12.25], [0, 0, 4.0, -100], [0, 0, 0, 1.0]])
PIXELS = np.diag([-1.0, -1.0, 1.0, 1.0])
ANOTHER_WAY_ROUND = {
    "the slices in another order": AT_SERVER @ np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, 7], [0, 0, 0, 1]]),
    "mirrored": AT_SERVER @ np.array([[-1.0, 0, 0, 15], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
    "rows and columns exchanged": AT_SERVER[:, [1, 0, 2, 3]],
    "shifted by half a voxel": AT_SERVER @ np.array([[1.0, 0, 0, 0.5], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
}


def lying(answer: SegmentAnswer, image_to_ras: np.ndarray) -> SegmentAnswer:
    """An answer whose file says where it lies, as a crop of an image that lies as `image_to_ras` says."""
    assert answer.extent_ijk is not None
    crop_to_ras = image_to_ras.copy()
    crop_to_ras[:3, 3] = (image_to_ras @ np.array([*answer.extent_ijk[::2], 1.0]))[:3]
    return replace(answer, image_id="ct", ijk_to_ras=crop_to_ras)


class AServerThatKnowsWhere(AServer):
    """Its masks say where they lie."""

    def __init__(self, image_to_ras: np.ndarray) -> None:
        super().__init__()
        self.image_to_ras = image_to_ras
        self.answer_of = lambda model, params: lying(a_square_around_the_click(model, params), image_to_ras)

    def job_answer(self, job_id: str) -> SegmentAnswer:
        return lying(super().job_answer(job_id), self.image_to_ras)


class ASceneSomewhere(AScene):
    """Its images lie as they were loaded here."""

    def __init__(self) -> None:
        super().__init__()
        self.image_to_ras = AT_SERVER

    def load_image(self, path: Path, image_id: str) -> SceneImage:
        return replace(super().load_image(path, image_id), ijk_to_ras=self.image_to_ras)


@pytest.fixture
def a_workplace() -> AWorkplace:
    workplace = AWorkplace()
    workplace.server, workplace.scene = AServerThatKnowsWhere(AT_SERVER), ASceneSomewhere()
    workplace.session = type(workplace.session)(lambda _url: workplace.server, workplace.scene, workplace.worker)
    return workplace


def outlined(workplace: AWorkplace, here: np.ndarray) -> AWorkplace:
    """The left kidney, clicked in an image that lies here as `here` says."""
    workplace.scene.image_to_ras = here
    workplace.with_image().session.choose_class("kidney_left")
    return workplace.with_click(6, 6, 3)


def refusal(workplace: AWorkplace) -> str:
    notice = workplace.view.notice
    assert notice is not None
    assert notice.kind == "error"
    return notice.text


@pytest.mark.parametrize("here", ANOTHER_WAY_ROUND.values(), ids=ANOTHER_WAY_ROUND.keys())
def test_a_mask_for_an_image_that_lies_otherwise_here_is_refused_and_nothing_is_drawn(
    a_workplace: AWorkplace, here: np.ndarray
) -> None:
    outlined(a_workplace, here)
    assert "voxels away from where the image 'ct' has it; it was not used" in refusal(a_workplace)
    assert a_workplace.scene.steps == 0
    assert not any(mask.any() for mask in a_workplace.scene.segments_.values())
    assert not a_workplace.view.asking
    assert a_workplace.view.answer is None


def test_a_mask_for_the_image_as_it_lies_here_is_drawn(a_workplace: AWorkplace) -> None:
    outlined(a_workplace, AT_SERVER + np.random.default_rng(2).normal(0, 1e-5, (4, 4)) * np.array([[1], [1], [1], [0]]))
    assert a_workplace.view.notice is None
    assert a_workplace.voxels() == 9


def test_an_object_that_was_followed_elsewhere_is_refused_and_what_was_drawn_stays(a_workplace: AWorkplace) -> None:
    outlined(a_workplace, AT_SERVER)
    a_workplace.server.image_to_ras = ANOTHER_WAY_ROUND["the slices in another order"]
    a_workplace.server.jobs.append(JobState("job", "propagation", "done", 6, 6, has_file=True))
    a_workplace.session.propagate()
    a_workplace.worker.go()
    assert "voxels away" in refusal(a_workplace)
    assert a_workplace.voxels() == 9
    assert a_workplace.view.progress is None


@pytest.mark.parametrize("inch", [25.4 / 72, 25.4 / 300])
def test_a_photograph_may_have_any_dots_per_inch(a_workplace: AWorkplace, inch: float) -> None:
    workplace, server = a_workplace, a_workplace.server
    server.answer_of = lambda model, params: lying(a_square_around_the_click(model, params), PIXELS)
    workplace.scene.image_to_ras = PIXELS @ np.diag([inch, inch, 1.0, 1.0])
    workplace.with_image("mole").session.choose_class("skin_lesion")
    workplace.session.outline()
    workplace.worker.go()
    assert workplace.view.notice is None
    assert workplace.voxels("skin_lesion") == 36


def test_a_single_slice_of_a_scanner_is_no_photograph(a_workplace: AWorkplace) -> None:
    a_workplace.scene.image_to_ras = ANOTHER_WAY_ROUND["mirrored"]
    a_workplace.with_image("mole").session.choose_class("skin_lesion")
    a_workplace.session.outline()
    a_workplace.worker.go()
    assert "voxels away" in refusal(a_workplace)
    assert a_workplace.scene.steps == 0
