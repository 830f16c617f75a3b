"""MONAI Label's upload sessions, such that a kill at any moment does not keep the next start from working."""

from __future__ import annotations

import json
import logging
import shutil
import time
from pathlib import Path
from typing import Any

from monailabel.utils.sessions import SessionInfo, Sessions

from samantic.imaging.atomic import atomic_path

META = "meta.info"
HALF_MADE_SECONDS = 3600  # An upload that is being taken in has no notes yet, but not for an hour.

logger = logging.getLogger(__name__)


class DurableSessions(Sessions):
    """Sessions whose notes are written whole or not at all; what a kill left half-made is removed after an hour.

    The base fails on a session without readable notes, and with it the server's start. Source: ours, after MONAI
    Label 0.8.5.
    """

    def remove_expired(self) -> int:
        """Remove the sessions that are expired or were left half-made; return their number."""
        store = Path(self.store_path)
        over = [folder for folder in store.iterdir() if folder.is_dir() and _is_over(folder)] if store.is_dir() else []
        for folder in over:
            logger.info("Removing the session %s", folder.name)
            self.pop(folder.name, None)
            shutil.rmtree(folder, ignore_errors=True)
        return len(over)

    def get_session(self, session_id: str, update_ts: bool = True, fetch_cache: bool = True) -> SessionInfo | None:
        """Return a session, None if there is none or its notes are damaged."""
        if session_id not in self and _notes(Path(self.store_path) / session_id) is None:
            return None
        return super().get_session(session_id, update_ts, fetch_cache)

    def _write_meta_info(self, session_id: str, session_info: SessionInfo) -> None:
        with atomic_path(Path(self.store_path) / session_id / META) as temporary:
            temporary.write_text(session_info.to_str(), encoding="utf-8")


def _is_over(folder: Path) -> bool:
    notes = _notes(folder)
    if notes is None:
        return time.time() - folder.stat().st_mtime > HALF_MADE_SECONDS
    expiry = int(notes.get("expiry") or 0)
    return expiry > 0 and int(notes.get("last_access_ts") or 0) + expiry < time.time()


def _notes(folder: Path) -> dict[str, Any] | None:
    try:
        notes = json.loads((folder / META).read_text(encoding="utf-8"))
        return notes if Path(notes["image"]).exists() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
