"""The snapshot of a session that user interfaces draw, made from what the session knows."""

from __future__ import annotations

from dataclasses import replace

from SamanticLib.answers import ClassEntry, SegmentAnswer
from SamanticLib.session_core import Now, ObjectNow, SessionCore
from SamanticLib.session_models import can_outline, fitting_classes, fitting_models, trainable_models
from SamanticLib.session_state import (
    AnswerSummary,
    Connection,
    PresenceBar,
    SessionState,
    SessionView,
    next_step,
)

BARS = 6
PLAUSIBLE = 0.15
"""Classes that are less probably in the slice are not shown as present."""


def view_of(core: SessionCore) -> SessionView:
    """Return everything that is shown of a session now."""
    now = core.now
    made, image = now.object, now.image
    segments = tuple(core.scene.segments()) if image is not None else ()
    idle = now.progress is None and not now.asking
    has_object = made.layer is not None
    view = SessionView(
        state=state_of(now),
        connection=now.connection,
        url=now.url,
        server=f"{now.info.name} {now.info.version}" if now.info else "",
        notice=now.notice,
        images=now.images,
        strategies=tuple(now.info.strategies) if now.info else (),
        image=image,
        reason=now.reason,
        classes=fitting_classes(now.vocabulary, image),
        models=fitting_models(now.info, image),
        model=now.model,
        chosen=made.chosen,
        prompts=made.prompts,
        answer=_summary(made, now.vocabulary),
        segments=segments,
        busy=not idle,
        asking=now.asking,
        progress=now.progress,
        live=now.live,
        can_ask=idle and made.chosen is not None and not made.prompts.empty,
        can_outline=idle and can_outline(now.info, now.model, image, made.chosen),
        can_propagate=idle and has_object and image is not None and not image.is_flat and not now.pending,
        can_accept=idle and has_object,
        can_submit=idle and any(not segment.is_empty for segment in segments) and not now.submitted,
        can_load_label=idle and _has_label(now) and all(segment.is_empty for segment in segments),
        can_undo=core.scene.can_undo or now.pending,
        can_redo=core.scene.can_redo and not now.pending,
        can_map=idle and can_outline(now.info, now.model, image, made.chosen),
        map_shown=now.map_shown,
        unsaved=now.unsaved,
        trainable=trainable_models(now.info),
        training=now.training,
        versions=now.versions,
    )
    return replace(view, next_step=next_step(view))


def state_of(now: Now) -> SessionState:
    """Return where the person is, from what there is."""
    connecting = now.connection in (Connection.NONE, Connection.CONNECTING)
    if now.info is None or (connecting and now.image is None):
        return SessionState.DISCONNECTED
    if now.image is None:
        return SessionState.CONNECTED
    if now.submitted:
        training = now.training is not None and now.training.running
        return SessionState.TRAINING if training else SessionState.SUBMITTED
    made = now.object
    if made.answer is not None and not now.pending:
        return SessionState.REFINING
    if now.pending or now.asking:
        return SessionState.REFINING if made.layer is not None else SessionState.PROMPTING
    if made.chosen is not None:
        return SessionState.CLASS
    return SessionState.ACCEPTED if now.accepted else SessionState.IMAGE


def _has_label(now: Now) -> bool:
    """Whether there is a submitted label of the open image."""
    if now.image is None or now.submitted or now.object.chosen is not None:
        return False
    return any(one.labelled and one.image_id == now.image.image_id for one in now.images)


def _summary(made: ObjectNow, vocabulary: tuple[ClassEntry, ...]) -> AnswerSummary | None:
    answer = made.answer
    if answer is None:
        return None
    known = {entry.name: entry for entry in vocabulary}
    predicted = known.get(answer.predicted_class or "")
    slices, stopped = _followed(answer)
    return AnswerSummary(
        model=answer.model,
        empty=answer.empty,
        predicted_class=answer.predicted_class or "",
        predicted_name=predicted.label if predicted else (answer.predicted_class or ""),
        class_confidence=answer.class_confidence,
        agrees=_agrees(made, answer),
        unsure=answer.unsure,
        out_of_domain=answer.out_of_domain,
        quality=answer.quality,
        boundary_confidence=answer.boundary_confidence,
        presence=_bars(answer, known),
        readings=tuple(reading.quality for reading in made.readings),
        reading=made.reading,
        slices=slices,
        stopped=stopped,
        milliseconds=made.milliseconds,
    )


def _agrees(made: ObjectNow, answer: SegmentAnswer) -> bool | None:
    if not answer.predicted_class or made.chosen is None or answer.class_confidence is None:
        return None
    return answer.predicted_class == made.chosen.name


def _bars(answer: SegmentAnswer, known: dict[str, ClassEntry]) -> tuple[PresenceBar, ...]:
    likely = sorted(answer.presence.items(), key=lambda one: -one[1])[:BARS]
    return tuple(
        PresenceBar(name, known[name].label, probability, known[name].rgb)
        for name, probability in likely
        if name in known and probability >= PLAUSIBLE
    )


def _followed(answer: SegmentAnswer) -> tuple[tuple[int, int] | None, str]:
    if not answer.propagation or not answer.propagation.get("slices"):
        return None, ""
    first, last = answer.propagation["slices"]
    stopped = answer.propagation.get("stopped") or {}
    why = {"up": "upwards", "down": "downwards"}
    texts = [f"{why[way]}: {reason}" for way, reason in stopped.items() if way in why and reason]
    return (int(first), int(last)), "; ".join(texts)
