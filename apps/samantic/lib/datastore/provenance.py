"""Where a label came from: who, when, by which weights and clicks, and what of the answer was changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import numpy as np

from samantic import __version__
from samantic.app.lib.datastore.drafts import Draft
from samantic.exporting.label_names import class_name, meant_class, noted_names
from samantic.vocabulary import Code

KEY = "provenance"
"""Under which name a label's info holds its record."""

SCHEMA = "samantic.provenance/1"
MAX_CLASSES = 256


@dataclass(frozen=True)
class Submitter:
    """Who sent a label: what the client calls itself, the person that logged in and the address; "" where unknown."""

    client_id: str = ""
    user: str = ""
    address: str = ""


def of_submission(
    notes: Mapping[str, Any],
    who: Submitter,
    draft: Draft | None,
    agreement: Mapping[str, Any] | None,
    client: Mapping[str, Any],
    now: float,
) -> dict[str, Any]:
    """The record of a label that a person submitted, as JSON.

    notes: what came with the label. draft: what this person was shown on this image before, None if that is not known.
    agreement: as of `agreement`. client: what the client itself tells, checked. now: seconds since 1970. Source: ours.
    """
    return {
        **_head("submission", notes, now),
        "who": {"client_id": who.client_id, "user": who.user, "address": who.address},
        "draft": None if draft is None else _of_draft(draft, agreement, now),
        "client": dict(client),
    }


def of_model(notes: Mapping[str, Any], model: str, answer: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The record of a label that a model wrote without a person, as JSON. Source: ours."""
    return {
        **_head("model", notes, now),
        "model": model,
        "weights_hash": answer.get("weights_hash"),
    }


def agreement(
    answer: np.ndarray,
    answer_names: Mapping[str, int],
    submitted: np.ndarray,
    submitted_names: Sequence[tuple[str, int]],
    plane: tuple[int, int] | None,
) -> dict[str, Any] | None:
    """How far the last answer is what was submitted: Dice, over the classes that both name, otherwise over all drawn.

    answer, submitted: (I, J, K) label values. plane: (axis, slice) that the answer is about, None for the volume.
    None where neither holds anything. Source: ours.
    """
    if plane is not None:
        axis, index = plane
        answer, submitted = answer.take(index, axis), submitted.take(index, axis)
    theirs = {class_name(name): value for name, value in submitted_names}
    common = [(value, theirs[name]) for name, value in _by_class(answer_names) if name in theirs]
    pairs = [(answer == one, submitted == other) for one, other in common] or [(answer > 0, submitted > 0)]
    drawn = sum(int(one.sum()) + int(other.sum()) for one, other in pairs)
    if drawn == 0:
        return None
    same = sum(int((one & other).sum()) for one, other in pairs)
    where = {} if plane is None else {"axis": plane[0], "slice": plane[1]}
    return {"dice": round(2 * same / drawn, 4), "by": "class" if common else "foreground", **where}


def timestamp(seconds: float) -> str:
    """Seconds since 1970 as "2026-01-31T12:00:00Z"."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _head(kind: str, notes: Mapping[str, Any], now: float) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "kind": kind,
        "saved_at": timestamp(now),
        "software": {"name": "samantic", "version": __version__},
        "classes": [_class(name, value) for name, value in noted_names(notes)[:MAX_CLASSES]],
    }


def _class(name: str, value: int) -> dict[str, Any]:
    meant = meant_class(name)
    if meant is None:
        return {"name": name, "value": value}
    codes = {"category": meant.category, "type": meant.type, "modifier": meant.modifier}
    return {"name": name, "value": value, "class": meant.name} | {
        what: _code(code) for what, code in codes.items() if code is not None
    }


def _code(code: Code) -> dict[str, str]:
    return {"scheme": code.scheme, "value": code.value, "meaning": code.meaning}


def _of_draft(draft: Draft, found: Mapping[str, Any] | None, now: float) -> dict[str, Any]:
    return {
        "first_prompt_at": timestamp(draft.first_prompt_at),
        "last_answer_at": timestamp(draft.last_answer_at),
        "seconds": round(max(0.0, now - draft.first_prompt_at), 1),
        "answers": draft.answers,
        "clicks": len(draft.clicks),
        "boxes": len(draft.boxes),
        "label_files": draft.label_files,
        "models": [
            {"model": model, "weights_hash": weights, "answers": answers}
            for (model, weights), answers in draft.models.items()
        ],
        "last": dict(draft.last.notes),
        "agreement": None if found is None else dict(found),
        "edited": None if found is None else found["dice"] < 1,
    }


def _by_class(names: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(class_name(name), value) for name, value in names.items()]
