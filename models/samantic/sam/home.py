"""Where Samantic keeps its state on this machine."""

from __future__ import annotations

import os
from pathlib import Path


def samantic_home() -> Path:
    """The state folder: `SAMANTIC_HOME`, or `.samantic` in the person's home folder; not created here."""
    named = os.environ.get("SAMANTIC_HOME", "").strip()
    return Path(named).expanduser() if named else Path.home() / ".samantic"


def embeddings_folder() -> Path:
    """Where image embeddings are kept between runs."""
    return samantic_home() / "cache" / "embeddings"


def weights_folder() -> Path:
    """Where downloaded checkpoints are kept."""
    return samantic_home() / "models"


def published_folder(model: str) -> Path:
    """Where a server keeps the versions of a model that it has trained."""
    return samantic_home() / "published" / model
