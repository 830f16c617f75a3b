"""The weights that a server begins with, before anything has been trained: the bundled ones, or a file."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samantic.besadiff.checkpoint import PartError
from samantic.besadiff.segmenter import LesionSegmenter
from samantic.breast import BreastFileError, BreastReader
from samantic.bundled import bundled_models, bundled_weights
from samantic.segsam.checkpoint import CheckpointError, load_network
from samantic.skinphoto.checkpoint import SkinPhotoWeightsError
from samantic.skinphoto.segmenter import SkinSegmenter
from samantic.student import StudentError, StudentPredictor

logger = logging.getLogger(__name__)


class InitialWeightsError(ValueError):
    """`--conf` names no weights of a model; the message is one plain sentence."""


@dataclass(frozen=True)
class InitialWeights:
    """Where the first weights of the model `task` come from: the file that `--conf <key>` names, or the bundled ones.

    `model` is what people call it. `load` makes a model of a file, and raises `refusal` for one that is none.
    """

    task: str
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

    def found(self, conf: Mapping[str, str]) -> Path | None:
        """Return the file, None where neither the package holds one nor `conf` names one; the log then says so."""
        if str(conf.get(self.key) or "").strip() or self.bundled in bundled_models():
            return self.of(conf)
        logger.warning(
            "The model %s is not offered: the weights '%s' are missing from this package. Install samantic again, or "
            "name a file: --conf %s FILE.safetensors",
            self.task,
            self.bundled,
            self.key,
        )
        return None


SEGSAM = InitialWeights("segsam", "initial_weights", "segsam-tiny", "SEG-SAM", load_network, CheckpointError)
BESADIFF = InitialWeights(
    "besadiff", "besadiff_weights", "besadiff-segmenter", "BESA-Diff's segmenter", LesionSegmenter.load, PartError
)
BREAST = InitialWeights(
    "breast",
    "breast_weights",
    "breast-ultrasound",
    "the network for breast ultrasound",
    BreastReader.load,
    BreastFileError,
)
SKIN_PHOTO = InitialWeights(
    "skin_photo",
    "skin_photo_weights",
    "skin-photo",
    "the network for photographs of skin",
    SkinSegmenter.load,
    SkinPhotoWeightsError,
)


def _student(kind: str) -> InitialWeights:
    task = f"student_{kind}"
    bundled = task.replace("_", "-")
    return InitialWeights(task, f"{task}_weights", bundled, "a student", StudentPredictor.load, StudentError)


STUDENTS = tuple(_student(kind) for kind in ("dermoscopy", "breast_ultrasound", "hippocampus"))

ALL = (SEGSAM, BESADIFF, BREAST, SKIN_PHOTO, *STUDENTS)
