"""The record of where a submitted label came from, put together from all that the server knows."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from samantic.app.lib.datastore import provenance
from samantic.app.lib.datastore.drafts import Draft, owners_of
from samantic.app.lib.server.label_check import LabelCheck
from samantic.app.lib.server.lookups import running_app
from samantic.exporting.label_names import noted_names
from samantic.imaging import ImageReadError

MAX_CLIENT_ID = 200


def recorded(
    check: LabelCheck,
    image_id: str,
    labels: np.ndarray,
    notes: Mapping[str, Any],
    user: str,
    address: str,
    client: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the record of a label that is being submitted.

    labels: (I, J, K) in the grid of the image. notes: the parameters that came with it. client: what the client tells
    of it, checked. Source: ours.
    """
    draft = running_app().drafts.of(owners_of({**notes, "client_address": address}), image_id)
    client_id = notes.get("client_id")
    who = provenance.Submitter(client_id[:MAX_CLIENT_ID] if isinstance(client_id, str) else "", user, address)
    found = None if draft is None else _agreement(check, image_id, draft, labels, notes)
    return provenance.of_submission(notes, who, draft, found, client, time.time())


def _agreement(
    check: LabelCheck, image_id: str, draft: Draft, labels: np.ndarray, notes: Mapping[str, Any]
) -> dict[str, Any] | None:
    last = draft.last
    if not last.mask:
        return None
    with tempfile.TemporaryDirectory(prefix="samantic-answer-") as folder:
        path = Path(folder) / f"answer{last.suffix}"
        path.write_bytes(last.mask)
        try:
            answer = check.read(path, path.name, image_id)
        except ImageReadError:  # an answer in another grid cannot be compared; the label is none the worse for it
            return None
    return provenance.agreement(answer, last.names, labels, noted_names(notes), last.plane)
