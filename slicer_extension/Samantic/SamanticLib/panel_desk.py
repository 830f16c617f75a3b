"""Everything that the desktop module is made of, put together once, for the panel and for the Segment Editor effect."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SamanticLib.client import SamanticClient
from SamanticLib.panel import SamanticPanel
from SamanticLib.panel_scene_images import SentImages
from SamanticLib.panel_server import SignIn
from SamanticLib.panel_thread import WindowThread
from SamanticLib.panel_tools import SliceTools, Strokes
from SamanticLib.scene_adapter import DesktopScene
from SamanticLib.session import AnnotationSession
from SamanticLib.worker import Worker


@dataclass(frozen=True)
class Surroundings:
    """What the module needs of the application around it, so that it can be built without one.

    load_volume(path) and export(node, path): read and write a volume. show(node): put it into the slice views. views():
    (interactor, slice node) of each slice view. confirm(text): ask the person, yes or no. tell(text): say in passing.
    """

    scene: Any
    load_volume: Callable[[Path], Any]
    export: Callable[[Any, Path], Any]
    show: Callable[[Any], None]
    views: Callable[[], Iterable[tuple[Any, Any]]]
    confirm: Callable[[str], bool]
    tell: Callable[[str], None]


class Desk:
    """A session, its scene, the mouse and the panel. `close` ends the work and its threads."""

    def __init__(self, ui: Any, around: Surroundings) -> None:
        sign_in = SignIn(ui)

        def new_client(url: str) -> SamanticClient:
            return SamanticClient(url, token=sign_in.token, certificate_file=sign_in.certificate_file)

        self._window = WindowThread()
        self._worker = Worker(self._window.schedule)
        self.scene = DesktopScene(around.scene, around.load_volume, around.show, around.tell)
        self.session = AnnotationSession(new_client, self.scene, self._worker)
        self.scene.on_change = self.session.scene_changed
        self.images = SentImages(
            self.session, self.scene, self._worker, new_client, around.scene.GetNodeByID, around.export, self._say
        )
        tools = SliceTools(Strokes(self.session, self.scene, self._say), around.views)
        self.panel = SamanticPanel(ui, self.session, tools, self.images, around.confirm)

    def close(self) -> None:
        """End the work; what is under way on the server is left to it."""
        self.panel.leave()
        self.session.close()
        self._window.close()

    def _say(self, error: Exception) -> None:
        self.panel.server.say("error", str(error))
