"""The models that come with the package: `NAME.safetensors` beside its card `NAME.json`."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

NAMES = (
    "besadiff-generator",
    "besadiff-segmenter",
    "breast-ultrasound",
    "segsam-tiny",
    "skin-photo",
    "student-breast-ultrasound",
    "student-dermoscopy",
    "student-hippocampus",
)
"""What a whole package holds."""


def bundled_models() -> tuple[str, ...]:
    """Return the names of the bundled models whose weights are there."""
    return tuple(sorted(path.stem for path in _folder().glob("*.safetensors")))


def bundled_weights(name: str) -> Path:
    """Return the weights file of a bundled model; ValueError lists the models there are."""
    there = bundled_models()
    if name in there:
        return _folder() / f"{name}.safetensors"
    if name in NAMES:
        raise ValueError(f"The weights of '{name}' are missing from this package; bundled models: {', '.join(there)}.")
    raise ValueError(f"'{name}' does not come with this package; bundled models: {', '.join(there)}.")


def model_card(name: str) -> dict[str, Any]:
    """Return a bundled model's card: data, licence, recipe, figures, limits."""
    return json.loads(bundled_weights(name).with_suffix(".json").read_text(encoding="utf-8"))


def _folder() -> Path:
    return Path(str(resources.files("samantic.bundled")))
