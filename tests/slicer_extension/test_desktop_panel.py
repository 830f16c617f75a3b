"""The panel, with a real Qt and a session that only notes what it is asked: buttons ask, views are drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from SamanticLib.answers import TrainingState
from SamanticLib.errors import SamanticError
from SamanticLib.session_state import Connection, Notice, SessionState, SessionView
from tests.slicer_extension import qt_stand_ins
from tests.slicer_extension.desktop_samples import (
    FakeSession,
    NoSceneImages,
    NoTools,
    dermoscopy_view,
    following_view,
    volume_view,
)
from tests.slicer_extension.draw_panel import let_qt_work, open_panel


@pytest.fixture(autouse=True)
def a_qt() -> Iterator[None]:
    """`import qt` finds the stand-in; nothing may be raised past the panel."""
    qt_stand_ins.raised_in_slots.clear()
    with qt_stand_ins.installed():
        yield
    assert qt_stand_ins.raised_in_slots == []


@pytest.fixture
def session() -> FakeSession:
    return FakeSession()


@pytest.fixture
def tools() -> NoTools:
    return NoTools()


@pytest.fixture
def scene_images() -> NoSceneImages:
    return NoSceneImages()


@pytest.fixture
def answers() -> list[bool]:
    """What the person answers when asked yes or no; yes unless a test says otherwise."""
    return [True]


@pytest.fixture
def panel(session: FakeSession, tools: NoTools, scene_images: NoSceneImages, answers: list[bool]) -> Iterator[Any]:
    opened = open_panel(session, tools=tools, scene_images=scene_images, confirm=lambda _: answers[0])
    yield opened
    opened.widget.close()


def rows(tree: Any) -> list[Any]:
    return [tree.topLevelItem(number) for number in range(tree.topLevelItemCount)]


def test_before_there_is_a_server_it_says_to_connect_and_offers_nothing_else(panel: Any, session: FakeSession) -> None:
    session.show(SessionView())
    assert panel.ui.guideLabel.text == "Connect to a server."
    assert panel.ui.connectButton.enabled
    for name in ("loadImageButton", "useSceneImageButton", "nextSampleButton", "segmentButton", "submitButton"):
        assert not getattr(panel.ui, name).enabled


def test_connect_takes_the_address_in_the_line(panel: Any, session: FakeSession) -> None:
    panel.ui.serverUrlComboBox.setEditText(" https://clinic:8443 ")
    panel.ui.connectButton.click()
    assert session.calls == [("connect", "https://clinic:8443")]


def test_an_empty_address_is_asked_for_and_not_tried(panel: Any, session: FakeSession) -> None:
    panel.ui.serverUrlComboBox.setEditText("")
    panel.ui.connectButton.click()
    assert session.calls == []
    assert panel.ui.messageFrame.visible and "address" in panel.ui.messageLabel.text


def test_a_server_that_was_reached_comes_first_in_the_list_the_next_time(session: FakeSession) -> None:
    first = open_panel(session)
    session.show(SessionView(connection=Connection.THERE, url="http://lab:9000", server="Samantic 0.1.0"))
    first.widget.close()
    again = open_panel(FakeSession())
    assert again.ui.serverUrlComboBox.currentText == "http://lab:9000"
    again.widget.close()


@pytest.mark.parametrize(
    ("connection", "color"),
    [(Connection.NONE, "#9aa0a8"), (Connection.THERE, "#1a9a5b"), (Connection.LOST, "#d2433e")],
)
def test_the_light_shows_the_connection(panel: Any, session: FakeSession, connection: Connection, color: str) -> None:
    session.show(SessionView(connection=connection, server="Samantic 0.1.0"))
    assert color in panel.ui.connectionLight.styleSheet


BUTTONS = [
    ("segmentButton", ("ask",)),
    ("undoButton", ("undo",)),
    ("acceptButton", ("accept",)),
    ("submitButton", ("submit", "3D Slicer, extension Samantic")),
    ("propagateBothButton", ("propagate", "both")),
    ("propagateUpButton", ("propagate", "up")),
    ("propagateDownButton", ("propagate", "down")),
    ("readingButton2", ("take_reading", 1)),
    ("stopTrainingButton", ("stop_training",)),
]


@pytest.mark.parametrize(("name", "call"), BUTTONS)
def test_a_button_asks_the_session(panel: Any, session: FakeSession, name: str, call: tuple[Any, ...]) -> None:
    session.show(volume_view())
    getattr(panel.ui, name).click()
    assert session.calls == [call]


@pytest.mark.parametrize(("name", "call"), BUTTONS)
def test_an_error_of_the_session_is_shown_and_the_panel_stays_usable(
    panel: Any, session: FakeSession, name: str, call: tuple[Any, ...]
) -> None:
    session.show(volume_view())
    session.failure = SamanticError("The disk is full; make room.")
    getattr(panel.ui, name).click()
    assert panel.ui.messageFrame.visible and panel.ui.messageLabel.text == "The disk is full; make room."
    session.failure = None
    getattr(panel.ui, name).click()
    assert session.calls == [call, call]


def test_redo_asks_the_session_once_there_is_something_to_redo(panel: Any, session: FakeSession) -> None:
    session.show(volume_view())
    panel.ui.redoButton.click()
    session.show(replace(volume_view(), can_redo=True))
    panel.ui.redoButton.click()
    assert session.calls == [("redo",)]


def test_an_image_of_the_server_is_opened(panel: Any, session: FakeSession) -> None:
    session.show(replace(volume_view(), unsaved=False))
    panel.ui.serverImageComboBox.setCurrentIndex(1)
    panel.ui.loadImageButton.click()
    assert session.calls == [("open_image", "ct_abdomen_007", False)]


def test_an_image_of_the_scene_is_sent(panel: Any, session: FakeSession, scene_images: NoSceneImages) -> None:
    session.show(replace(volume_view(), unsaved=False))
    panel.ui.sceneImageComboBox.inside.show_nodes([("vtkMRMLScalarVolumeNode1", "MRHead")])
    panel.ui.sceneImageComboBox.currentNodeID = "vtkMRMLScalarVolumeNode1"
    panel.ui.useSceneImageButton.click()
    assert scene_images.used == [("vtkMRMLScalarVolumeNode1", False)]


def test_the_next_sample_is_asked_for_by_the_chosen_strategy(panel: Any, session: FakeSession) -> None:
    session.show(replace(volume_view(), unsaved=False))
    panel.ui.strategyComboBox.setCurrentIndex(panel.ui.strategyComboBox.findData("diversity"))
    panel.ui.nextSampleButton.click()
    assert session.calls == [("next_image", "diversity", False)]


def test_labels_that_are_not_submitted_are_only_left_when_the_person_says_so(
    panel: Any, session: FakeSession, answers: list[bool]
) -> None:
    session.show(volume_view())
    answers[0] = False
    panel.ui.nextSampleButton.click()
    assert session.calls == []
    answers[0] = True
    panel.ui.nextSampleButton.click()
    assert session.calls == [("next_image", "hybrid", True)]


def test_a_class_is_found_by_a_synonym_or_a_code_and_chosen_with_a_click(panel: Any, session: FakeSession) -> None:
    session.show(volume_view())
    panel.ui.classSearchBox.text = "78961009"  # SNOMED CT's spleen
    assert rows(panel.ui.classTree)[0].text(0) == "spleen"
    panel.ui.classSearchBox.text = "ren sinister"
    assert rows(panel.ui.classTree)[0].text(0) == "left kidney"
    panel.ui.classTree.inside.itemClicked.emit(rows(panel.ui.classTree)[0].inside, 0)
    assert session.calls == [("choose_class", "kidney_left")]


def test_return_in_the_search_chooses_what_fits_best(panel: Any, session: FakeSession) -> None:
    session.show(volume_view())
    panel.ui.classSearchBox.text = "gallbl"
    QTest.keyClick(panel.ui.classSearchBox.inside, Qt.Key.Key_Return)
    assert session.calls == [("choose_class", "gallbladder")]


def test_words_of_ones_own_begin_an_object(panel: Any, session: FakeSession) -> None:
    session.show(volume_view())
    panel.ui.textButton.click()
    panel.ui.textLineEdit.text = "the cyst of the left kidney"
    panel.ui.textButton.click()
    assert session.calls == [("describe", "the cyst of the left kidney")]


def test_classes_in_the_slice_have_bars_and_the_others_none(panel: Any, session: FakeSession) -> None:
    session.show(volume_view())
    shown = {row.text(0): row.text(1) for row in rows(panel.ui.classTree)}
    assert shown["liver"] == "93 %" and shown["left kidney"] == "58 %" and shown["pancreas"] == ""
    assert [row.text(0) for row in rows(panel.ui.presenceTree)] == ["liver", "stomach", "left kidney", "aorta"]
    session.show(replace(volume_view(), answer=None))
    assert {row.text(1) for row in rows(panel.ui.classTree)} == {""}
    assert not panel.ui.presenceTree.visible


def test_one_tool_is_in_the_hand_at_a_time_and_is_put_down_by_its_own_button(
    panel: Any, session: FakeSession, tools: NoTools
) -> None:
    session.show(volume_view())
    panel.ui.boxButton.click()
    panel.ui.lassoButton.click()
    assert panel.ui.lassoButton.checked and not panel.ui.boxButton.checked
    panel.ui.lassoButton.click()
    assert tools.picked == ["box", "lasso", None]


def test_a_tool_is_put_down_when_there_is_nothing_to_mark_any_more(
    panel: Any, session: FakeSession, tools: NoTools
) -> None:
    session.show(volume_view())
    panel.ui.pointPositiveButton.click()
    session.show(replace(volume_view(), chosen=None))
    assert tools.picked == ["point_positive", None]
    assert not panel.ui.pointPositiveButton.checked and not panel.ui.pointPositiveButton.enabled


def test_leaving_the_module_puts_the_tool_down(panel: Any, session: FakeSession, tools: NoTools) -> None:
    session.show(volume_view())
    panel.ui.pointNegativeButton.click()
    panel.leave()
    assert tools.picked == ["point_negative", None]


def test_live_update_is_switched_by_the_person_only(panel: Any, session: FakeSession) -> None:
    session.show(volume_view())
    session.show(replace(volume_view(), live=False))
    assert not panel.ui.liveUpdateCheckBox.checked
    assert session.calls == []
    panel.ui.liveUpdateCheckBox.click()
    assert session.calls == [("set_live", True)]


def test_a_doubtful_name_is_a_question_and_readings_are_offered(panel: Any, session: FakeSession) -> None:
    session.show(volume_view())
    assert panel.ui.predictedClassLabel.text == "spleen?"
    assert panel.ui.unsureFrame.visible
    assert [button.text for button in (panel.ui.readingButton1, panel.ui.readingButton3)] == ["1:  86 %", "3:  55 %"]
    sure = replace(volume_view().answer, unsure=False, readings=())
    session.show(replace(volume_view(), answer=sure))
    assert panel.ui.predictedClassLabel.text == "spleen"
    assert not panel.ui.unsureFrame.visible


def test_a_name_that_is_not_the_chosen_one_is_said(panel: Any, session: FakeSession) -> None:
    other = replace(volume_view().answer, agrees=False, predicted_class="liver", predicted_name="liver")
    session.show(replace(volume_view(), answer=other))
    assert "“liver”" in panel.ui.unsureLabel.text


def test_only_what_the_model_can_tell_has_a_bar(panel: Any, session: FakeSession) -> None:
    session.show(volume_view())
    assert panel.ui.confidenceBar.value == 64 and panel.ui.qualityBar.value == 86
    assert not panel.ui.boundaryConfidenceBar.visible
    session.show(dermoscopy_view())
    assert panel.ui.boundaryConfidenceBar.value == 47 and not panel.ui.confidenceBar.visible


def test_photographs_have_their_own_section_and_no_way_through_a_volume(panel: Any, session: FakeSession) -> None:
    session.show(volume_view())
    assert not panel.ui.dermoscopyCollapsibleButton.visible and panel.ui.propagationCollapsibleButton.visible
    session.show(dermoscopy_view())
    assert panel.ui.dermoscopyCollapsibleButton.visible and not panel.ui.propagationCollapsibleButton.visible
    assert panel.ui.classCollapsibleButton.text == "Lesion and its attributes"
    assert "pigment network" in [row.text(0) for row in rows(panel.ui.classTree)]
    panel.ui.outlineLesionButton.click()
    panel.ui.uncertaintyCheckBox.click()
    assert session.calls == [("outline",), ("show_uncertainty", False)]


def test_progress_is_shown_and_can_be_cancelled(panel: Any, session: FakeSession) -> None:
    session.show(volume_view())
    assert not panel.ui.progressFrame.visible
    session.show(following_view())
    assert (panel.ui.progressBar.value, panel.ui.progressBar.maximum) == (23, 61)
    panel.ui.cancelButton.click()
    assert session.calls == [("cancel",)]


def test_a_notice_is_shown_once_and_can_be_closed(panel: Any, session: FakeSession) -> None:
    notice = Notice("error", "The server took longer than 60 s.", 1)
    session.show(replace(volume_view(), notice=notice))
    assert panel.ui.messageLabel.text == notice.text and panel.ui.messageFrame.visible
    panel.ui.dismissMessageButton.click()
    session.show(replace(volume_view(), notice=notice, live=False))
    assert not panel.ui.messageFrame.visible
    session.show(replace(volume_view(), notice=replace(notice, number=2)))
    assert panel.ui.messageFrame.visible


@pytest.mark.parametrize("failed", [Notice("error", "The server does not answer.", 1), None])
def test_nothing_is_disabled_for_ever(panel: Any, session: FakeSession, failed: Notice | None) -> None:
    before = replace(volume_view(), unsaved=False)
    session.show(before)
    names = ("connectButton", "loadImageButton", "nextSampleButton", "segmentButton", "acceptButton", "classTree")
    asking = replace(following_view(), asking=True, can_submit=False, connection=Connection.CONNECTING, notice=failed)
    session.show(asking)
    assert panel.ui.connectButton.enabled
    session.show(replace(before, notice=failed))
    assert all(getattr(panel.ui, name).enabled for name in names)


def test_a_part_that_cannot_be_drawn_is_said_and_the_others_are_drawn(panel: Any, session: FakeSession) -> None:
    session.show(volume_view())
    session.show(replace(volume_view(), images=(object(),), training=TrainingState("done")))
    assert "Something went wrong in the panel" in panel.ui.messageLabel.text
    assert panel.ui.trainingLabel.text == "Done."
    assert panel.ui.segmentButton.enabled


def test_training_is_drawn_while_it_goes_on(panel: Any, session: FakeSession) -> None:
    panel.ui.trainingCollapsibleButton.collapsed = False
    session.show(volume_view())
    let_qt_work()
    assert (panel.ui.trainingBar.value, panel.ui.trainingBar.maximum) == (6, 8)
    assert "Dice 0.784" in panel.ui.trainingLabel.text
    assert not panel.ui.trainingPlotLabel.inside.pixmap().isNull()
    assert not panel.ui.trainButton.enabled and panel.ui.stopTrainingButton.enabled
    session.show(replace(volume_view(), training=None))
    panel.ui.trainButton.click()
    assert session.calls[-1] == ("train", "segsam")


def test_versions_are_looked_up_when_the_section_is_opened(panel: Any, session: FakeSession) -> None:
    session.show(volume_view())
    panel.ui.trainingCollapsibleButton.collapsed = False
    assert session.calls == [("look_at_versions", "segsam")]


def test_a_chosen_version_is_served_again(panel: Any, session: FakeSession) -> None:
    session.show(replace(volume_view(), training=None))
    assert not panel.ui.rollBackButton.enabled
    panel.ui.versionsTree.setCurrentItem(rows(panel.ui.versionsTree)[0])
    assert rows(panel.ui.versionsTree)[1].text(0) == "0002  (served)"
    panel.ui.rollBackButton.click()
    assert session.calls == [("roll_back", "segsam", "0001")]


def test_another_model_is_asked_from_now_on(panel: Any, session: FakeSession) -> None:
    session.show(dermoscopy_view())
    panel.ui.modelComboBox.setCurrentIndex(1)
    panel.ui.modelComboBox.inside.activated.emit(1)
    assert session.calls == [("choose_model", "segsam")]


def test_keys_press_buttons_and_lead_to_lines_once_they_are_switched_on(panel: Any, session: FakeSession) -> None:
    session.show(volume_view())
    shortcuts = panel.shortcuts(panel.widget)
    panel.widget.inside.setFocus()
    QTest.keyClick(panel.widget.inside, Qt.Key.Key_E)
    assert session.calls == []
    shortcuts.enable(True)
    QTest.keyClick(panel.widget.inside, Qt.Key.Key_E)
    QTest.keyClick(panel.widget.inside, Qt.Key.Key_Slash)
    assert session.calls == [("accept",)]
    assert panel.ui.classSearchBox.inside.hasFocus()


def test_a_letter_typed_into_a_line_stays_there(panel: Any, session: FakeSession) -> None:
    session.show(volume_view())
    panel.shortcuts(panel.widget).enable(True)
    panel.ui.classSearchBox.inside.setFocus()
    QTest.keyClicks(panel.ui.classSearchBox.inside, "ez")
    assert panel.ui.classSearchBox.text == "ez"
    assert session.calls == []


def test_every_state_of_a_session_can_be_drawn(panel: Any, session: FakeSession) -> None:
    for state in SessionState:
        session.show(replace(volume_view(), state=state, notice=None))
    assert not panel.ui.messageFrame.visible
