"""Samantic's prompts inside Segment Editor: they go into the segment that the editor has selected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer.util
from SamanticLib.scene_adapter import DesktopScene
from SamanticLib.session_state import Connection, Notice, SessionView
from tests.slicer_extension import qt_stand_ins
from tests.slicer_extension.desktop_samples import FakeSession, NoSceneImages, following_view, volume_view
from tests.slicer_extension.draw_panel import UI
from tests.slicer_extension.scenes import GRIDS, SHAPE, Scene

WHOLE = (0, SHAPE[0], 0, SHAPE[1], 0, SHAPE[2])


class Desk:
    """What the effect shares with the module: a session that notes, on a real scene."""

    def __init__(self) -> None:
        self.here = Scene()
        self.volume = self.here.volume(GRIDS[3])
        self.scene = DesktopScene(self.here.scene, lambda _: self.volume, lambda _: None)
        self.scene.load_image(Path("ct.nrrd"), "ct")
        self.session = FakeSession(replace(volume_view(), chosen=None))
        self.images = NoSceneImages()
        self.saved = 0

    def save_state(self) -> None:
        self.saved += 1


@pytest.fixture(autouse=True)
def a_qt() -> Iterator[None]:
    qt_stand_ins.raised_in_slots.clear()
    with qt_stand_ins.installed():
        yield
    assert qt_stand_ins.raised_in_slots == []


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def effect(desk: Desk) -> Iterator[Any]:
    from SamanticLib.panel_effect import EffectPanel

    widget = slicer.util.loadUI(str(UI / "SamanticEffect.ui"))
    panel = EffectPanel(slicer.util.childWidgetVariables(widget), desk, desk.save_state)
    widget.show()
    panel.widget = widget
    yield panel
    widget.close()


@pytest.fixture
def editors_segmentation(desk: Desk) -> Any:
    """A segmentation that the person made in Segment Editor, with a segment of no class."""
    node = desk.here.add("vtkMRMLSegmentationNode", "by hand")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(desk.volume)
    node.GetSegmentation().AddEmptySegment("Segment_1", "the tumour")
    return node


def test_answers_are_drawn_into_the_editors_segment(desk: Desk, effect: Any, editors_segmentation: Any) -> None:
    effect.activate(editors_segmentation, "Segment_1", desk.volume)
    assert desk.session.calls == [("describe", "the tumour")]
    chosen = replace(volume_view().chosen, name="the tumour", label="the tumour")
    assert desk.scene.segment_for(chosen) == "Segment_1"
    mask = np.zeros(SHAPE, bool)
    mask[2:4, 3:5, 1] = True
    desk.scene.paste("Segment_1", mask, WHOLE, overlap=False)
    assert (desk.here.exported(editors_segmentation, "Segment_1", desk.volume) == mask).all()
    assert desk.saved == 1


def test_a_segment_of_a_class_is_asked_for_as_this_class(desk: Desk, effect: Any, editors_segmentation: Any) -> None:
    spleen = next(entry for entry in desk.session.view.classes if entry.name == "spleen")
    desk.scene.use_segmentation(editors_segmentation)
    segment = desk.scene.segment_for(spleen)
    effect.activate(editors_segmentation, segment, desk.volume)
    assert desk.session.calls == [("choose_class", "spleen")]
    desk.session.show(replace(volume_view(), chosen=spleen))
    effect.activate(editors_segmentation, segment, desk.volume)
    assert desk.session.calls == [("choose_class", "spleen")]


def test_an_image_that_the_server_has_not_is_offered_to_be_sent(desk: Desk, effect: Any) -> None:
    other = desk.here.volume(GRIDS[0])
    effect.activate(None, "", other)
    assert desk.session.calls == []
    effect._ui.useSourceVolumeButton.click()
    assert desk.images.used == [(other.GetID(), False)]


def test_without_a_server_it_says_where_to_connect(desk: Desk, effect: Any) -> None:
    desk.session.view = SessionView(connection=Connection.NONE)
    effect.activate(None, "", desk.volume)
    assert "module Samantic" in effect._ui.guideLabel.text


def test_a_tool_marks_only_while_the_effect_is_chosen(desk: Desk, effect: Any, editors_segmentation: Any) -> None:
    effect.activate(editors_segmentation, "Segment_1", desk.volume)
    desk.session.show(volume_view())
    effect._ui.boxButton.click()
    assert effect.strokes.tool == "box"
    effect.deactivate()
    assert effect.strokes.tool is None and not effect._ui.boxButton.checked
    mask = np.ones(SHAPE, bool)
    desk.scene.paste("Segment_1", mask, WHOLE, overlap=False)
    assert desk.saved == 0


def test_progress_errors_and_buttons_are_the_sessions(desk: Desk, effect: Any, editors_segmentation: Any) -> None:
    effect.activate(editors_segmentation, "Segment_1", desk.volume)
    desk.session.calls.clear()
    desk.session.show(replace(following_view(), notice=Notice("error", "The server does not answer.", 1)))
    assert effect._ui.progressBar.value == 23 and effect._ui.messageLabel.text == "The server does not answer."
    effect._ui.cancelButton.click()
    desk.session.show(volume_view())
    assert not effect._ui.messageLabel.visible and not effect._ui.progressFrame.visible
    for name in ("undoButton", "propagateBothButton", "acceptButton", "segmentButton"):
        getattr(effect._ui, name).click()
    assert desk.session.calls == [("cancel",), ("undo",), ("propagate", "both"), ("accept",), ("ask",)]
