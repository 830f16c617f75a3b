"""A task's process ends with the server that started it, however that server ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

VARIABLE = "SAMANTIC_SERVER_PID"
"""In the environment of every process that a server starts: the server's process id."""

TASK_MODULE = "monailabel.interfaces.utils.app"
"""What MONAI Label runs in the process of a task."""

_PR_SET_PDEATHSIG = 1
_LOOK_EVERY_S = 0.5


def tie_to_server() -> None:
    """In the process of a task: die as soon as the server that started it is gone. In a server: leave it a trace.

    A task that a person starts by hand, without a server, is not tied to anything. Source: ours.
    """
    if not is_task_process():
        os.environ[VARIABLE] = str(os.getpid())
    elif os.environ.get(VARIABLE, "").isdecimal():
        die_with(int(os.environ[VARIABLE]))


def is_task_process() -> bool:
    """Whether MONAI Label runs a single task, such as a training, in this process."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return getattr(spec, "name", None) == TASK_MODULE


def die_with(parent: int) -> None:
    """End this process, as SIGKILL would, when its parent process, which has the id `parent`, ends; now if it has.

    On Linux the kernel does it, elsewhere a thread looks twice a second. Source: ours.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "the kernel does not end this process with its server")
    else:
        threading.Thread(target=_watch, args=(parent,), name="parent-watch", daemon=True).start()
    # It may have ended before anybody was watching.
    if os.getppid() != parent:
        _end()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_S)
    _end()


def _end() -> None:
    os._exit(1)
