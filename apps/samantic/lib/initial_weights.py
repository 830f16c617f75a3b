"""The weights that a server begins with, before anything has been trained: the bundled ones, or a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samantic.besadiff.checkpoint import PartError
from samantic.besadiff.segmenter import LesionSegmenter
from samantic.bundled import bundled_weights
from samantic.segsam.checkpoint import CheckpointError, load_network


class InitialWeightsError(ValueError):
    """`--conf` names no weights of a model; the message is one plain sentence."""


@dataclass(frozen=True)
class InitialWeights:
    """Where one model's first weights come from: the file that `--conf <key>` names, or the bundled ones."""

    key: str
    bundled: str
    model: str
    load: Callable[[Path], Any]
    refusal: type[Exception]

    def of(self, conf: Mapping[str, str]) -> Path:
        """Return the file. Raises InitialWeightsError for one that is not there or cannot be loaded. Source: ours."""
        named = str(conf.get(self.key) or "").strip()
        if not named:
            return bundled_weights(self.bundled)
        path = Path(named).expanduser().resolve()
        if not path.is_file():
            raise InitialWeightsError(
                f"--conf {self.key}: there is no file '{path}'; name a .safetensors file of {self.model}."
            )
        try:
            self.load(path)
        except self.refusal as error:
            raise InitialWeightsError(f"--conf {self.key}: {error}") from error
        return path


SEGSAM = InitialWeights("initial_weights", "segsam-tiny", "SEG-SAM", load_network, CheckpointError)
BESADIFF = InitialWeights(
    "besadiff_weights", "besadiff-segmenter", "BESA-Diff's segmenter", LesionSegmenter.load, PartError
)
ALL = (SEGSAM, BESADIFF)
