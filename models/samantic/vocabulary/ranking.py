"""Which classes a person probably means: search by words, and by similar spelling."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from samantic.vocabulary.normalise import order_free_key, words_of
from samantic.vocabulary.semantic_class import SemanticClass

_NEAR_WORD = 0.75  # similarity above which a misspelt word still counts
_NEAR_NAME = 0.6  # similarity above which a name is worth suggesting
_SYNONYM = 0.95  # a hit in a synonym is worth a little less than one in the name


def search_order(words: Sequence[str], classes: Iterable[SemanticClass]) -> tuple[SemanticClass, ...]:
    """Return the classes in which every one of `words` is found, best first; ties keep the vocabulary's order."""
    if not words:
        return ()
    scored = [(_class_score(words, entry), entry) for entry in classes]
    hits = [pair for pair in scored if pair[0] > 0]
    return tuple(entry for _, entry in sorted(hits, key=lambda pair: -pair[0]))


def fuzzy_order(wrong_name: str, classes: Iterable[SemanticClass]) -> tuple[SemanticClass, ...]:
    """Return the classes with a name, label or synonym spelt nearly like `wrong_name`, nearest first."""
    scored = [
        (max(_name_likeness(wrong_name, name) for name in (entry.name, entry.label, *entry.synonyms)), entry)
        for entry in classes
    ]
    near = [pair for pair in scored if pair[0] > 0]
    return tuple(entry for _, entry in sorted(near, key=lambda pair: -pair[0]))


def _class_score(words: Sequence[str], entry: SemanticClass) -> float:
    own = max(_text_score(words, words_of(text)) for text in (entry.name, entry.label))
    others = (_text_score(words, words_of(text)) for text in entry.synonyms)
    return max(own, _SYNONYM * max(others, default=0.0))


def _text_score(words: Sequence[str], text_words: Sequence[str]) -> float:
    total = 0.0
    for word in words:
        best = max((_word_score(word, candidate) for candidate in text_words), default=0.0)
        if best == 0:
            return 0.0
        total += best
    # Words that nobody asked for push a class down: "kid" means a kidney sooner than a kidney cyst.
    return total / len(words) - 0.01 * len(text_words)


def _word_score(word: str, candidate: str) -> float:
    if word == candidate:
        return 1.0
    if candidate.startswith(word):
        return 0.9
    if len(word) >= 3 and word in candidate:
        return 0.7
    if len(word) >= 4:
        return 0.6 * _similarity(word, candidate, _NEAR_WORD)
    return 0.0


def _name_likeness(wrong_name: str, name: str) -> float:
    whole = _similarity(order_free_key(wrong_name), order_free_key(name), _NEAR_NAME)
    # "kidny" is far from "left kidney" as a whole, but every word of it is near a word there.
    words, name_words = words_of(wrong_name), words_of(name)
    best = [max((_similarity(word, other, _NEAR_WORD) for other in name_words), default=0.0) for word in words]
    by_word = sum(best) / len(best) - 0.02 * len(name_words) if best and min(best) > 0 else 0.0
    return max(whole, by_word)


def _similarity(first: str, second: str, least: float) -> float:
    """Similarity in 0..1, or 0 when it cannot reach `least` (the cheap bounds are looked at first)."""
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    if matcher.real_quick_ratio() < least or matcher.quick_ratio() < least:
        return 0.0
    ratio = matcher.ratio()
    return ratio if ratio >= least else 0.0
