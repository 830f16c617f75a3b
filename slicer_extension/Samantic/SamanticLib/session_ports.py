"""What a session needs of the rest: a server, a scene to draw in, a worker; kept apart so that each can be another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from SamanticLib.answers import (
    ClassEntry,
    ImageEntry,
    JobState,
    MapAnswer,
    ModelVersion,
    NextSample,
    SegmentAnswer,
    ServerInfo,
    SubmittedLabel,
    TrainingState,
)
from SamanticLib.geometry import Extent, Voxel
from SamanticLib.prompts import Prompts


@dataclass(frozen=True, eq=False)
class SceneImage:
    """The image that is open: its voxels along i, j and k, where they lie (4, 4), and whether it is in colour."""

    image_id: str
    shape_ijk: Voxel
    ijk_to_ras: np.ndarray
    is_colour: bool = False

    @property
    def is_flat(self) -> bool:
        """Whether it is a picture, of one slice."""
        return self.shape_ijk[2] == 1


@dataclass(frozen=True)
class SceneSegment:
    """A segment of the scene; `class_name` is the vocabulary's, or the name itself where it is of no class."""

    segment_id: str
    class_name: str
    name: str
    rgb: tuple[int, int, int]
    is_empty: bool
    is_visible: bool = True


class Client(Protocol):
    """What a session asks of a server; `SamanticLib.client.SamanticClient` is one. Every method may wait, and raise."""

    def info(self) -> ServerInfo: ...

    def vocabulary(self, model: str | None = None) -> Sequence[ClassEntry]: ...

    def images(self) -> Sequence[ImageEntry]: ...

    def download_image(self, image_id: str, folder: Path) -> Path: ...

    def segment(
        self, model: str, image_id: str, params: Mapping[str, Any], label_file: Path | None = None
    ) -> SegmentAnswer: ...

    def start_job(
        self, kind: str, image_id: str, params: Mapping[str, Any], label_file: Path | None = None
    ) -> JobState: ...

    def job(self, job_id: str) -> JobState: ...

    def job_answer(self, job_id: str) -> SegmentAnswer: ...

    def cancel_job(self, job_id: str) -> Any: ...

    def next_sample(self, strategy: str, **params: Any) -> NextSample: ...

    def give_back(self, image_id: str) -> Any: ...

    def submit_label(
        self, image_id: str, label_file: Path, label_info: Any, provenance: Mapping[str, Any] | None = None
    ) -> Any: ...

    def submitted_label(self, image_id: str, folder: Path) -> SubmittedLabel: ...

    def train(self, model: str, **params: Any) -> Any: ...

    def training(self) -> TrainingState: ...

    def stop_training(self) -> Any: ...

    def versions(self, model: str) -> Sequence[ModelVersion]: ...

    def roll_back(self, model: str, version: str) -> Any: ...

    def uncertainty(self, image_id: str, *arguments: Any, **params: Any) -> MapAnswer: ...


class SceneAdapter(Protocol):
    """Where a session draws. All of it is called in the person's thread, and a paste is one step of undo."""

    def load_image(self, path: Path, image_id: str) -> SceneImage: ...

    def segment_for(self, entry: ClassEntry) -> str: ...

    def segments(self) -> Sequence[SceneSegment]: ...

    def crop(self, segment_id: str, extent: Extent) -> np.ndarray: ...

    def paste(self, segment_id: str, mask: np.ndarray, extent: Extent, overlap: bool) -> int | None: ...

    def undo(self) -> int | None: ...

    def redo(self) -> int | None: ...

    @property
    def can_undo(self) -> bool: ...

    @property
    def can_redo(self) -> bool: ...

    def write_labels(self, path: Path) -> Mapping[str, int]: ...

    def show_prompts(self, prompts: Prompts) -> None: ...

    def show_map(self, values: np.ndarray | None, extent: Extent | None, largest: float) -> None: ...


class LaneWorker(Protocol):
    """`SamanticLib.worker.Worker`, or what runs work at once in a test."""

    def submit(
        self,
        lane: str,
        work: Callable[[], Any],
        on_answer: Callable[[Any], None] = ...,
        on_error: Callable[[Exception], None] = ...,
    ) -> None: ...

    def cancel(self, lane: str) -> None: ...

    def busy(self, lane: str) -> bool: ...

    def close(self) -> None: ...
