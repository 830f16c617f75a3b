"""The desktop module from button to saved label: a real server, a real Qt, Slicer's own scene, a mouse.

Slicer itself is stood for by the stand-in of PythonQt, and by Slicer's own storage nodes, which load and write volumes.
It says nothing about whether the module works inside desktop Slicer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import requests
import slicer
import slicer.util
import vtk
from SamanticLib.nodes import to_vtk_matrix
from tests.end_to_end.conftest import RunningServer
from tests.slicer_extension import qt_stand_ins
from tests.slicer_extension.draw_panel import UI, let_qt_work
from tests.slicer_extension.scenes import Scene
from vtk.util.numpy_support import vtk_to_numpy

PATIENCE_S = 240.0


@dataclass
class Desktop:
    """An open module: its widgets, its desk, and a view with a mouse."""

    here: Scene
    desk: Any
    ui: Any
    slice_node: Any
    interactor: Any

    def wait(self, happened: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + PATIENCE_S
        while not happened():
            notice = self.desk.session.view.notice
            assert time.monotonic() < until, f"{what} did not happen; last said: {notice}"
            let_qt_work()
            time.sleep(0.01)
        let_qt_work()

    def press(self, name: str) -> None:
        button = getattr(self.ui, name)
        assert button.enabled, f"{name} cannot be pressed; {self.desk.session.view.next_step}"
        button.click()

    def click_on(self, voxel: tuple[int, int, int]) -> None:
        """Click on a voxel in a view that looks at its slice from the top."""
        place = self.desk.scene.ijk_to_world() @ np.array([*voxel, 1.0])
        matrix = np.eye(4)
        matrix[:3, 3] = place[:3]
        self.slice_node.GetSliceToRAS().DeepCopy(to_vtk_matrix(matrix))
        self.slice_node.UpdateMatrices()
        self.interactor.SetEventPosition(2000, 2000)
        for event in ("LeftButtonPressEvent", "LeftButtonReleaseEvent"):
            self.interactor.InvokeEvent(event)

    def drawn(self) -> np.ndarray:
        """All that the first segment holds, bool (i, j, k), as Slicer's own export says."""
        scene = self.desk.scene
        return self.here.exported(scene.segmentation, scene.segments()[0].segment_id, scene.volume)


@pytest.fixture
def desktop() -> Iterator[Desktop]:
    qt_stand_ins.raised_in_slots.clear()
    with qt_stand_ins.installed():
        from SamanticLib.panel_desk import Desk, Surroundings

        here = Scene()
        slice_node = here.scene.AddNewNodeByClass("vtkMRMLSliceNode")
        slice_node.SetDimensions(4000, 4000, 1)
        slice_node.SetFieldOfView(400.0, 400.0, 1.0)
        interactor = vtk.vtkGenericRenderWindowInteractor()
        widget = slicer.util.loadUI(str(UI / "Samantic.ui"))
        ui = slicer.util.childWidgetVariables(widget)
        around = Surroundings(
            scene=here.scene,
            load_volume=lambda path: _stored(here, path).volume,
            export=lambda node, path: _written(node, path),
            show=lambda _: None,
            views=lambda: [(interactor, slice_node)],
            confirm=lambda _: True,
            tell=lambda _: None,
        )
        desk = Desk(ui, around)
        widget.show()
        yield Desktop(here, desk, ui, slice_node, interactor)
        desk.close()
        widget.close()
    assert qt_stand_ins.raised_in_slots == []


def connect(desktop: Desktop, url: str) -> None:
    desktop.ui.serverUrlComboBox.setEditText(url)
    desktop.press("connectButton")
    desktop.wait(lambda: "Connected" in desktop.ui.connectionLabel.text, "the connection")


def choose_liver(desktop: Desktop) -> None:
    desktop.ui.classSearchBox.text = "10200004"
    desktop.ui.classTree.inside.itemClicked.emit(desktop.ui.classTree.topLevelItem(0).inside, 0)
    assert desktop.desk.session.view.chosen.name == "liver"


def test_from_a_click_to_a_saved_label(desktop: Desktop, a_server: RunningServer) -> None:
    connect(desktop, a_server.url)
    ui, session = desktop.ui, desktop.desk.session
    ui.serverImageComboBox.setCurrentIndex(ui.serverImageComboBox.findData("ct"))
    desktop.press("loadImageButton")
    desktop.wait(lambda: session.view.image is not None, "the image")
    truth = nibabel.load(a_server.studies / "ct.nii.gz")
    assert desktop.desk.scene.volume.GetImageData().GetDimensions() == truth.shape
    matrix = desktop.desk.scene.image.ijk_to_ras
    assert np.allclose(matrix, truth.affine, atol=1e-4)

    choose_liver(desktop)
    desktop.press("pointPositiveButton")
    desktop.click_on((22, 30, 12))
    desktop.wait(lambda: session.view.answer is not None and not session.view.busy, "the answer")
    assert ui.predictedClassLabel.text and ui.qualityBar.visible
    first = desktop.drawn()
    assert first[22, 30, 12] and not first[:, :, :12].any() and not first[:, :, 13:].any()

    desktop.press("pointNegativeButton")
    desktop.click_on((43, 34, 12))
    desktop.wait(lambda: len(session.view.prompts.negative_ijk) == 1 and not session.view.busy, "the second answer")
    desktop.press("undoButton")
    assert (desktop.drawn() == first).all() and session.view.prompts.negative_ijk == ()
    desktop.press("redoButton")
    desktop.press("acceptButton")
    accepted = desktop.drawn()
    desktop.press("submitButton")
    desktop.wait(lambda: not session.view.unsaved and not session.view.busy, "the submission")
    assert session.view.notice.kind == "good", session.view.notice
    try:
        saved = next((a_server.studies / "labels" / "final").glob("ct.*"))
        answer = requests.get(f"{a_server.url}/datastore/label", params={"label": "ct", "tag": "final"}, timeout=30)
        assert answer.status_code == 200 and saved.stat().st_size > 0
        here = Path(str(desktop.desk.session._core.folder)) / f"back{''.join(saved.suffixes)}"
        here.write_bytes(answer.content)
        back = _stored(desktop.here, here)
        assert (back.array != 0).sum() == accepted.sum() > 0 and ((back.array != 0) == accepted).all()
    finally:
        requests.delete(f"{a_server.url}/datastore/label", params={"id": "ct", "tag": "final"}, timeout=30)


def test_an_object_is_followed_through_the_volume(desktop: Desktop, a_server: RunningServer) -> None:
    connect(desktop, a_server.url)
    ui, session = desktop.ui, desktop.desk.session
    ui.serverImageComboBox.setCurrentIndex(ui.serverImageComboBox.findData("ct"))
    desktop.press("loadImageButton")
    desktop.wait(lambda: session.view.image is not None, "the image")
    choose_liver(desktop)
    desktop.press("pointPositiveButton")
    desktop.click_on((22, 30, 12))
    desktop.wait(lambda: session.view.can_propagate, "the answer")
    desktop.press("propagateBothButton")
    assert ui.progressFrame.visible
    desktop.wait(lambda: session.view.progress is None, "the end of the job")
    assert session.view.answer.slices is not None, session.view.notice
    first, last = session.view.answer.slices
    assert first <= 12 <= last and f"slices {first} to {last}" in ui.predictedClassLabel.text
    assert np.flatnonzero(desktop.drawn().any(axis=(0, 1))).tolist()[0] == first


def test_an_image_of_the_scene_is_sent_and_used_as_it_lies(desktop: Desktop, a_server: RunningServer) -> None:
    connect(desktop, a_server.url)
    session = desktop.desk.session
    mine = _stored(desktop.here, a_server.studies / "ct.nii.gz").volume
    values = vtk_to_numpy(mine.GetImageData().GetPointData().GetScalars())
    values[0] += 1  # another image than the one that the server has
    mine.SetName("my own (copy)")
    try:
        desktop.desk.images.use(mine.GetID(), discard=False)
        desktop.wait(lambda: session.view.image is not None, "the image")
        assert desktop.desk.scene.volume is mine
        choose_liver(desktop)
        desktop.press("pointPositiveButton")
        desktop.click_on((22, 30, 12))
        desktop.wait(lambda: session.view.answer is not None and not session.view.busy, "the answer")
        assert desktop.drawn()[22, 30, 12]
    finally:
        requests.delete(f"{a_server.url}/datastore", params={"id": "my_own_copy_"}, timeout=30)


def test_a_server_that_is_not_there_is_said_and_can_be_tried_again(desktop: Desktop, a_server: RunningServer) -> None:
    desktop.ui.serverUrlComboBox.setEditText("http://127.0.0.1:9")
    desktop.press("connectButton")
    desktop.wait(lambda: bool(desktop.ui.messageFrame.visible), "the message")
    assert "127.0.0.1:9" in desktop.ui.messageLabel.text
    connect(desktop, a_server.url)


@dataclass
class Stored:
    volume: Any
    array: np.ndarray


def _stored(here: Scene, path: Path) -> Stored:
    """Read a file as Slicer does."""
    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetFileName(str(path))
    storage.SetSingleFile(True)
    volume = here.add("vtkMRMLScalarVolumeNode", path.stem)
    assert storage.ReadData(volume), path
    i, j, k = volume.GetImageData().GetDimensions()
    array = vtk_to_numpy(volume.GetImageData().GetPointData().GetScalars()).reshape(k, j, i).T
    return Stored(volume, array)


def _written(volume: Any, path: Path) -> None:
    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetFileName(str(path))
    assert storage.WriteData(volume)
