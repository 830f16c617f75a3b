"""Window and layout."""

from __future__ import annotations

import asyncio
from typing import Any

from SamanticLib.session_ports import SceneImage
from trame_server.utils.asynchronous import create_task
from trame_slicer.core import LayoutManager, SlicerApp, VolumeWindowLevel
from trame_slicer.views import Layout, LayoutDirection, ViewLayoutDefinition

from ..ui.display_ui import DisplayState, DisplayUI
from .base import PartLogic

PRESETS = {
    "Abdomen": (-160.0, 240.0),
    "Lung": (-1350.0, 150.0),
    "Bone": (-500.0, 1300.0),
    "Brain": (0.0, 80.0),
}
"""Lower and upper end in Hounsfield units."""

AUTO = "Auto"
LOOK_S, LOOKS_AT_SIZES = 0.15, 20
AIR = -200.0
"""A volume with values below this is a CT."""


def layouts() -> dict[str, Layout]:
    """Return the layouts of the page."""
    axial, coronal = ViewLayoutDefinition.axial_view(), ViewLayoutDefinition.coronal_view()
    sagittal = ViewLayoutDefinition.sagittal_view()
    solid = ViewLayoutDefinition.threed_view(background_color=("#0e1114", "#1a2027"))
    return {
        "Main": Layout(
            LayoutDirection.Horizontal,
            [axial, Layout(LayoutDirection.Vertical, [coronal, sagittal, solid])],
            flex_sizes=["2.5", "1"],
        ),
        "Four": Layout(
            LayoutDirection.Horizontal,
            [Layout(LayoutDirection.Vertical, [axial, coronal]), Layout(LayoutDirection.Vertical, [solid, sagittal])],
        ),
        "One": Layout(LayoutDirection.Vertical, [axial]),
        "3D": Layout(LayoutDirection.Vertical, [solid]),
    }


class DisplayLogic(PartLogic[DisplayState]):
    """How the image is shown."""

    def __init__(self, server: Any, state_type: Any, session: Any, scene: Any, slicer_app: SlicerApp) -> None:
        super().__init__(server, state_type, session, scene)
        self._app = slicer_app
        self.layout_manager = LayoutManager(slicer_app.scene, slicer_app.view_manager, server)
        self.layout_manager.register_layout_dict(layouts())
        self.layout_manager.set_layout("Main")
        for view in slicer_app.view_manager.get_slice_views():
            # Without a graphics card smoothed edges would cost more than half of the time of a picture.
            view.render_window().SetMultiSamples(0)
        self._typed_state.bind_changes({self.name.window: self._on_window, self.name.layout: self._on_layout})
        self._volume_layout = "Main"

    def set_ui(self, ui: DisplayUI) -> None:
        """Connect what a person clicks."""
        ui.preset_clicked.connect(self._on_preset)

    def begin_image(self, image: SceneImage) -> None:
        """Show a new image: a CT in the window of soft tissue, a picture alone."""
        volume = self.scene.volume
        self.data.is_flat, self.data.is_grey = image.is_flat, not image.is_colour
        if image.is_flat:
            self._volume_layout = self.data.layout if self.data.layout != "One" else self._volume_layout
            self.data.layout = "One"
        else:
            self.data.layout = self._volume_layout
        self.layout_manager.set_layout(self.data.layout)
        if not image.is_colour:
            lowest, highest = VolumeWindowLevel.get_volume_scalar_range(volume)
            is_ct = lowest < AIR and not image.is_flat
            self.data.lowest, self.data.highest = float(lowest), float(highest)
            self.data.presets = [AUTO, *(PRESETS if is_ct else ())]
            self._on_preset("Abdomen" if is_ct else AUTO)
        else:
            VolumeWindowLevel.set_volume_node_display_min_max_range(volume, 0, 255)
        for view in self._app.view_manager.get_slice_views():
            view.set_visible_in_3d(view.get_singleton_tag() == "Red" and not image.is_flat)
        self._app.display_manager.reset_views()
        create_task(self._fit_soon(image, self._sizes()))

    async def _fit_soon(self, image: SceneImage, sizes: list[tuple[int, int]]) -> None:
        # The browser tells the views their new sizes only after it has drawn the new layout.
        for _ in range(LOOKS_AT_SIZES):
            await asyncio.sleep(LOOK_S)
            if self.scene.image is not image:
                return
            if self._sizes() != sizes:
                self._app.display_manager.reset_views()
                sizes = self._sizes()

    def _sizes(self) -> list[tuple[int, int]]:
        return [tuple(view.render_window().GetSize()) for view in self._app.view_manager.get_slice_views()]

    def next_layout(self) -> None:
        """Show the next layout."""
        names = self.layout_manager.get_layout_ids()
        if not self.data.is_flat:
            self.data.layout = names[(names.index(self.data.layout) + 1) % len(names)]
            self._on_layout(self.data.layout)

    def _on_layout(self, layout: str) -> None:
        self.layout_manager.set_layout(layout)

    def _on_preset(self, preset: str) -> None:
        ends = PRESETS.get(preset) or VolumeWindowLevel.get_volume_auto_min_max_range(self.scene.volume)
        self.data.preset = preset
        self.data.lowest, self.data.highest = min(self.data.lowest, ends[0]), max(self.data.highest, ends[1])
        self.data.window = [float(end) for end in ends]
        self._on_window(self.data.window)

    def _on_window(self, window: list[float]) -> None:
        if self.scene.volume is None or not self.data.is_grey:
            return
        VolumeWindowLevel.set_volume_node_display_min_max_range(self.scene.volume, *window)
        ends = PRESETS.get(self.data.preset)
        if ends is not None and tuple(window) != ends:
            self.data.preset = ""
