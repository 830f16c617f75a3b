"""What the server says, as the rest of the extension sees it: frozen, checked, in voxel indices (i, j, k)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

ENDED = ("done", "failed", "cancelled")
"""States of a job in which nothing happens any more."""


@dataclass(frozen=True)
class ModelInfo:
    """A model that a server offers: `type` and `dimension` as MONAI Label says them, `labels` the classes it knows."""

    name: str
    type: str
    dimension: int
    labels: tuple[str, ...] = ()
    description: str = ""
    trainable: bool = False

    @property
    def interactive(self) -> bool:
        """Whether it answers clicks, boxes and scribbles."""
        return self.type in ("deepgrow", "deepedit", "scribbles", "annotation")


@dataclass(frozen=True)
class ServerInfo:
    """A server: what it calls itself, its models and all classes that they know, and what it can choose images by."""

    name: str
    version: str
    models: Mapping[str, ModelInfo]
    labels: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True)
class ImageEntry:
    """An image of the studies and the tags under which it has labels, such as `final`."""

    image_id: str
    label_tags: tuple[str, ...] = ()

    @property
    def labelled(self) -> bool:
        """Whether a person has submitted a label of it."""
        return "final" in self.label_tags


@dataclass(frozen=True)
class CodedTerm:
    """One code of a terminology, such as ("SCT", "10200004", "Liver")."""

    scheme: str
    value: str
    meaning: str


@dataclass(frozen=True)
class ClassCode:
    """The codes of a class as DICOM segments carry them: category, type and, where there is one, modifier; region."""

    category: CodedTerm
    type: CodedTerm
    modifier: CodedTerm | None = None
    region: CodedTerm | None = None
    region_modifier: CodedTerm | None = None


@dataclass(frozen=True)
class ClassEntry:
    """A class of the vocabulary: `name` for machines, `label` for people, domains such as "ct, mr", rgb in 0..255."""

    label: str
    name: str
    domain: str
    synonyms: tuple[str, ...]
    code: ClassCode
    rgb: tuple[int, int, int]
    description: str = ""


@dataclass(frozen=True, eq=False)
class Candidate:
    """An alternative mask of an ambiguous prompt: bool (i, j, k) over its half-open extent, None for nothing."""

    quality: float
    mask: np.ndarray
    extent_ijk: tuple[int, int, int, int, int, int] | None


@dataclass(frozen=True)
class StructureFound:
    """One class that a model without a prompt found, and how sure it is of it."""

    class_name: str
    value: int
    voxels: int
    extent_ijk: tuple[int, int, int, int, int, int] | None
    confidence: float | None = None
    predicted_class: str | None = None
    class_confidence: float | None = None
    unsure: bool | None = None


@dataclass(frozen=True, eq=False)
class SegmentAnswer:
    """A mask and all that the server says of it.

    mask: (i, j, k) uint8 or uint16, read-only, the voxels of the half-open `extent_ijk` (i0, i1, j0, j1, k0, k1) of the
    image; (0, 0, 0) where nothing was found and nothing was there before. What is 0 in it is to be cleared, too.
    label_names: what its values mean. ijk_to_ras: (4, 4) of the crop's own voxels, None if the file says none.
    `class_confidence`, `unsure`, `out_of_domain` are None from a model that cannot tell; `boundary_confidence` is
    besadiff's. raw: the whole JSON.
    """

    mask: np.ndarray
    extent_ijk: tuple[int, int, int, int, int, int] | None
    label_names: Mapping[str, int]
    predicted_class: str | None = None
    class_confidence: float | None = None
    unsure: bool | None = None
    out_of_domain: bool | None = None
    class_probabilities: Mapping[str, float] = field(default_factory=dict)
    presence: Mapping[str, float] = field(default_factory=dict)
    quality: float | None = None
    candidates: tuple[Candidate, ...] = ()
    slice: int | None = None
    axis: int | None = None
    empty: bool = False
    propagation: Mapping[str, Any] | None = None
    model: str = ""
    weights_hash: str = ""
    latencies: Mapping[str, float] = field(default_factory=dict)
    boundary_confidence: float | None = None
    structures: tuple[StructureFound, ...] = ()
    image_id: str = ""
    ijk_to_ras: np.ndarray | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class MapAnswer:
    """A map of how (un)sure a model is: values (i, j, k) float32 in 0..`largest` over the half-open `extent_ijk`."""

    values: np.ndarray
    extent_ijk: tuple[int, int, int, int, int, int] | None
    kind: str
    largest: float
    model: str = ""
    weights_hash: str = ""
    image_id: str = ""
    ijk_to_ras: np.ndarray | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SubmittedLabel:
    """The final label of an image: the file that was fetched, and value -> class of what is drawn in it."""

    image_id: str
    path: Path
    classes: Mapping[int, str]


@dataclass(frozen=True)
class JobState:
    """A job: `done` of `total` steps (0 of 0: not known yet), `text` what it is at, `seconds` of work so far.

    state: "queued", "running", "done", "failed" or "cancelled"; `result` once done, `detail` why it failed.
    """

    id: str
    kind: str
    state: str
    done: int = 0
    total: int = 0
    text: str = ""
    seconds: float = 0.0
    detail: str | None = None
    has_file: bool = False
    result: Mapping[str, Any] | None = None
    image_id: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing will happen any more."""
        return self.state in ENDED


@dataclass(frozen=True)
class NextSample:
    """The image that is this client's turn, None if there is none; `reason` says in words why.

    name: of its file. path: where the *server* has it. lease_seconds: how long it is kept for this client.
    """

    image_id: str | None
    reason: str = ""
    name: str = ""
    path: str = ""
    weight: float | None = None
    lease_seconds: float | None = None
    skipped: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingEpoch:
    """What one epoch of a training came to: Dice on the images that were held out, over all classes and by class."""

    epoch: int
    epochs: int
    loss: float | None
    mean_dice: float | None
    dice: Mapping[str, float]
    is_best: bool
    seconds: float | None = None


@dataclass(frozen=True)
class TrainingState:
    """The training in progress or, without one, the last since the server began.

    state: "none", "queued", "running", "done", "failed" or "stopped". epochs: those that the server still tells of
    (about the last twenty lines). published: the version that it became, None if none was better. detail: the last line
    that was not JSON, which says why where it failed.
    """

    state: str
    model: str = ""
    epochs: tuple[TrainingEpoch, ...] = ()
    published: str | None = None
    dice_before: float | None = None
    dice_after: float | None = None
    detail: str = ""
    id: str = ""

    @property
    def running(self) -> bool:
        """Whether it waits or trains now."""
        return self.state in ("queued", "running")


@dataclass(frozen=True)
class ModelVersion:
    """Weights that a training published, and the Dice before and after on images that were held out.

    One of the versions, "bundled", is that of before the first training, without figures.
    """

    version: str
    model: str
    dice_before: float | None = None
    dice_after: float | None = None
    per_class: Mapping[str, float] = field(default_factory=dict)
    new_classes: tuple[str, ...] = ()
    is_served: bool = False
    published_at: str = ""
