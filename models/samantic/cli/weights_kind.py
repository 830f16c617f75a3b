"""Of which kind of model a file of weights is."""

from __future__ import annotations

from pathlib import Path

from samantic.bundled import bundled_weights

SUFFIX = ".safetensors"


def weights_file(model: str) -> Path:
    """Return the file that `--model` names: that of a bundled model, or itself. ValueError lists the bundled models."""
    return Path(model).expanduser() if model.endswith(SUFFIX) else bundled_weights(model)


def kind_of(model: str) -> str:
    """Return "breast", "skinphoto", "student" or another such word from a file's header, "" for what has none."""
    from safetensors import SafetensorError, safe_open

    if not model.endswith(SUFFIX):
        return ""
    try:
        with safe_open(Path(model).expanduser(), framework="pt") as stored:
            name = str((stored.metadata() or {}).get("format", ""))
    except (OSError, SafetensorError):
        return ""  # who loads it says what is wrong with it
    return name.removeprefix("samantic.").split("/")[0]
