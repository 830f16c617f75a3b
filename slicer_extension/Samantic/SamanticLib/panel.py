"""The panel of the desktop module: draws a session's view and calls the session's methods, nothing else.

It is the only user of Qt in the library, in parts: `panel_server`, `panel_image`, `panel_classes`, `panel_prompts`,
`panel_answer`, `panel_training`. The marks themselves are made in the slice views, by `panel_tools`.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from SamanticLib.errors import SamanticError
from SamanticLib.panel_answer import AnswerPart
from SamanticLib.panel_classes import ClassPart
from SamanticLib.panel_image import ImagePart, SceneImages
from SamanticLib.panel_pictures import icon
from SamanticLib.panel_prompts import PromptPart, Tools
from SamanticLib.panel_server import ServerPart
from SamanticLib.panel_training import TrainingPart
from SamanticLib.session import AnnotationSession
from SamanticLib.session_state import SessionView
from SamanticLib.shortcuts import Shortcuts, with_key
from SamanticLib.shortcuts_keys import KEYS

LINES = ("classSearchBox", "textLineEdit")

logger = logging.getLogger(__name__)


class SamanticPanel:
    """The widgets of Samantic.ui, brought to life.

    ui: an object with the widgets as attributes, as `slicer.util.childWidgetVariables` gives it. tools: mark in slice
    views. scene_images: send an image of the scene to the server. confirm(text): ask the person, yes or no.
    """

    def __init__(
        self,
        ui: Any,
        session: AnnotationSession,
        tools: Tools,
        scene_images: SceneImages,
        confirm: Callable[[str], bool],
    ) -> None:
        self.ui = ui
        self._session = session
        self._set_icons_and_tips()
        self.server = ServerPart(ui, session, self.told)
        self.prompts = PromptPart(ui, session, tools, self.told)
        self._parts = (
            self.server,
            ImagePart(ui, session, scene_images, confirm, self.told),
            ClassPart(ui, session, self.told),
            self.prompts,
            AnswerPart(ui, session, self.told),
            TrainingPart(ui, session, self.told),
        )
        session.listen(self.draw)
        self.draw(session.view)

    def draw(self, view: SessionView) -> None:
        """Draw a view; a part that fails says so and does not keep the others from being drawn."""
        for part in self._parts:
            try:
                part.draw(view)
            except Exception as error:
                self._tell(error)

    def told(self, function: Callable[..., Any]) -> Callable[..., None]:
        """Return a function for a signal: what goes wrong in it is said to the person, and the panel stays alive."""

        @functools.wraps(function, assigned=())
        def slot(*values: Any) -> None:
            try:
                function(*values)
            except Exception as error:
                self._tell(error)

        return slot

    def shortcuts(self, window: Any) -> Shortcuts:
        """Return the keys of the panel for a window, switched off."""
        return Shortcuts(window, {name: self.told(functools.partial(self._use, name)) for name in KEYS})

    def leave(self) -> None:
        """Give the mouse back to Slicer, as when another module is opened."""
        self.prompts.put_down()

    def _use(self, name: str) -> None:
        widget = getattr(self.ui, name)
        if not widget.enabled:
            return
        if name in LINES:
            widget.setFocus()
            widget.selectAll()
        else:
            widget.click()

    def _set_icons_and_tips(self) -> None:
        for name, widget in vars(self.ui).items():
            if widget.property("iconName"):
                widget.icon = icon(widget.property("iconName"))
            if name in KEYS:
                widget.toolTip = with_key(widget.toolTip, name)

    def _tell(self, error: Exception) -> None:
        if not isinstance(error, SamanticError):
            logger.error("The panel failed", exc_info=error)
        sentence = str(error) if isinstance(error, SamanticError) else f"Something went wrong in the panel: {error}"
        self.server.say("error", sentence)
