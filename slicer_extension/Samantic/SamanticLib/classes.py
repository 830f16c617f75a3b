"""The classes that a model knows: found by words or code, and as Slicer writes them into a segment."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from SamanticLib.answers import ClassEntry, CodedTerm
from SamanticLib.errors import SamanticError

CONTEXT = "Segmentation category and type - Samantic"
REGION_CONTEXT = "Anatomic codes - DICOM master list"
QUERY_LIMIT = 200  # characters looked at; more is no name

# How good a match is, the smaller the better: the whole text, its beginning, the beginning of a word, inside a word.
_WHOLE, _BEGUN, _WORD_BEGUN, _INSIDE = range(4)
_SHORTEST_INSIDE = 3  # letters: one or two are inside of nearly every name


class ClassList:
    """The classes of `GET /samantic/vocabulary`, in its order."""

    def __init__(self, entries: Iterable[ClassEntry]) -> None:
        """Take the classes; SamanticError when two have the same name."""
        self._entries = tuple(entries)
        self._by_name: Mapping[str, ClassEntry] = {entry.name: entry for entry in self._entries}
        if len(self._by_name) != len(self._entries):
            names = [entry.name for entry in self._entries]
            twice = next(name for name in names if names.count(name) > 1)
            raise SamanticError(f"The server lists the class '{twice}' twice; its vocabulary is damaged.")
        self._by_words = {_key(words): entry for entry in reversed(self._entries) for words in _all_words(entry)}
        self._searched = [(entry, _searched_texts(entry)) for entry in self._entries]

    def __iter__(self) -> Iterator[ClassEntry]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, label: object) -> bool:
        return isinstance(label, str) and self._found(label) is not None

    def by_label(self, label: str) -> ClassEntry:
        """Return the class with this label, name or synonym, whatever its case, accents and order of words.

        Raises SamanticError that names the nearest classes.
        """
        found = self._found(label)
        if found is not None:
            return found
        near = get_close_matches(_key(label[:QUERY_LIMIT]), list(self._by_words), n=2)
        hint = " or ".join(f"'{self._by_words[words].label}'" for words in near)
        advice = f"did you mean {hint}?" if near else "choose one from the list."
        raise SamanticError(f"The model does not know a class '{label[:60]}'; {advice}")

    def search(self, text: str, limit: int | None = None) -> tuple[ClassEntry, ...]:
        """Return the classes that match all words of `text`, best first; all classes, in their order, for no words.

        A name or a label that is the text comes before those that begin with it, then those with words that begin so,
        then those that hold it; label and name before synonyms, short before long. A code finds by its beginning.
        """
        words = _words(text[:QUERY_LIMIT])
        if not words:
            return self._entries[:limit]
        ranked = [(_rank(words, texts), entry) for entry, texts in self._searched]
        hits = sorted(((rank, entry) for rank, entry in ranked if rank is not None), key=lambda hit: hit[0])
        return tuple(entry for _, entry in hits)[:limit]

    def terminology_entry(self, label: str) -> str:
        """Return a class as Slicer writes it into the tag of a segment and into .seg.nrrd; as `terminology_entry`."""
        return terminology_entry(self.by_label(label))

    def color(self, label: str) -> tuple[float, float, float]:
        """Return the colour of a class, red, green and blue in 0..1; SamanticError for an unknown one."""
        return color_of(self.by_label(label))

    def _found(self, label: str) -> ClassEntry | None:
        return self._by_name.get(label) or self._by_words.get(_key(label[:QUERY_LIMIT]))


def terminology_entry(entry: ClassEntry) -> str:
    """Return a class in Slicer's serialised form: context, category, type, modifier, region context, region, its side.

    Parts are separated by "~", a code's scheme, value and meaning by "^".
    """
    code = entry.code
    parts = (_triple(part) for part in (code.category, code.type, code.modifier))
    regions = (_triple(part) for part in (code.region, code.region_modifier))
    return "~".join((CONTEXT, *parts, REGION_CONTEXT, *regions))


def color_of(entry: ClassEntry) -> tuple[float, float, float]:
    """Return the colour of a class, red, green and blue in 0..1."""
    red, green, blue = (min(max(part, 0), 255) / 255 for part in entry.rgb)
    return red, green, blue


def code_values(entry: ClassEntry) -> tuple[str, ...]:
    """Return the code values of type, modifier, region and its modifier, those that are there."""
    parts = (entry.code.type, entry.code.modifier, entry.code.region, entry.code.region_modifier)
    return tuple(part.value for part in parts if part is not None)


def _triple(term: CodedTerm | None) -> str:
    return "^^" if term is None else "^".join(_plain(part) for part in (term.scheme, term.value, term.meaning))


def _plain(text: str) -> str:
    # The two separators and the one that .seg.nrrd puts between tags cannot be part of a code.
    return re.sub(r"[~^|]", " ", text)


def _words(text: str) -> tuple[str, ...]:
    folded = unicodedata.normalize("NFKD", text).casefold()
    bare = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return tuple(re.findall(r"[^\W_]+", bare))


def _key(text: str) -> str:
    return " ".join(sorted(_words(text)))


def _all_words(entry: ClassEntry) -> tuple[str, ...]:
    return (entry.label, entry.name, *entry.synonyms)


def _searched_texts(entry: ClassEntry) -> tuple[tuple[tuple[str, ...], int, bool], ...]:
    texts = [(_words(entry.label), 0, False), (_words(entry.name), 0, False)]
    texts += [(_words(synonym), 1, False) for synonym in entry.synonyms]
    codes = code_values(entry)
    texts += [(codes, 2, True), *(((value,), 2, True) for value in codes)]
    return tuple(texts)


def _rank(
    words: tuple[str, ...], texts: tuple[tuple[tuple[str, ...], int, bool], ...]
) -> tuple[int, int, int, int] | None:
    """Return how well the best of an entry's texts matches: kind of match, kind of text, words and letters of it."""
    ranks = []
    for text_words, kind, is_code in texts:
        match = _match(words, text_words, is_code)
        if match is not None:
            ranks.append((match, kind, len(text_words), sum(map(len, text_words))))
    return min(ranks) if ranks else None


def _match(words: tuple[str, ...], text_words: tuple[str, ...], is_code: bool) -> int | None:
    if not text_words:
        return None
    if words == text_words:
        return _WHOLE
    if " ".join(text_words).startswith(" ".join(words)):
        return _BEGUN
    if is_code:
        return None
    if all(any(other.startswith(word) for other in text_words) for word in words):
        return _WORD_BEGUN
    if all(len(word) >= _SHORTEST_INSIDE and any(word in other for other in text_words) for word in words):
        return _INSIDE
    return None
