"""The extension's library is imported as Slicer does it: its module folder lies on the path."""

from __future__ import annotations

import sys
from pathlib import Path

EXTENSION = Path(__file__).parents[2] / "slicer_extension" / "Samantic"

if str(EXTENSION) not in sys.path:
    sys.path.insert(0, str(EXTENSION))
