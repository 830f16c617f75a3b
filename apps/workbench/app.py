"""The application: a trame server with one page, for one person."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from SamanticLib.client import SamanticClient
from SamanticLib.worker import Worker
from trame.app import TrameApp
from trame_slicer import module as trame_slicer_module
from trame_slicer.core import SlicerApp
from vtkmodules.vtkCommonCore import vtkLogger, vtkOutputWindow

from .drafts.store import DraftStore, drafts_folder
from .logic.workbench_logic import WorkbenchLogic
from .one_visitor import OneVisitor
from .ui.workbench_ui import WorkbenchUI


class WorkbenchApp(TrameApp):
    """3D Slicer's core, a session and the page that shows both."""

    def __init__(self, server: Any = None, samantic_url: str = "http://127.0.0.1:8000") -> None:
        super().__init__(server)
        self.server.enable_module(trame_slicer_module)
        self._samantic_url = samantic_url
        self._loop: asyncio.AbstractEventLoop | None = None
        self.slicer_app = SlicerApp()
        vtkOutputWindow.GetInstance().SetDisplayModeToNever()
        self.worker = Worker(self._schedule)
        drafts = DraftStore(drafts_folder())
        self.logic = WorkbenchLogic(self.server, self.slicer_app, SamanticClient, self.worker, drafts)
        self._ui = WorkbenchUI(self.server, self.logic.display.layout_manager, self.logic.on_key)
        self.logic.set_ui(self._ui)
        self.visitor = OneVisitor()
        self.server.state["trame__title"] = "Samantic"
        self.server.controller.add("on_server_bind")(self.visitor.guard)
        self.server.controller.add("on_server_ready")(self._connect)
        self.server.controller.add("on_server_exited")(self._close)

    @property
    def session(self) -> Any:
        """The session of this process."""
        return self.logic.session

    def _connect(self, *_: Any, **__: Any) -> None:
        self._loop = asyncio.get_event_loop()
        self.session.connect(self._samantic_url)

    def _close(self, *_: Any, **__: Any) -> None:
        self.session.close()
        self.logic.draft.keeper.flush()

    def _schedule(self, callback: Callable[[], None]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(callback)


def run(samantic_url: str, port: int, ready: Callable[[int], None] = lambda _: None) -> None:
    """Serve the workbench on 127.0.0.1 until the process is told to stop; port 0 takes a free one."""
    from trame.app import get_server

    # VTK looks for an X server first and says so; it renders off screen without one.
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_ERROR)
    app = WorkbenchApp(get_server(client_type="vue3"), samantic_url)
    app.server.controller.add("on_server_ready")(lambda **_: ready(app.server.port))
    app.server.start(host="127.0.0.1", port=port, open_browser=False, show_connection_info=False, timeout=0)
