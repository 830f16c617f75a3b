"""What a person was shown of an image before a label came: bounded, expiring, and nobody else's."""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from samantic.app.lib.infers.request import owner_of
from samantic.app.lib.infers.wire import RequestError

MAX_DRAFTS = 1024
MAX_BYTES = 128 * 1024**2
MAX_ANSWER_BYTES = 4 * 1024**2
MAX_CLICKS = 2000
MAX_MODELS = 16
MAX_PROMPTS = 4096
"""Characters of the last prompts as JSON; of longer ones only their number is kept."""

LIFE_S = 12 * 3600.0

PROMPTS = ("foreground", "background", "roi", "boxes", "classes", "text", "label")
OF_ANSWER = ("label_names", "predicted_class", "class_confidence", "unsure", "slice", "axis", "window")


@dataclass(frozen=True)
class LastAnswer:
    """The last answer: `notes` as JSON says which model said what to which prompts, `mask` is its file's content.

    suffix: of that file. names: name -> value in it. plane: (axis, slice) that it is about, None for a volume. `mask`
    is empty where there was no file, or a large one.
    """

    notes: Mapping[str, Any]
    names: Mapping[str, int]
    plane: tuple[int, int] | None
    suffix: str = ""
    mask: bytes = b""


@dataclass(frozen=True)
class Draft:
    """All that one person asked a model about one image, summed up; times in seconds since 1970."""

    first_prompt_at: float
    last_answer_at: float
    last: LastAnswer
    answers: int = 0
    label_files: int = 0
    clicks: frozenset[str] = frozenset()
    boxes: frozenset[str] = frozenset()
    models: Mapping[tuple[str, str], int] = field(default_factory=dict)


class Drafts:
    """Drafts by person and image; the least recently used go first, and none outlives `life_s` seconds unused.

    A person is known by several names at once, the session and the client id, and found under each. Source: ours.
    """

    def __init__(self, life_s: float = LIFE_S, clock: Callable[[], float] = time.time) -> None:
        self._life_s = life_s
        self._clock = clock
        self._drafts: OrderedDict[tuple[str, str], Draft] = OrderedDict()
        self._lock = threading.Lock()

    def note(
        self,
        owners: Sequence[str],
        image_id: str,
        model: str,
        asked: Mapping[str, Any],
        answer: Mapping[str, Any],
        file: Path | None,
    ) -> None:
        """Add an answer to what these names of one person have asked about an image.

        asked: the parameters as the client sent them. answer: the JSON that it got. file: the mask that it got.
        """
        if not owners:
            return
        now = self._clock()
        last = _last_answer(model, asked, answer, file)
        with self._lock:
            self._expire(now)
            for owner in owners:
                key = (owner, image_id)
                before = self._drafts.get(key) or Draft(now, now, last)
                self._drafts[key] = _with_answer(before, now, last, asked)
                self._drafts.move_to_end(key)
            while len(self._drafts) > MAX_DRAFTS or self._bytes() > MAX_BYTES:
                self._drafts.popitem(last=False)

    def of(self, owners: Sequence[str], image_id: str) -> Draft | None:
        """Return the draft of the first of these names that has one on this image."""
        with self._lock:
            self._expire(self._clock())
            found = (self._drafts.get((owner, image_id)) for owner in owners)
            return next((draft for draft in found if draft is not None), None)

    def __len__(self) -> int:
        with self._lock:
            return len(self._drafts)

    def _bytes(self) -> int:
        # One answer is kept under several names but once in memory.
        return sum({id(draft.last.mask): len(draft.last.mask) for draft in self._drafts.values()}.values())

    def _expire(self, now: float) -> None:
        while self._drafts:
            key, draft = next(iter(self._drafts.items()))
            if now - draft.last_answer_at <= self._life_s:
                return
            del self._drafts[key]


def owners_of(params: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names that the parameters of a request give the person: by the session, and by the client."""
    by_session = {"session": params.get("session")}
    by_client = {key: params.get(key) for key in ("client_id", "client_address")}
    try:
        found = [owner_of(by_session), owner_of(by_client)]
    except RequestError:  # nobody's name, then
        return ()
    return tuple(owner for owner in found if owner)


def _with_answer(before: Draft, now: float, last: LastAnswer, asked: Mapping[str, Any]) -> Draft:
    clicks, boxes = _clicks_and_boxes(asked)
    models = dict(before.models)
    used = (str(last.notes["model"]), str(last.notes["weights_hash"]))
    if used in models or len(models) < MAX_MODELS:
        models[used] = models.get(used, 0) + 1
    return replace(
        before,
        last_answer_at=now,
        last=last,
        answers=before.answers + 1,
        label_files=before.label_files + bool(asked.get("label_file")),
        clicks=_bounded(before.clicks | clicks),
        boxes=_bounded(before.boxes | boxes),
        models=models,
    )


def _last_answer(model: str, asked: Mapping[str, Any], answer: Mapping[str, Any], file: Path | None) -> LastAnswer:
    notes = {
        "model": model,
        "weights_hash": answer.get("weights_hash"),
        "prompts": _prompts(asked),
        **{key: answer[key] for key in OF_ANSWER if key in answer},
    }
    names = answer.get("label_names")
    axis, index = answer.get("axis"), answer.get("slice")
    plane = (axis, index) if isinstance(axis, int) and isinstance(index, int) else None
    mask = b""
    if file is not None and file.is_file() and file.stat().st_size <= MAX_ANSWER_BYTES:
        mask = file.read_bytes()
    suffix = "" if file is None else "".join(file.suffixes[-2:])
    return LastAnswer(notes, names if isinstance(names, Mapping) else {}, plane, suffix, mask)


def _prompts(asked: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in asked.items() if (key in PROMPTS or _is_points(value)) and value}
    if isinstance(kept.get("label"), str) and Path(kept["label"]).is_absolute():
        del kept["label"]  # the stock server puts the uploaded file there
    if len(json.dumps(kept, default=str)) <= MAX_PROMPTS:
        return kept
    return {key: f"{len(value)} entries" if isinstance(value, list | dict) else "long" for key, value in kept.items()}


def _clicks_and_boxes(asked: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    clicks: list[str] = []
    boxes = [json.dumps(box) for box in [asked.get("roi"), *_listed(asked.get("boxes"))] if box]
    for key, value in asked.items():
        opened = _opened(value)
        if isinstance(opened, dict) and key in ("foreground", "background"):
            clicks += [f"{key} {name} {point}" for name, points in opened.items() for point in _listed(points)]
        elif key in ("foreground", "background") or (key not in PROMPTS and _is_points(opened)):
            clicks += [f"{key} {point}" for point in _points(opened)]
    return frozenset(clicks), frozenset(boxes)


def _points(value: Any) -> list[Any]:
    listed = _listed(value)
    bare = bool(listed) and not any(isinstance(entry, list | str) for entry in listed)
    return [listed] if bare else listed


def _listed(value: Any) -> list[Any]:
    opened = _opened(value)
    return opened if isinstance(opened, list) else []


def _opened(value: Any) -> Any:
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _is_points(value: Any) -> bool:
    points = _listed(value)
    return bool(points) and all(
        isinstance(point, list) and len(point) in (2, 3) and all(isinstance(n, int | float) for n in point)
        for point in points
    )


def _bounded(found: frozenset[str]) -> frozenset[str]:
    return found if len(found) <= MAX_CLICKS else frozenset(sorted(found)[:MAX_CLICKS])
