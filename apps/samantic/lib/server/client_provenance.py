"""What a client tells of how a label was made: a few plain facts, checked before they are kept."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from fastapi import HTTPException

from samantic.app.lib.datastore import printable
from samantic.app.lib.datastore.provenance import KEY

MAX_FACTS = 64
MAX_TEXT = 500
MAX_CHARACTERS = 8192

_NAME = re.compile(r"[A-Za-z][\w.-]{0,63}")
# A record goes with the data wherever they are exported to: no folder of the person's machine, with a name in it.
_PATH = re.compile(r"(^|[\s'\"=(])(~?/[\w.~-]|[A-Za-z]:[\\/]|\\\\|file:)|(^|[\\/])\.\.([\\/]|$)", re.IGNORECASE)


def client_provenance(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts under `provenance` in the parameters of a submission, {} if there are none.

    Raises HTTPException 422 for what is no flat object of at most 64 texts, numbers, true, false or null under simple
    names, for texts beyond 500 characters, more than 8192 in all, and for paths of files. Source: ours.
    """
    facts = params.get(KEY)
    if facts is None:
        return {}
    if not isinstance(facts, dict):
        raise HTTPException(422, f"'{KEY}' must be an object such as {{\"seconds\": 41.5}}.")
    if len(facts) > MAX_FACTS or len(json.dumps(facts)) > MAX_CHARACTERS:
        raise HTTPException(
            422, f"'{KEY}' is too long; {MAX_FACTS} entries of together {MAX_CHARACTERS} characters are allowed."
        )
    for name, value in facts.items():
        _check(name, value)
    return facts


def _check(name: str, value: Any) -> None:
    if not _NAME.fullmatch(name):
        raise HTTPException(
            422, f"'{KEY}' has an entry '{printable(name)}'; a name is up to 64 letters, digits, '_', '-' and '.'."
        )
    if value is not None and not isinstance(value, str | int | float):
        raise HTTPException(422, f"'{KEY}' has a list or object as '{name}'; texts, numbers, true and false are kept.")
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise HTTPException(
            422, f"'{KEY}' has {len(value)} characters as '{name}'; {MAX_TEXT} are allowed in one entry."
        )
    if isinstance(value, str) and _PATH.search(value):
        raise HTTPException(422, f"'{KEY}' has the path of a file as '{name}'; leave it out.")
