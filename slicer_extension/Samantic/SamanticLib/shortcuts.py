"""Keys for what the hands do most; they work while the module is open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import qt

from SamanticLib.shortcuts_keys import KEYS


class Shortcuts:
    """The keys, on a window; off until `enable(True)`. Keys that a line of text needs go to the line."""

    def __init__(self, window: Any, actions: Mapping[str, Callable[[], None]]) -> None:
        """Bind each action to the key of its name in KEYS; KeyError for a name without a key."""
        self._shortcuts = []
        for name, action in actions.items():
            shortcut = qt.QShortcut(window)
            shortcut.setKey(qt.QKeySequence(KEYS[name]))
            shortcut.connect("activated()", action)
            shortcut.enabled = False
            self._shortcuts.append(shortcut)

    def enable(self, enabled: bool) -> None:
        """Switch all keys on or off."""
        for shortcut in self._shortcuts:
            shortcut.enabled = enabled


def with_key(tool_tip: str, name: str) -> str:
    """Return a tool tip that also says the key of a widget, where it has one."""
    return f"{tool_tip} ({KEYS[name]})" if name in KEYS else tool_tip
