"""The line at the top, the server, sentences to the person."""

from __future__ import annotations

from SamanticLib.session_state import SessionView

from ..ui.status_ui import StatusState, StatusUI
from .base import PartLogic


class StatusLogic(PartLogic[StatusState]):
    """What to do next, and what went wrong."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self._closed = 0
        self._number = 0

    def set_ui(self, ui: StatusUI) -> None:
        """Connect what a person clicks."""
        ui.cancel_clicked.connect(self.session.cancel)
        ui.notice_closed.connect(self.close_notice)
        ui.connect_clicked.connect(self._connect)

    def close_notice(self) -> None:
        """Take the sentence away."""
        self._closed = self._number
        self.data.notice = ""

    def show(self, view: SessionView) -> None:
        """Write what there is to see."""
        data, progress = self.data, view.progress
        data.next_step = view.next_step
        data.connection = view.connection.value
        data.server = view.server or "Choose a server"
        if not data.connect_shown and view.url:
            data.url = view.url
        self._number = view.notice.number if view.notice else 0
        is_new = view.notice is not None and view.notice.number != self._closed
        data.notice = view.notice.text if view.notice is not None and is_new else ""
        data.notice_kind = view.notice.kind if view.notice is not None else "info"
        data.progress = progress.text if progress else ""
        data.done, data.total = (progress.done, progress.total) if progress else (0, 0)
        data.can_cancel = bool(progress and progress.can_cancel)
        data.asking = view.asking

    def _connect(self) -> None:
        self.data.connect_shown = False
        if self.data.url:
            self.session.connect(self.data.url)
