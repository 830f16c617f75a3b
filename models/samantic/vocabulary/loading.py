"""Read the packaged class lists.

Each `data/<domain>.yaml` has `category` (the default of its classes), `classes` (defined there) and `shared` (names of
classes that another file defines and this domain has too). A code is written "SCT 64033007 Kidney".
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

from samantic.vocabulary.semantic_class import DOMAINS, Code, SemanticClass
from samantic.vocabulary.vocabulary import Vocabulary


@lru_cache(maxsize=1)
def load_vocabulary() -> Vocabulary:
    """Return the packaged vocabulary: classes in the order of the domains and of their files, read once per process."""
    folder = resources.files("samantic.vocabulary") / "data"
    documents = {
        domain: yaml.load((folder / f"{domain}.yaml").read_text(encoding="utf-8"), Loader=_FAST_LOADER)
        for domain in DOMAINS
    }
    return vocabulary_from_documents(documents)


def vocabulary_from_documents(documents: dict[str, dict[str, Any]]) -> Vocabulary:
    """Return the vocabulary of one parsed document per domain.

    Raises ValueError when a shared name is defined nowhere or defined for that domain already.
    """
    domains_of: dict[str, list[str]] = {
        entry["name"]: [domain] for domain, document in documents.items() for entry in document["classes"]
    }
    for domain, document in documents.items():
        for name in document.get("shared", ()):
            if name not in domains_of:
                raise ValueError(f"The domain {domain} shares the class '{name}', which no file defines.")
            if domain in domains_of[name]:
                raise ValueError(f"The domain {domain} has the class '{name}' twice.")
            domains_of[name].append(domain)
    return Vocabulary(
        _semantic_class(entry, document["category"], tuple(d for d in DOMAINS if d in domains_of[entry["name"]]))
        for document in documents.values()
        for entry in document["classes"]
    )


def _semantic_class(entry: dict[str, Any], category: str, domains: tuple[str, ...]) -> SemanticClass:
    red, green, blue = entry["colour"]
    return SemanticClass(
        name=entry["name"],
        label=entry["label"],
        domains=domains,
        category=_code(entry.get("category", category)),
        type=_code(entry["type"]),
        modifier=_optional_code(entry.get("modifier")),
        region=_optional_code(entry.get("region")),
        region_modifier=_optional_code(entry.get("region_modifier")),
        colour_rgb=(red, green, blue),
        synonyms=tuple(entry.get("synonyms", ())),
        description=" ".join(entry["description"].split()),
    )


def _code(text: str) -> Code:
    scheme, value, meaning = text.split(maxsplit=2)
    return Code(scheme, value, meaning)


def _optional_code(text: str | None) -> Code | None:
    return None if text is None else _code(text)


_FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
