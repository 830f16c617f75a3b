"""JSON that clients send: an object, finite numbers, real text; anything else is refused with a sentence."""

from __future__ import annotations

import json
import math
from typing import Any

from fastapi import HTTPException, Request

from samantic.app.lib.server.settings import Limits

MAX_DEPTH = 32


def json_object(text: str | bytes | None, what: str) -> dict[str, Any]:
    """Return the JSON object in `text`, {} for none.

    Raises HTTPException 422 for what is not an object, for NaN and infinities (they could not be sent back), for text
    that is not Unicode, and for nesting beyond 32. Source: ours.
    """
    if not text:
        return {}
    try:
        value = json.loads(text, parse_constant=_refused_number, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeError:
        raise HTTPException(422, f"The {what} hold text that is not Unicode.") from None
    except RecursionError:
        raise HTTPException(422, f"The {what} are nested too deeply; {MAX_DEPTH} levels are allowed.") from None
    except json.JSONDecodeError as error:
        raise HTTPException(422, f"The {what} are not JSON: {error.msg} at character {error.pos}.") from None
    except ValueError as error:
        raise HTTPException(422, f"The {what} are not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise HTTPException(422, f"The {what} must be a JSON object such as {{}}, not {_kind(value)}.")
    if _depth(value) > MAX_DEPTH:
        raise HTTPException(422, f"The {what} are nested too deeply; {MAX_DEPTH} levels are allowed.")
    return value


async def body_object(request: Request) -> dict[str, Any]:
    """Return the request's body as a JSON object, {} for an empty one or for null.

    Raises HTTPException 413 beyond the limit, 422 as `json_object`. Source: ours.
    """
    body = await request.body()
    limit = Limits().json_bytes
    if len(body) > limit:
        raise HTTPException(413, f"The parameters are larger than {limit} bytes.")
    return {} if body.strip() == b"null" else json_object(body, "parameters")


def _refused_number(name: str) -> float:
    raise ValueError(f"{name} is not a number that JSON knows")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:20]} is too large")
    return number


def _kind(value: Any) -> str:
    kinds = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return kinds.get(type(value), "null")


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return depth
