"""Which classes and models are for which image."""

from __future__ import annotations

from collections.abc import Iterable

from SamanticLib.answers import ClassCode, ClassEntry, CodedTerm, ServerInfo
from SamanticLib.session_ports import SceneImage

SKIN = ("dermoscopy", "skin_photo")
PICTURES = (*SKIN, "breast_ultrasound")
FREE_TEXT = "free text"
"""The domain of a class that a person described in words."""

_TISSUE = CodedTerm("SCT", "85756007", "Tissue")


def fitting_classes(vocabulary: Iterable[ClassEntry], image: SceneImage | None) -> tuple[ClassEntry, ...]:
    """Return the classes of the image's kind: of colour photographs, of grey pictures, of volumes."""
    if image is None:
        return tuple(vocabulary)
    wanted = SKIN if image.is_colour else ("breast_ultrasound",) if image.is_flat else ()
    return tuple(entry for entry in vocabulary if _is_of(entry, wanted))


def fitting_models(info: ServerInfo | None, image: SceneImage | None) -> tuple[str, ...]:
    """Return the models that answer a person about one object of this image, the usual one first."""
    if info is None:
        return ()
    interactive = [name for name, model in info.models.items() if model.interactive]
    if image is not None and image.is_colour and "besadiff" in info.models:
        return ("besadiff", *interactive)
    return tuple(interactive)


def model_for(info: ServerInfo | None, image: SceneImage | None, entry: ClassEntry) -> str:
    """Return the model to ask about a class: one made for it where there is one."""
    models = fitting_models(info, image)
    if info is not None and models and models[0] == "besadiff" and entry.name not in info.models["besadiff"].labels:
        return models[1] if len(models) > 1 else models[0]
    return models[0] if models else ""


def can_outline(info: ServerInfo | None, model: str, image: SceneImage | None, entry: ClassEntry | None) -> bool:
    """Whether the model draws this class without a prompt."""
    if info is None or image is None or entry is None or model not in info.models:
        return False
    return image.is_colour and not info.models[model].interactive and entry.name in info.models[model].labels


def trainable_models(info: ServerInfo | None) -> tuple[str, ...]:
    """Return the models that learn from submitted labels."""
    return tuple(name for name, model in info.models.items() if model.trainable) if info is not None else ()


def described(words: str) -> ClassEntry:
    """Return a class of a person's own, described in words; the server looks for what comes nearest."""
    return ClassEntry(
        label=words,
        name=words,
        domain=FREE_TEXT,
        synonyms=(),
        code=ClassCode(_TISSUE, _TISSUE),
        rgb=(128, 174, 128),
    )


def _is_of(entry: ClassEntry, wanted: tuple[str, ...]) -> bool:
    domains = [domain.strip() for domain in entry.domain.split(",")]
    if not wanted:
        return any(domain not in PICTURES for domain in domains)
    return any(domain in wanted for domain in domains)
