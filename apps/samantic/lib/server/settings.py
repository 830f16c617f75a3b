"""What an administrator can set by environment variables; read before anything heavy is imported."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

MIB = 1024 * 1024
ORIGINS_VARIABLE = "SAMANTIC_ALLOWED_ORIGINS"
THIS_MACHINE = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"

_ORIGIN = re.compile(r"https?://[\w.\-\[\]:]+")


@dataclass(frozen=True)
class Limits:
    """Bounds of one server. upload_bytes: of a request's body; json_bytes: of parameters sent as JSON.

    running and waiting: inferences at work at once, and those that may wait for a turn. Source: ours.
    """

    upload_bytes: int = 2048 * MIB
    json_bytes: int = 1 * MIB
    running: int = 4
    waiting: int = 24

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> Limits:
        """Return the bounds, with SAMANTIC_MAX_UPLOAD_MB, SAMANTIC_INFER_RUNNING and SAMANTIC_INFER_WAITING applied.

        Raises ValueError naming a variable that is not a whole number of at least 1 (waiting: 0).
        """
        return Limits(
            upload_bytes=_whole(environment, "SAMANTIC_MAX_UPLOAD_MB", 2048, 1) * MIB,
            running=_whole(environment, "SAMANTIC_INFER_RUNNING", 4, 1),
            waiting=_whole(environment, "SAMANTIC_INFER_WAITING", 24, 0),
        )


def allowed_origins(environment: Mapping[str, str] = os.environ) -> str:
    """Return the pattern of allowed origins: this machine's, and those in SAMANTIC_ALLOWED_ORIGINS (commas between).

    Raises ValueError for one that is not like https://host:port. Source: ours.
    """
    origins = [
        origin.strip().rstrip("/") for origin in environment.get(ORIGINS_VARIABLE, "").split(",") if origin.strip()
    ]
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(
                f"{ORIGINS_VARIABLE} names '{origin}', but an origin is like https://host or https://host:port."
            )
    return "|".join([THIS_MACHINE, *map(re.escape, origins)])


def _whole(environment: Mapping[str, str], name: str, default: int, least: int) -> int:
    text = environment.get(name, "").strip() or str(default)
    if not text.isdigit() or int(text) < least:
        raise ValueError(f"{name} is '{text}', but it must be a whole number of at least {least}.")
    return int(text)
