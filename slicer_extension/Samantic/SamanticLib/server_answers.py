"""JSON of everything but masks -> frozen dataclasses: the server, its classes and images, jobs, the next image."""

from __future__ import annotations

from typing import Any

from SamanticLib.answers import (
    ClassCode,
    ClassEntry,
    CodedTerm,
    ImageEntry,
    JobState,
    ModelInfo,
    NextSample,
    ServerInfo,
)
from SamanticLib.errors import BadAnswer
from SamanticLib.fields import Fields

STATES = ("queued", "running", "done", "failed", "cancelled")


def server_info(value: Any) -> ServerInfo:
    """Read `GET /info/`. Raises BadAnswer."""
    info = Fields(value, "what the server says of itself")
    if "models" not in info.raw:
        raise BadAnswer("What answers there is no MONAI Label server: it names no models. Give another address.")
    trainers = info.fields("trainers").raw
    models = info.fields("models")
    return ServerInfo(
        name=info.text("name", ""),
        version=info.text("version", ""),
        models={name: _model(name, models.fields(name), name in trainers) for name in models.raw},
        labels=_labels(info),
        strategies=tuple(info.fields("strategies").raw),
        description=info.text("description", ""),
    )


def classes(value: Any) -> tuple[ClassEntry, ...]:
    """Read `GET /samantic/vocabulary`. Raises BadAnswer."""
    return tuple(_class(one) for one in Fields(value, "the vocabulary").each("classes"))


def image_entries(value: Any) -> tuple[ImageEntry, ...]:
    """Read `GET /datastore/?output=all`, by name. Raises BadAnswer."""
    objects = Fields(value, "the list of images").fields("objects")
    return tuple(
        ImageEntry(image_id, tuple(objects.fields(image_id).fields("labels").raw)) for image_id in sorted(objects.raw)
    )


def job_state(value: Any) -> JobState:
    """Read the state of a job. Raises BadAnswer."""
    fields = Fields(value, "the job")
    state = fields.text("state")
    if state not in STATES:
        raise BadAnswer(f"The job is in the state '{state[:40]}'; {', '.join(STATES)} are known here.")
    return JobState(
        id=fields.text("id"),
        kind=fields.text("kind"),
        state=state,
        done=fields.whole("done", 0),
        total=fields.whole("total", 0),
        text=fields.text("text", ""),
        seconds=fields.optional_number("seconds") or 0.0,
        detail=fields.optional_text("detail"),
        has_file=bool(fields.flag("has_file")),
        result=None if fields.raw.get("result") is None else fields.fields("result").raw,
        image_id=fields.optional_text("image"),
    )


def next_sample(value: Any) -> NextSample:
    """Read `POST /activelearning/{strategy}`, {} where there is no image. Raises BadAnswer."""
    fields = Fields(value, "the next image")
    skipped = fields.fields("skipped")
    return NextSample(
        image_id=fields.optional_text("id"),
        reason=fields.text("reason", ""),
        name=fields.text("name", ""),
        path=fields.text("path", ""),
        weight=fields.optional_number("weight"),
        lease_seconds=fields.optional_number("lease_seconds"),
        skipped={image_id: skipped.text(image_id) for image_id in skipped.raw},
        raw=fields.raw,
    )


def _model(name: str, fields: Fields, trainable: bool) -> ModelInfo:
    return ModelInfo(
        name=name,
        type=fields.text("type", ""),
        dimension=fields.whole("dimension", 3),
        labels=_labels(fields),
        description=fields.text("description", ""),
        trainable=trainable,
    )


def _labels(fields: Fields) -> tuple[str, ...]:
    labels = fields.raw.get("labels")
    # MONAI Label's own apps also name values: {"spleen": 1}.
    return tuple(str(name) for name in labels) if isinstance(labels, dict) else fields.texts("labels")


def _class(fields: Fields) -> ClassEntry:
    rgb = fields.raw.get("colour_rgb")
    if not isinstance(rgb, list) or len(rgb) != 3 or not all(isinstance(c, int) and 0 <= c <= 255 for c in rgb):
        raise BadAnswer(f"The class '{fields.text('name')[:60]}' of the vocabulary has no colour of three bytes.")
    category, kind = _term(fields, "category"), _term(fields, "type")
    if category is None or kind is None:
        raise BadAnswer(f"The class '{fields.text('name')[:60]}' of the vocabulary has no codes.")
    return ClassEntry(
        label=fields.text("label"),
        name=fields.text("name"),
        domain=", ".join(fields.texts("domains")),
        synonyms=fields.texts("synonyms"),
        code=ClassCode(
            category, kind, _term(fields, "modifier"), _term(fields, "region"), _term(fields, "region_modifier")
        ),
        rgb=(rgb[0], rgb[1], rgb[2]),
        description=fields.text("description", ""),
    )


def _term(fields: Fields, name: str) -> CodedTerm | None:
    if fields.raw.get(name) is None:
        return None
    term = fields.fields(name)
    return CodedTerm(term.text("scheme"), term.text("value"), term.text("meaning"))
