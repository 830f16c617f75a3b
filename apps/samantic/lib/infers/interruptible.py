"""A network that can be stopped between two passes, and tells how many it has made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from samantic.segsam.cancelling import Cancelled


@contextmanager
def interruptible(
    network: nn.Module, passes: int, on_progress: Callable[[int, int], None], is_cancelled: Callable[[], bool]
) -> Iterator[None]:
    """Ask `is_cancelled` before every pass in the block and tell how many of `passes` are done. Raises Cancelled.

    Nobody else may use the network meanwhile: run the block where its passes wait for one another (ModelThreads).
    """
    done = 0

    def before(*_: Any) -> None:
        nonlocal done
        if is_cancelled():
            raise Cancelled
        on_progress(min(done, passes), passes)
        done += 1

    hook = network.register_forward_pre_hook(before)
    try:
        yield
    finally:
        hook.remove()
