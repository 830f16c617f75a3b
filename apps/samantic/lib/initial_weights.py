"""The weights that a server begins with, before anything has been trained: the bundled ones, or a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from samantic.bundled import bundled_weights
from samantic.segsam.checkpoint import CheckpointError, load_network

CONF_KEY = "initial_weights"
BUNDLED_NAME = "segsam-tiny"


class InitialWeightsError(ValueError):
    """`--conf initial_weights` names no weights of SEG-SAM; the message is one plain sentence."""


def initial_weights(conf: Mapping[str, str]) -> Path:
    """Return the file that `--conf initial_weights` names, the bundled model's without it.

    Raises InitialWeightsError for a file that is not there or cannot be loaded. Source: ours.
    """
    named = str(conf.get(CONF_KEY) or "").strip()
    if not named:
        return bundled_weights(BUNDLED_NAME)
    path = Path(named).expanduser().resolve()
    if not path.is_file():
        raise InitialWeightsError(f"--conf {CONF_KEY}: there is no file '{path}'; name a .safetensors file of SEG-SAM.")
    try:
        load_network(path)
    except CheckpointError as error:
        raise InitialWeightsError(f"--conf {CONF_KEY}: {error}") from error
    return path
