"""Rebuild the packaged text embeddings: `python -m samantic.vocabulary.build_embeddings` (needs the extra `text`)."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.numpy import save_file

from samantic.imaging.atomic import atomic_path
from samantic.vocabulary.loading import load_vocabulary
from samantic.vocabulary.text_embeddings import EMBEDDINGS_FILE, descriptions_hash
from samantic.vocabulary.text_encoder import ENCODER_SOURCE, embed_text

PACKAGED_FILE = Path(__file__).with_name("data") / EMBEDDINGS_FILE


def build_embeddings(path: Path = PACKAGED_FILE) -> int:
    """Embed every class description, write the array with its source to `path` and return how many classes it holds."""
    vocabulary = load_vocabulary()
    vectors = embed_text([entry.embedded_text for entry in vocabulary])
    metadata = {
        **ENCODER_SOURCE,
        "names": json.dumps(vocabulary.names),
        "descriptions": descriptions_hash(vocabulary),
    }
    with atomic_path(path) as temporary:
        save_file({"vectors": vectors}, temporary, metadata=metadata)
    return len(vocabulary)


if __name__ == "__main__":
    print(f"Embedded {build_embeddings()} class descriptions into {PACKAGED_FILE}")
