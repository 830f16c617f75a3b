"""The segments of the image, and the surfaces of the 3-D view."""

from __future__ import annotations

import asyncio
from typing import Any

from SamanticLib.session_state import SessionView
from trame_server.utils.asynchronous import create_task
from trame_slicer.core import SlicerApp

from ..ui.segments_ui import SegmentsState, SegmentsUI
from .base import PartLogic, as_hex

SURFACES_AFTER_S = 0.6
"""Surfaces are made when nothing has changed for so long, so that a click does not wait for them."""


class SegmentsLogic(PartLogic[SegmentsState]):
    """Showing, hiding, removing; opacity; surfaces."""

    def __init__(self, server: Any, state_type: Any, session: Any, scene: Any, slicer_app: SlicerApp) -> None:
        super().__init__(server, state_type, session, scene)
        self._app = slicer_app
        self._waiting: asyncio.Task[None] | None = None
        self._are_in_view = False
        self._is_map_shown = False
        self._typed_state.bind_changes(
            {self.name.opacity: self._on_opacity, self.name.show_3d: lambda *_: self.make_surfaces()}
        )

    def set_ui(self, ui: SegmentsUI) -> None:
        """Connect what a person clicks."""
        ui.selected.connect(self._select)
        ui.visibility_clicked.connect(self._toggle)
        ui.remove_clicked.connect(self._remove)

    def show(self, view: SessionView) -> None:
        """Write what there is to see."""
        self.data.segments = [
            {
                "id": one.segment_id,
                "name": one.name,
                "colour": as_hex(one.rgb),
                "visible": one.is_visible,
            }
            for one in view.segments
            if not one.is_empty
        ]
        if view.map_shown != self._is_map_shown:
            self._is_map_shown = view.map_shown
            self._on_opacity(self.data.opacity)
        self.data.active_id = self._app.segmentation_editor.get_active_segment_id()

    def begin_image(self) -> None:
        """Draw the segments of a new image as the last ones were."""
        display = self.scene.segmentation.GetDisplayNode()
        display.SetSliceIntersectionThickness(2)
        self._on_opacity(self.data.opacity)
        self._are_in_view = False

    def toggle_all(self) -> None:
        """Show all segments, or hide them while one looks at the image."""
        if self.scene.segmentation is not None:
            node = self.scene.segmentation
            node.SetDisplayVisibility(not node.GetDisplayVisibility())

    def make_surfaces(self) -> None:
        """Make the surfaces again soon, if they are wanted."""
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = create_task(self._make_soon())

    async def _make_soon(self) -> None:
        await asyncio.sleep(SURFACES_AFTER_S)
        self._waiting = None
        node, image = self.scene.segmentation, self.scene.image
        if node is None or image is None:
            return
        if self.data.show_3d and not image.is_flat:
            node.CreateClosedSurfaceRepresentation()
            if not self._are_in_view:
                self._are_in_view = True
                for view in self._app.view_manager.get_threed_views():
                    view.reset_view()
                    _look_from_above(view)
        else:
            node.RemoveClosedSurfaceRepresentation()

    def _on_opacity(self, opacity: float) -> None:
        if self.scene.segmentation is not None:
            display = self.scene.segmentation.GetDisplayNode()
            # The border is what the map is about.
            display.SetOpacity2DFill(0.0 if self._is_map_shown else opacity)
            display.SetOpacity2DOutline(1.0)

    def _select(self, segment_id: str) -> None:
        self._app.segmentation_editor.set_active_segment_id(segment_id)
        self.data.active_id = segment_id

    def _toggle(self, segment_id: str) -> None:
        display = self.scene.segmentation.GetDisplayNode()
        display.SetSegmentVisibility(segment_id, not display.GetSegmentVisibility(segment_id))
        self.session.refresh()

    def _remove(self, segment_id: str) -> None:
        self._app.segmentation_editor.remove_segment(segment_id)
        self.session.scene_changed()


def _look_from_above(view: Any) -> None:
    """Turn a 3-D view so that an axial slice is seen from the front, the left and above."""
    camera = view.get_camera_node()
    if camera is not None:
        camera.GetCamera().Azimuth(28)
        camera.GetCamera().Elevation(24)
        camera.ResetClippingRange()
        view.schedule_render()
