"""The words that a data set uses for its labels -> classes of the vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from samantic.vocabulary import UnknownClassError, load_vocabulary


def class_of(word: str, domain: str, own_words: Mapping[str, str] | None = None) -> str | None:
    """Return the class that a data set's word means in images of `domain`; None where the vocabulary has none.

    own_words: lower-case words that mean something in this data set only, and the class meant. Source: ours.
    """
    return _found((own_words or {}).get(word.lower(), word), domain)


def classes_of(
    words: Mapping[int, str], domain: str, own_words: Mapping[str, str] | None = None
) -> dict[int, str | None]:
    """Return value -> class (None where the vocabulary has none) of value -> word; the value 0 is left out."""
    return {value: class_of(word, domain, own_words) for value, word in sorted(words.items()) if value != 0}


def note_on_unknown(words: Mapping[int, str], classes: Mapping[int, str | None]) -> tuple[str, ...]:
    """Return one line that names the words without a class, or nothing."""
    return note_on_words([words[value] for value, name in classes.items() if name is None])


def note_on_words(unknown: list[str]) -> tuple[str, ...]:
    """Return one line that says that these words are left out, or nothing if there are none."""
    if not unknown:
        return ()
    return (f"the vocabulary has no class for {', '.join(unknown)} in these images; those labels are left out.",)


@lru_cache(maxsize=4096)  # a data set asks for the same hundred names in every case
def _found(word: str, domain: str) -> str | None:
    try:
        found = load_vocabulary().find(word)
    except UnknownClassError:
        return None
    return found.name if domain in found.domains else None
