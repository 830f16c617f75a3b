"""The images of the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from SamanticLib.session_state import Connection, SessionView

from ..ui.image_ui import STRATEGIES, ImageState, ImageUI
from .base import PartLogic


class ImageLogic(PartLogic[ImageState]):
    """Opening images; what is not submitted is never left without asking."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._leave: Callable[[], None] | None = None
        self._is_unsaved = False
        self._eyes: dict[str, str] = {}

    def set_ui(self, ui: ImageUI) -> None:
        """Connect what a person clicks."""
        ui.image_chosen.connect(self.open)
        ui.next_clicked.connect(self.next)
        ui.discard_clicked.connect(self._discard)
        ui.stay_clicked.connect(self._stay)
        ui.load_clicked.connect(lambda: self.session.load_label(self.scene.read_label))

    def open(self, image_id: str) -> None:
        """Open an image, or ask first."""
        self._go(lambda: self.session.open_image(image_id, discard=True))

    def next(self, strategy: str = "hybrid") -> None:
        """Open the image that the server chooses, or ask first."""
        self._go(lambda: self.session.next_image(strategy, discard=True, **self._eyes))

    def show(self, view: SessionView) -> None:
        """Write what there is to see."""
        self._is_unsaved = view.unsaved
        # Who annotates photographs of skin goes on with the one that the model of such photographs wants to see.
        is_skin = view.image is not None and view.image.is_colour and "besadiff" in view.models
        self._eyes = {"model": "besadiff"} if is_skin else {}
        self.data.images = [{"id": one.image_id, "labelled": one.labelled} for one in view.images]
        self.data.labelled = sum(one.labelled for one in view.images)
        self.data.image_id = view.image.image_id if view.image else None
        self.data.strategies = [
            {"id": key, "title": words} for key, words in STRATEGIES.items() if key in view.strategies
        ]
        self.data.reason = view.reason
        self.data.is_there = view.connection is Connection.THERE
        self.data.is_busy = view.progress is not None
        self.data.has_label = view.can_load_label

    def _go(self, leave: Callable[[], None]) -> None:
        if self._is_unsaved:
            self._leave = leave
            self.data.leaving = "yes"
        else:
            leave()

    def _discard(self) -> None:
        self.data.leaving = ""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()

    def _stay(self) -> None:
        self.data.leaving = ""
        self._leave = None
