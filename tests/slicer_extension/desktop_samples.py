"""A session that only notes what it is asked, and views of sessions in the middle of work, for the desktop's panel."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from SamanticLib.answers import ClassCode, ClassEntry, CodedTerm, ImageEntry, ModelVersion, TrainingEpoch, TrainingState
from SamanticLib.errors import SamanticError
from SamanticLib.prompts import Prompts
from SamanticLib.session import AnnotationSession
from SamanticLib.session_ports import SceneImage, SceneSegment
from SamanticLib.session_state import (
    AnswerSummary,
    Connection,
    PresenceBar,
    Progress,
    SessionState,
    SessionView,
    next_step,
)

from samantic.vocabulary import load_vocabulary

IN_CT = ("ct", "mr")
IN_DERMOSCOPY = ("dermoscopy",)


class FakeSession:
    """Has the methods of AnnotationSession, with their parameters, and no others; notes the calls."""

    def __init__(self, view: SessionView | None = None) -> None:
        self.view = view if view is not None else SessionView()
        self.calls: list[tuple[Any, ...]] = []
        self.failure: Exception | None = None
        self._listeners: list[Callable[[SessionView], None]] = []

    def listen(self, callback: Callable[[SessionView], None]) -> None:
        """Call this with every view that is shown."""
        self._listeners.append(callback)

    def show(self, view: SessionView) -> None:
        """Change the view, as a session does, with its sentence about what to do next."""
        self.view = replace(view, next_step=view.next_step or next_step(view))
        for listener in self._listeners:
            listener(self.view)

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Note a call; AttributeError and TypeError for what the real session would not take."""
        method = getattr(AnnotationSession, name)
        signature = inspect.signature(method)

        def call(*arguments: Any, **named: Any) -> None:
            bound = signature.bind(self, *arguments, **named)
            self.calls.append((name, *list(bound.arguments.values())[1:]))
            if self.failure is not None:
                raise self.failure

        return call


def entries(*domains: str) -> tuple[ClassEntry, ...]:
    """Return the vocabulary's classes of these domains, as the server tells them."""

    def term(code: Any) -> CodedTerm | None:
        return None if code is None else CodedTerm(code.scheme, code.value, code.meaning)

    return tuple(
        ClassEntry(
            label=entry.label,
            name=entry.name,
            domain=", ".join(entry.domains),
            synonyms=tuple(entry.synonyms),
            code=ClassCode(term(entry.category), term(entry.type), term(entry.modifier)),
            rgb=tuple(entry.colour_rgb),
            description=entry.description,
        )
        for entry in load_vocabulary()
        if set(entry.domains) & set(domains)
    )


def volume_view() -> SessionView:
    """Return a session in which the spleen of a CT is being refined, and the model doubts what one click means."""
    classes = entries(*IN_CT)
    chosen = next(entry for entry in classes if entry.name == "spleen")
    named = {entry.name: entry for entry in classes}
    presence = tuple(
        PresenceBar(name, named[name].label, probability, named[name].rgb)
        for name, probability in (("liver", 0.93), ("stomach", 0.71), ("kidney_left", 0.58), ("aorta", 0.31))
    )
    view = SessionView(
        state=SessionState.REFINING,
        connection=Connection.THERE,
        url="http://127.0.0.1:8000",
        server="Samantic 0.1.0",
        images=(
            ImageEntry("ct_abdomen_004", ("final",)),
            ImageEntry("ct_abdomen_007"),
            ImageEntry("mr_hippocampus_112"),
        ),
        strategies=("first", "random", "uncertainty", "diversity", "hybrid"),
        image=SceneImage("ct_abdomen_007", (512, 512, 140), np.eye(4)),
        reason="uncertainty 0.31, the 3rd highest of 57 unlabelled images",
        classes=classes,
        models=("segsam",),
        model="segsam",
        chosen=chosen,
        prompts=Prompts(
            positive_ijk=((210, 300, 61), (221, 310, 61)), negative_ijk=((190, 280, 61),), axis=2, slice=61
        ),
        answer=AnswerSummary(
            model="segsam",
            predicted_class="spleen",
            predicted_name="spleen",
            class_confidence=0.64,
            agrees=True,
            unsure=True,
            quality=0.86,
            presence=presence,
            readings=(0.86, 0.71, 0.55),
            reading=0,
            milliseconds=41.0,
        ),
        segments=(
            SceneSegment("liver", "liver", "liver", (221, 130, 101), False),
            SceneSegment("spleen", "spleen", "spleen", (157, 108, 162), False),
        ),
        can_ask=True,
        can_propagate=True,
        can_accept=True,
        can_submit=True,
        can_undo=True,
        unsaved=True,
        trainable=("segsam",),
        training=training(),
        versions=(
            ModelVersion("0001", "segsam", 0.742, 0.768),
            ModelVersion("0002", "segsam", 0.768, 0.791, is_served=True),
        ),
    )
    return replace(view, next_step=next_step(view))


def dermoscopy_view() -> SessionView:
    """Return a session in which BESA-Diff has outlined a lesion and its opinions differ at the border."""
    classes = entries(*IN_DERMOSCOPY)
    chosen = next(entry for entry in classes if entry.name == "skin_lesion")
    view = SessionView(
        state=SessionState.REFINING,
        connection=Connection.THERE,
        url="http://127.0.0.1:8000",
        server="Samantic 0.1.0",
        images=(ImageEntry("mole_0012"),),
        strategies=("first", "uncertainty", "hybrid"),
        image=SceneImage("mole_0012", (1022, 767, 1), np.eye(4), is_colour=True),
        classes=classes,
        models=("besadiff", "segsam"),
        model="besadiff",
        chosen=chosen,
        answer=AnswerSummary(
            model="besadiff",
            predicted_class="skin_lesion",
            predicted_name="skin lesion",
            agrees=None,
            unsure=True,
            boundary_confidence=0.47,
            milliseconds=190.0,
        ),
        segments=(SceneSegment("skin_lesion", "skin_lesion", "skin lesion", (194, 142, 0), False),),
        can_outline=True,
        can_accept=True,
        can_submit=True,
        can_undo=True,
        can_map=True,
        map_shown=True,
        unsaved=True,
        trainable=("besadiff", "segsam"),
    )
    return replace(view, next_step=next_step(view))


def following_view() -> SessionView:
    """Return a session that follows an object through a volume."""
    progress = Progress("Following the spleen through the slices", 23, 61, 1.4, can_cancel=True)
    view = replace(volume_view(), progress=progress, busy=True, can_ask=False, can_propagate=False, can_accept=False)
    return replace(view, next_step=next_step(view))


def training() -> TrainingState:
    """Return a training in its sixth epoch of eight."""
    dice = (0.742, 0.751, 0.763, 0.771, 0.769, 0.784)
    epochs = tuple(
        TrainingEpoch(number, 8, 0.9 / number + 0.2, value, {}, value == max(dice[:number]))
        for number, value in enumerate(dice, 1)
    )
    return TrainingState("running", "segsam", epochs, dice_before=0.742)


class NoTools:
    """Notes which tool is in the hand."""

    def __init__(self) -> None:
        self.picked: list[str | None] = []

    def pick(self, tool: str | None) -> None:
        """Take a tool."""
        self.picked.append(tool)


class NoSceneImages:
    """Notes which image of the scene is to be used, or fails."""

    def __init__(self) -> None:
        self.used: list[tuple[str, bool]] = []
        self.failure: SamanticError | None = None

    def use(self, node_id: str, discard: bool) -> None:
        """Note it."""
        self.used.append((node_id, discard))
        if self.failure is not None:
            raise self.failure
