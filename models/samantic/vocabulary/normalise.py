"""One spelling for what people type: case, accents, underscores and word order do not matter."""

from __future__ import annotations

import re
import unicodedata


def words_of(text: str) -> tuple[str, ...]:
    """Return the lower-case words of `text`, without accents and punctuation ("Kidney_LEFT" -> ("kidney", "left"))."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    return tuple(re.findall(r"[a-z0-9]+", plain))


def order_free_key(text: str) -> str:
    """Return the sorted words of `text`: the same for "left kidney", "kidney left" and "kidney_left"."""
    return " ".join(sorted(words_of(text)))
