"""What the logic of every part of the page has."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from SamanticLib.session import AnnotationSession
from SamanticLib.session_state import SessionView
from trame_server.utils.typed_state import TypedState

from ..scene.workbench_scene import WorkbenchScene

T = TypeVar("T")


class PartLogic(Generic[T]):
    """Writes what the session shows into the state of one part of the page, and its clicks into the session."""

    def __init__(self, server: Any, state_type: type[T], session: AnnotationSession, scene: WorkbenchScene) -> None:
        self.server = server
        self.session = session
        self.scene = scene
        self._typed_state = TypedState(server.state, state_type)

    @property
    def data(self) -> Any:
        """The part's state."""
        return self._typed_state.data

    @property
    def name(self) -> Any:
        """The names of the part's state."""
        return self._typed_state.name

    def set_ui(self, ui: Any) -> None:
        """Connect what a person clicks."""

    def show(self, view: SessionView) -> None:
        """Write what there is to see."""


def as_hex(rgb: tuple[int, int, int]) -> str:
    """Return a colour as the page wants it."""
    return f"#{rgb[0]:02x}{rgb[1]:02x}{rgb[2]:02x}"
