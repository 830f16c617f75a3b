"""Class names and words written on the command line -> classes that a model knows."""

from __future__ import annotations

from collections.abc import Sequence

from samantic.vocabulary import UnknownClassError, Vocabulary, embed_text, load_text_embeddings


def known_classes(vocabulary: Vocabulary, known: Sequence[str], listed: str, text: str | None) -> tuple[str, ...]:
    """Return the classes of a comma-separated list in its order, and the one that `text` means last.

    Names, labels, synonyms and SNOMED CT codes are understood. Raises UnknownClassError with the nearest names, and
    TextEncoderError where `text` is in nobody's words and the extra `text` is not installed.
    """
    classes = [_known(vocabulary, known, name.strip()) for name in listed.split(",") if name.strip()]
    if text is not None:
        classes.append(_meant(vocabulary, known, text))
    return tuple(dict.fromkeys(classes))


def _known(vocabulary: Vocabulary, known: Sequence[str], name: str) -> str:
    if name in known:  # a class that somebody taught the model is in no vocabulary
        return name
    found = vocabulary.find(name).name
    if found not in known:
        nearest = [other for other in vocabulary.suggest(found, 20) if other in known][:3]
        hint = f"; it knows {', '.join(nearest)}" if nearest else ""
        raise UnknownClassError(f"The model does not know the class '{found}'{hint}.")
    return found


def _meant(vocabulary: Vocabulary, known: Sequence[str], text: str) -> str:
    if text in known:
        return text
    try:
        found = vocabulary.find(text).name
    except UnknownClassError:
        return load_text_embeddings().nearest(embed_text([text])[0], known)
    return _known(vocabulary, known, found)
