"""The packaged text embeddings of the class descriptions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
from safetensors import safe_open

from samantic.vocabulary.semantic_class import SemanticClass

EMBEDDINGS_FILE = "text_embeddings.safetensors"


@dataclass(frozen=True, eq=False)
class TextEmbeddings:
    """Unit-length description embeddings: `vectors` (N, 384) float32, one row per name.

    `source` says where they come from: the encoder, its package and file hashes, and `descriptions`, the sha256 of the
    embedded texts.
    """

    names: tuple[str, ...]
    vectors: np.ndarray
    source: dict[str, str]

    def of(self, names: Sequence[str]) -> np.ndarray:
        """Return the embeddings of `names` in that order, shape (len(names), 384); ValueError for an unknown one."""
        rows = {name: row for row, name in enumerate(self.names)}
        unknown = [name for name in names if name not in rows]
        if unknown:
            raise ValueError(f"There is no text embedding of '{unknown[0]}'; rebuild the embeddings.")
        return self.vectors[[rows[name] for name in names]]

    def nearest(self, vector: np.ndarray, among: Collection[str]) -> str:
        """Return the name, one of `among`, whose embedding is nearest in angle to a unit-length `vector` (384,)."""
        rows = [row for row, name in enumerate(self.names) if name in among]
        return self.names[max(rows, key=lambda row: float(self.vectors[row] @ vector))]


@lru_cache(maxsize=1)
def load_text_embeddings() -> TextEmbeddings:
    """Return the packaged embeddings, read once per process; the rows are in the vocabulary's order."""
    with (
        resources.as_file(resources.files("samantic.vocabulary") / "data" / EMBEDDINGS_FILE) as path,
        safe_open(path, framework="numpy") as stored,
    ):
        vectors = stored.get_tensor("vectors")
        source = dict(stored.metadata())
    vectors.setflags(write=False)
    return TextEmbeddings(tuple(json.loads(source.pop("names"))), vectors, source)


def descriptions_hash(classes: Iterable[SemanticClass]) -> str:
    """Return the sha256 of names and embedded texts, in order: it changes whenever the embeddings must be rebuilt."""
    lines = "\n".join(f"{entry.name}\t{entry.embedded_text}" for entry in classes)
    return hashlib.sha256(lines.encode("utf-8")).hexdigest()
