"""What a user interface draws of a session: one frozen snapshot, and the sentence that says what to do next."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from SamanticLib.answers import ClassEntry, ImageEntry, ModelVersion, TrainingState
from SamanticLib.prompts import Prompts
from SamanticLib.session_ports import SceneImage, SceneSegment


class SessionState(Enum):
    """Where a person is on the way from a server to a saved label."""

    DISCONNECTED = "disconnected"
    CONNECTED = "connected"
    IMAGE = "image"
    CLASS = "class"
    PROMPTING = "prompting"
    REFINING = "refining"
    ACCEPTED = "accepted"
    SUBMITTED = "submitted"
    TRAINING = "training"


class Connection(Enum):
    """Whether the server is there: `LOST` is a server that was there and is asked again every few seconds."""

    NONE = "none"
    CONNECTING = "connecting"
    THERE = "there"
    LOST = "lost"


@dataclass(frozen=True)
class Notice:
    """One sentence to the person; kind is "info", "good" or "error". `number` tells two equal ones apart."""

    kind: str
    text: str
    number: int = 0


@dataclass(frozen=True)
class Progress:
    """Work that takes a while: `done` of `total`, 0 of 0 while that is not known."""

    text: str
    done: int = 0
    total: int = 0
    seconds: float = 0.0
    can_cancel: bool = False


@dataclass(frozen=True)
class PresenceBar:
    """How probably a class is somewhere in the slice that was asked about."""

    class_name: str
    name: str
    probability: float
    rgb: tuple[int, int, int]


@dataclass(frozen=True)
class AnswerSummary:
    """What the model says of its last mask. `agrees`: whether it would call it what the person chose; None: no idea."""

    model: str = ""
    empty: bool = False
    predicted_class: str = ""
    predicted_name: str = ""
    class_confidence: float | None = None
    agrees: bool | None = None
    unsure: bool | None = None
    out_of_domain: bool | None = None
    quality: float | None = None
    boundary_confidence: float | None = None
    presence: tuple[PresenceBar, ...] = ()
    readings: tuple[float, ...] = ()
    reading: int = -1
    slices: tuple[int, int] | None = None
    stopped: str = ""
    milliseconds: float | None = None


@dataclass(frozen=True)
class SessionView:
    """Everything that a panel or a page shows of a session."""

    state: SessionState = SessionState.DISCONNECTED
    connection: Connection = Connection.NONE
    url: str = ""
    server: str = ""
    next_step: str = ""
    notice: Notice | None = None
    images: tuple[ImageEntry, ...] = ()
    strategies: tuple[str, ...] = ()
    image: SceneImage | None = None
    reason: str = ""
    classes: tuple[ClassEntry, ...] = ()
    models: tuple[str, ...] = ()
    model: str = ""
    chosen: ClassEntry | None = None
    prompts: Prompts = field(default_factory=Prompts)
    answer: AnswerSummary | None = None
    segments: tuple[SceneSegment, ...] = ()
    busy: bool = False
    asking: bool = False
    progress: Progress | None = None
    live: bool = True
    can_ask: bool = False
    can_outline: bool = False
    can_propagate: bool = False
    can_accept: bool = False
    can_submit: bool = False
    can_load_label: bool = False
    can_undo: bool = False
    can_redo: bool = False
    can_map: bool = False
    map_shown: bool = False
    unsaved: bool = False
    trainable: tuple[str, ...] = ()
    training: TrainingState | None = None
    versions: tuple[ModelVersion, ...] = ()


def next_step(view: SessionView) -> str:
    """Return the one sentence that says what to do now."""
    if view.connection is Connection.LOST:
        return "The server does not answer; your segments are safe. It is asked again every few seconds."
    if view.connection is Connection.CONNECTING:
        return f"Connecting to {view.url} …"
    if view.progress is not None:
        return _while_working(view.progress)
    name = view.chosen.label if view.chosen else "it"
    if view.state is SessionState.DISCONNECTED:
        return "Connect to a server."
    if view.state is SessionState.CONNECTED:
        return "Choose an image, or let the server choose the one that teaches it most."
    if view.state is SessionState.IMAGE:
        return "What do you want to outline? Search the classes."
    if view.state is SessionState.CLASS:
        if view.can_outline:
            return f"Let the model outline the {name}, or click on it."
        return f"Click on the {name} in a slice."
    if view.state is SessionState.PROMPTING:
        return "The model is looking …" if view.asking else "Add more, or ask the model."
    if view.state is SessionState.REFINING:
        return _refining(view, name)
    if view.state is SessionState.ACCEPTED:
        return "Choose the next class, or submit the labels."
    if view.state is SessionState.SUBMITTED:
        return "Saved. Let the model learn from it, or take the next image."
    return "The model is learning from your labels. Go on with the next image meanwhile."


def _while_working(progress: Progress) -> str:
    return f"{progress.text} …" + (" You can scroll meanwhile, or cancel." if progress.can_cancel else "")


def _refining(view: SessionView, name: str) -> str:
    answer = view.answer
    if view.asking:
        return "The model is looking …"
    if answer is not None and answer.empty:
        return f"Nothing was found there. Click nearer to the middle of the {name}."
    if answer is not None and answer.slices is not None:
        return "Scroll through and check. Click where it is wrong, then accept."
    if answer is not None and answer.out_of_domain:
        return "The image is unlike what the model knows. Check the mask with care, and click where it is wrong."
    if answer is not None and len(answer.readings) > 1 and answer.unsure:
        return "The model is not sure. Add a point, take another reading, or accept."
    if view.can_propagate:
        return "Wrong somewhere? Click there. Right? Follow it through the slices, then accept."
    return "Wrong somewhere? Click there. Right? Accept it."
