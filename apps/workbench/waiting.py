"""A doorkeeper that costs nothing: holds the workbench's address, and becomes the workbench when somebody knocks.

    python -m samantic.workbench.waiting URL PORT

Nothing is imported but the standard library, so that a server whose workbench nobody opens does not pay for it. Ends
when its standard input does, that is, with the process that started it.
"""

from __future__ import annotations

import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Samantic</title>
<meta http-equiv="refresh" content="1"><body style="margin:0;height:100vh;display:flex;align-items:center;
justify-content:center;background:#0e1114;color:#9aa6b1;font:16px Inter,'Segoe UI',Roboto,system-ui,sans-serif">
The workbench is starting, one moment &hellip;</body></html>"""


def wait(port: int) -> None:
    """Return when somebody has opened the address in a browser, who was asked to come again in a second."""
    knocked = threading.Event()

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(PAGE)))
            self.end_headers()
            self.wfile.write(PAGE)
            if self.path.split("?", 1)[0] in ("/", "/index.html"):
                knocked.set()

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", port), Door) as server:
        threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
        knocked.wait()
        server.shutdown()


def end_with_input() -> None:
    """End this process when its standard input ends."""

    def watch() -> None:
        while os.read(0, 64):
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    end_with_input()
    wait(int(sys.argv[2]))
    os.execv(sys.executable, [sys.executable, "-m", "samantic.workbench", sys.argv[1], sys.argv[2], "--end-with-input"])
