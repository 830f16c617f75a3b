"""The upper part of the panel: the server, what to do next, what went wrong, how far the work is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt

from SamanticLib.session import AnnotationSession
from SamanticLib.session_state import Connection, SessionView

DEFAULT_URL = "http://127.0.0.1:8000"
SERVERS_KEPT = 8
SERVERS_SETTING = "Samantic/servers"

LIGHTS = {
    Connection.NONE: ("#9aa0a8", "Not connected. Start a server with: samantic serve FOLDER"),
    Connection.CONNECTING: ("#d08a11", "Connecting …"),
    Connection.THERE: ("#1a9a5b", "Connected to {server}"),
    Connection.LOST: ("#d2433e", "{server} does not answer; it is asked again every few seconds."),
}
MESSAGE_COLORS = {"error": (210, 67, 62), "info": (47, 115, 216), "good": (26, 154, 91)}


class SignIn:
    """What the person typed for servers that ask who they are; read when a client is made, never written anywhere."""

    def __init__(self, ui: Any) -> None:
        self._ui = ui

    @property
    def token(self) -> str | None:
        """The token, None for none."""
        return self._ui.tokenLineEdit.text.strip() or None

    @property
    def certificate_file(self) -> str | None:
        """The path of a server's own certificate, None for the usual ones."""
        return self._ui.certificatePathLineEdit.currentPath.strip() or None


class ServerPart:
    """Address and state of the server, messages, progress. `told` makes slots say their errors; see SamanticPanel."""

    def __init__(self, ui: Any, session: AnnotationSession, told: Callable[..., Any]) -> None:
        self._ui = ui
        self._session = session
        self._said: tuple[str, str] | None = None
        self._notice_number = 0
        ui.connectButton.connect("clicked()", told(self.connect_to_server))
        ui.serverUrlComboBox.lineEdit().connect("returnPressed()", told(self.connect_to_server))
        ui.dismissMessageButton.connect("clicked()", told(self.dismiss))
        ui.cancelButton.connect("clicked()", told(session.cancel))
        self._list_servers(_kept_servers())

    def connect_to_server(self) -> None:
        """Connect to the address in the line."""
        url = self._ui.serverUrlComboBox.currentText.strip()
        if not url:
            self.say("error", f"Enter the address of a server first, such as {DEFAULT_URL}.")
            return
        self._session.connect(url)

    def say(self, kind: str, text: str) -> None:
        """Show a sentence of the panel's own until the session says something or it is closed."""
        self._said = (kind, text)
        self._draw_message()

    def dismiss(self) -> None:
        """Close the message."""
        self._said = None
        self._draw_message()

    def draw(self, view: SessionView) -> None:
        """Draw what the session says of the server, the next step, notices and progress."""
        color, text = LIGHTS[view.connection]
        self._ui.connectionLight.styleSheet = f"color: {color}; font-size: 14pt;"
        self._ui.connectionLabel.text = text.format(server=view.server or view.url or "The server")
        self._ui.connectButton.text = "Reconnect" if view.connection is Connection.THERE else "Connect"
        self._ui.guideLabel.text = view.next_step
        if view.connection is Connection.THERE:
            self._keep_server(view.url)
        if view.notice is None:
            # What the session said is over; the panel's own sentences stay until they are closed.
            if self._notice_number:
                self._said, self._notice_number = None, 0
        elif view.notice.number != self._notice_number:
            self._said, self._notice_number = (view.notice.kind, view.notice.text), view.notice.number
        self._draw_message()
        self._draw_progress(view)

    def _draw_message(self) -> None:
        self._ui.messageFrame.visible = self._said is not None
        if self._said is not None:
            kind, text = self._said
            red, green, blue = MESSAGE_COLORS.get(kind, MESSAGE_COLORS["info"])
            self._ui.messageLabel.text = text
            self._ui.messageFrame.styleSheet = (
                f"#messageFrame {{ border: 1px solid rgb({red}, {green}, {blue}); border-radius: 5px; "
                f"background: rgba({red}, {green}, {blue}, 28); }}"
            )

    def _draw_progress(self, view: SessionView) -> None:
        progress = view.progress
        self._ui.progressFrame.visible = progress is not None
        if progress is not None:
            # A bar from 0 to 0 is Qt's sign for work whose end is not known.
            self._ui.progressBar.maximum = max(0, progress.total)
            self._ui.progressBar.value = min(progress.done, progress.total)
            self._ui.progressBar.format = f"{progress.text}: %v of %m" if progress.total else progress.text
            self._ui.cancelButton.visible = progress.can_cancel

    def _keep_server(self, url: str) -> None:
        servers = _kept_servers()
        if servers[:1] != [url]:
            servers = [url, *(other for other in servers if other != url)][:SERVERS_KEPT]
            qt.QSettings().setValue(SERVERS_SETTING, "\n".join(servers))
            self._list_servers(servers)

    def _list_servers(self, servers: list[str]) -> None:
        box = self._ui.serverUrlComboBox
        box.clear()
        for url in servers:
            box.addItem(url)


def _kept_servers() -> list[str]:
    kept = qt.QSettings().value(SERVERS_SETTING)
    return [url for url in str(kept or "").split("\n") if url] or [DEFAULT_URL]
