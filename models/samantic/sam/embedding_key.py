"""What makes two image embeddings the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple, dataclass
from functools import cached_property


@dataclass(frozen=True)
class EmbeddingKey:
    """Everything an image embedding depends on: the image, the slice of it, its window, the encoder and its weights."""

    content_hash: str
    view: str
    window: str
    encoder: str
    weights_hash: str

    @cached_property
    def digest(self) -> str:
        """SHA-256 in hexadecimal over all five parts; parts cannot run into one another."""
        return hashlib.sha256(json.dumps([str(part) for part in astuple(self)]).encode()).hexdigest()
