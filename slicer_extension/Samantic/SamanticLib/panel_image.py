"""The part of the panel that opens images: of the server, of the scene, the next one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from SamanticLib.session import AnnotationSession
from SamanticLib.session_state import Connection, SessionView

UNSAVED = "The labels of '{image}' are not submitted and would be lost. Open another image all the same?"

STRATEGY_NAMES = {
    "hybrid": "the model is unsure, and unlike the others",
    "uncertainty": "the model is least sure",
    "diversity": "unlike all that is labelled",
    "first": "first by name",
    "random": "any",
}


class SceneImages(Protocol):
    """Sends an image that is open in Slicer to the server and opens it there; `panel_scene_images` has one."""

    def use(self, node_id: str, discard: bool) -> None: ...


class ImagePart:
    """Choose, fetch, and say why this one. `confirm(text)` asks the person and answers yes or no."""

    def __init__(
        self,
        ui: Any,
        session: AnnotationSession,
        scene_images: SceneImages,
        confirm: Callable[[str], bool],
        told: Callable[..., Any],
    ) -> None:
        self._ui = ui
        self._session = session
        self._scene_images = scene_images
        self._confirm = confirm
        self._images: tuple[Any, ...] = ()
        self._strategies: tuple[str, ...] = ()
        ui.loadImageButton.connect("clicked()", told(self.load))
        ui.nextSampleButton.connect("clicked()", told(self.next_sample))
        ui.useSceneImageButton.connect("clicked()", told(self.use_scene_image))

    def load(self) -> None:
        """Open the image that is chosen in the list of the server's."""
        image_id = self._ui.serverImageComboBox.currentData
        if image_id:
            self._leaving(lambda discard: self._session.open_image(image_id, discard=discard))

    def next_sample(self) -> None:
        """Open the image that the server chooses."""
        strategy = self._ui.strategyComboBox.currentData
        if strategy:
            self._leaving(lambda discard: self._session.next_image(strategy, discard=discard))

    def use_scene_image(self) -> None:
        """Work on the chosen image that is open in Slicer."""
        node_id = self._ui.sceneImageComboBox.currentNodeID
        if node_id:
            self._leaving(lambda discard: self._scene_images.use(node_id, discard))

    def draw(self, view: SessionView) -> None:
        """Draw the lists, the open image and the reason why it was chosen."""
        ui = self._ui
        if view.images != self._images:
            self._images = view.images
            texts = [(_image_text(entry), entry.image_id) for entry in view.images]
            _fill(ui.serverImageComboBox, texts)
        if view.strategies != self._strategies:
            self._strategies = view.strategies
            ordered = sorted(view.strategies, key=lambda name: (name not in STRATEGY_NAMES, name != "hybrid"))
            _fill(ui.strategyComboBox, [(STRATEGY_NAMES.get(name, name), name) for name in ordered])
        connected = view.connection in (Connection.THERE, Connection.LOST)
        idle = view.progress is None
        ui.loadImageButton.enabled = connected and idle and bool(view.images)
        ui.nextSampleButton.enabled = connected and idle and bool(view.strategies)
        ui.useSceneImageButton.enabled = connected and idle
        ui.imageLabel.text = _about_image(view)

    def _leaving(self, action: Callable[[bool], None]) -> None:
        view = self._session.view
        if view.unsaved and view.image is not None:
            if self._confirm(UNSAVED.format(image=view.image.image_id)):
                action(True)
            return
        action(False)


def _image_text(entry: Any) -> str:
    return f"{entry.image_id}  ✓" if entry.labelled else entry.image_id


def _about_image(view: SessionView) -> str:
    if view.image is None:
        return "No image yet."
    size = " × ".join(
        str(count) for count in (view.image.shape_ijk[:2] if view.image.is_flat else view.image.shape_ijk)
    )
    unsaved = ", not submitted" if view.unsaved else ""
    about = f"{view.image.image_id}: {size} {'pixels' if view.image.is_flat else 'voxels'}{unsaved}"
    return f"{about}\nChosen for: {view.reason}" if view.reason else about


def _fill(box: Any, texts: list[tuple[str, str]]) -> None:
    before = box.currentData
    box.blockSignals(True)
    box.clear()
    for text, data in texts:
        box.addItem(text, data)
    box.setCurrentIndex(max(0, box.findData(before)) if texts else -1)
    box.blockSignals(False)
