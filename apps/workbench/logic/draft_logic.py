"""Drafts: written while the person works, offered when the image is opened again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from SamanticLib.errors import SamanticError
from SamanticLib.session_ports import LaneWorker
from SamanticLib.session_state import SessionView
from undo_stack import Signal

from ..drafts.keeper import DraftKeeper
from ..drafts.store import Draft, DraftStore
from ..ui.draft_ui import DraftState, DraftUI
from .base import PartLogic


class DraftLogic(PartLogic[DraftState]):
    """Asks whether to go on with a draft, and keeps a new one."""

    restored = Signal()

    def __init__(
        self, server: Any, state_type: Any, session: Any, scene: Any, store: DraftStore, worker: LaneWorker
    ) -> None:
        super().__init__(server, state_type, session, scene)
        self._draft: Draft | None = None
        self.keeper = DraftKeeper(store, scene, worker, _later, session.say, self._offer)

    def set_ui(self, ui: DraftUI) -> None:
        """Connect what a person clicks."""
        ui.restore_clicked.connect(self._restore)
        ui.discard_clicked.connect(self._discard)

    def show(self, view: SessionView) -> None:
        """Keep what there is to keep."""
        self.keeper.see(view)

    def _offer(self, draft: Draft | None) -> None:
        self._draft = draft
        with self.server.state:
            self.data.question = "" if draft is None else question(draft, datetime.now().astimezone())

    def _restore(self) -> None:
        draft = self._draft
        self._offer(None)
        if draft is None:
            return
        try:
            self.scene.restore(draft)
        except SamanticError as error:
            self.session.say("error", str(error))
            return
        self.keeper.took(draft)
        self.restored.emit()
        self.session.scene_changed()

    def _discard(self) -> None:
        draft = self._draft
        self._offer(None)
        if draft is not None:
            self.keeper.discard(draft)


def question(draft: Draft, now: datetime) -> str:
    """Return what is asked about a draft, with the time as the clock on the wall says it."""
    saved = draft.saved_at.astimezone(now.tzinfo)
    day = "" if saved.date() == now.date() else f"{saved.day} {saved:%B}, "
    segments = "1 segment" if draft.drawn == 1 else f"{draft.drawn} segments"
    return f"There is a draft of {day}{saved:%H:%M}, with {segments}, that was not submitted. Restore it?"


def _later(seconds: float, callback: Callable[[], None]) -> Any:
    return asyncio.get_running_loop().call_later(seconds, callback)
