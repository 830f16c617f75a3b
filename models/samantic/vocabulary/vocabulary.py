"""The set of all semantic classes, and how to find one in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from samantic.vocabulary.normalise import order_free_key, words_of
from samantic.vocabulary.ranking import fuzzy_order, search_order
from samantic.vocabulary.semantic_class import DOMAINS, SemanticClass

_QUERY_LIMIT = 200  # characters looked at; more is no name


class UnknownClassError(ValueError):
    """A class that the vocabulary does not have; the message names the value and the nearest names."""


class Vocabulary:
    """An immutable, ordered set of semantic classes with unique names, words and codes."""

    def __init__(self, classes: Iterable[SemanticClass]) -> None:
        """Take the classes in order; ValueError when two share words, a code or, in a domain, a colour."""
        self._classes = tuple(classes)
        self._by_name = {entry.name: entry for entry in self._classes}
        self._by_words: dict[str, SemanticClass] = {}
        for entry in self._classes:
            for words in (entry.name, entry.label, *entry.synonyms):
                other = self._by_words.setdefault(order_free_key(words), entry)
                if other is not entry:
                    raise ValueError(f"'{words}' stands for both {other.name} and {entry.name} in the vocabulary.")
        self._by_code: dict[tuple[str, ...], SemanticClass] = {}
        for entry in self._classes:
            other = self._by_code.setdefault(entry.code_values, entry)
            if other is not entry:
                raise ValueError(f"{other.name} and {entry.name} have the same code {'+'.join(entry.code_values)}.")
        for domain in DOMAINS:
            colours: dict[tuple[int, int, int], str] = {}
            for entry in self.domain(domain):
                name = colours.setdefault(entry.colour_rgb, entry.name)
                if name != entry.name:
                    raise ValueError(f"{name} and {entry.name} have the same colour {entry.colour_rgb} in {domain}.")

    def __getitem__(self, name: str) -> SemanticClass:
        """Return the class of exactly this name; raises UnknownClassError with the nearest names."""
        if name not in self._by_name:
            raise self._unknown(name)
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._by_name

    def __iter__(self) -> Iterator[SemanticClass]:
        return iter(self._classes)

    def __len__(self) -> int:
        return len(self._classes)

    @property
    def domains(self) -> tuple[str, ...]:
        """The kinds of image, in a fixed order."""
        return DOMAINS

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in the order of the vocabulary."""
        return tuple(self._by_name)

    def domain(self, name: str) -> tuple[SemanticClass, ...]:
        """Return the classes of one domain; raises UnknownClassError for a domain that is not there."""
        if name not in DOMAINS:
            raise UnknownClassError(f"'{_shortened(name)}' is no domain; allowed are {', '.join(DOMAINS)}.")
        return tuple(entry for entry in self._classes if name in entry.domains)

    def find(self, query: str) -> SemanticClass:
        """Return the class meant by a name, label, synonym or code.

        Case, accents, "_" and the order of words do not matter. A code is the type's value, with the modifier's after a
        "+" where there is one ("64033007+7771000"). Raises UnknownClassError when nothing or more than one is meant.
        """
        found = self._by_words.get(order_free_key(query[:_QUERY_LIMIT]))
        if found is not None and len(query) <= _QUERY_LIMIT:
            return found
        values = tuple(query.replace(" ", "")[:_QUERY_LIMIT].split("+"))
        if values in self._by_code:
            return self._by_code[values]
        meant = [entry for code, entry in self._by_code.items() if code[: len(values)] == values]
        if len(meant) == 1:
            return meant[0]
        if meant:
            choices = ", ".join(f"{'+'.join(entry.code_values)} ({entry.name})" for entry in meant[:4])
            raise UnknownClassError(
                f"The code '{_shortened(query)}' means more than one class; write one of {choices}."
            )
        raise self._unknown(query)

    def search(self, text: str, limit: int = 10, domain: str | None = None) -> tuple[SemanticClass, ...]:
        """Return the classes that match all words of `text`, best first: whole, begun, contained, nearly so."""
        entries = self._classes if domain is None else self.domain(domain)
        return search_order(words_of(text[:_QUERY_LIMIT]), entries)[:limit]

    def suggest(self, wrong_name: str, limit: int = 3) -> tuple[str, ...]:
        """Return the names nearest in spelling to a wrong one, best first; empty when nothing is near."""
        return tuple(entry.name for entry in fuzzy_order(wrong_name[:_QUERY_LIMIT], self._classes)[:limit])

    def _unknown(self, value: str) -> UnknownClassError:
        nearest = self.suggest(value)
        hint = f"did you mean {' or '.join(nearest)}?" if nearest else "`samantic vocabulary list` shows all names."
        return UnknownClassError(f"There is no class '{_shortened(value)}' in the vocabulary; {hint}")


def _shortened(value: str) -> str:
    return value if len(value) <= 60 else f"{value[:57]}..."
