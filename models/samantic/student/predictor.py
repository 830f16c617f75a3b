"""The one public object: a photograph or a volume -> labels, probabilities and uncertainty."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from samantic.bundled import bundled_weights
from samantic.imaging import SliceView, Volume, Window, to_uint8, window_for
from samantic.segsam import file_hash
from samantic.student.answer import StudentAnswer
from samantic.student.checkpoint import load_student
from samantic.student.network import MambaStudent
from samantic.student.squares import ORIENTATIONS, stretched, turned, turned_back, unstretched
from samantic.student.suitability import orientations_of

LOOKS = 4
"""Orientations of a picture whose answers are averaged, where as many make sense."""

SLICES_AT_ONCE = 16
LARGEST_BYTES = 2 * 1024**3
"""Of a volume's probabilities, which all must be there at once."""


class StudentPredictor:
    """A student ready to use; it keeps nothing of what it sees, so threads may share it. Source: ours."""

    def __init__(self, network: MambaStudent, weights_hash: str = "", device: torch.device | str | None = None) -> None:
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.network = network.to(self.device).eval()
        self.weights_hash = weights_hash

    @classmethod
    def load(cls, path: Path, device: torch.device | str | None = None) -> StudentPredictor:
        """Read a student's file. Raises StudentError."""
        return cls(load_student(path).network, file_hash(path), device)

    @classmethod
    def from_bundled(cls, name: str, device: torch.device | str | None = None) -> StudentPredictor:
        """Load a student that comes with the package; ValueError lists the models that do."""
        return cls.load(bundled_weights(name), device)

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.network.config.class_names

    @property
    def domain(self) -> str:
        """The kind of its pictures, as in the vocabulary."""
        return self.network.config.domain

    def segment(self, picture: np.ndarray, *, looks: int = LOOKS) -> StudentAnswer:
        """Segment a picture (rows, cols, 3) uint8 of any size, looked at in at most `looks` orientations, one to eight.

        Only those are taken in which such pictures exist: see `orientations_of`. ValueError for another kind of array
        or number.
        """
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or 0 in picture.shape:
            raise ValueError(f"A picture must be (rows, cols, 3) uint8, not {picture.shape} {picture.dtype}.")
        if not 1 <= looks <= ORIENTATIONS:
            raise ValueError(f"looks must be 1 to {ORIENTATIONS}, not {looks}.")
        square = stretched(picture, self.network.config.side)
        chosen = orientations_of(self.network.config)[:looks]
        views = self._shares([turned(square, look) for look in chosen])
        upright = torch.stack([turned_back(one, look) for look, one in zip(chosen, views, strict=True)])
        shares = unstretched(upright.mean(dim=0, keepdim=True), *picture.shape[:2])[0].half().cpu().numpy()
        return StudentAnswer.of(shares, self.class_names, self.network.config.least_share)

    def segment_volume(
        self,
        volume: Volume,
        window: Window | None = None,
        *,
        axes: Sequence[int] | None = None,
        looks: int = LOOKS,
        on_progress: Callable[[int, int], None] = lambda _done, _total: None,
        check: Callable[[], None] = lambda: None,
    ) -> StudentAnswer:
        """Segment a volume slice by slice along `axes`, and average: what all directions see is there.

        A photograph is looked at in up to `looks` orientations instead. `axes`: by default those that the student has
        learned to look along. `on_progress(done, total)` after every few slices, before which `check` may raise.
        ValueError for axes that do not exist, or a volume whose probabilities would not fit into 2 GiB.
        """
        window = window or window_for(volume)
        if volume.kind == "photograph":
            check()
            view = SliceView.of(volume, 2, 0)
            found = self.segment(to_uint8(view.extract(volume.array), window), looks=looks)
            on_progress(1, 1)
            inserted = np.stack([_inserted(view, share) for share in found.shares])
            return StudentAnswer.of(inserted, self.class_names, self.network.config.least_share)
        chosen = tuple(self.network.config.axes if axes is None else axes)
        if not chosen or len(set(chosen)) != len(chosen) or not set(chosen) <= {0, 1, 2}:
            raise ValueError(f"axes must be some of 0, 1 and 2, each once, not {chosen}.")
        shape = (1 + len(self.class_names), *volume.shape_ijk)
        needed = int(np.prod(shape, dtype=np.int64)) * np.dtype(np.float16).itemsize
        if needed > LARGEST_BYTES:
            raise ValueError(
                f"The probabilities of a volume of {volume.shape_ijk} voxels take {needed / 1024**3:.1f} GiB, and at "
                f"most {LARGEST_BYTES / 1024**3:.0f} GiB are allowed: crop or resample the image."
            )
        total, done = sum(volume.shape_ijk[axis] for axis in chosen), 0
        shares = np.zeros(shape, np.float16)
        for axis in chosen:
            for views in _some(SliceView.of(volume, axis, index) for index in range(volume.shape_ijk[axis])):
                check()
                for view, found_shares in zip(views, self._of_slices(volume, window, views), strict=True):
                    for place, share in enumerate(found_shares):
                        before = view.extract(shares[place])
                        view.insert(shares[place], before + share / np.float16(len(chosen)))
                done += len(views)
                on_progress(done, total)
        return StudentAnswer.of(shares, self.class_names)

    def _of_slices(self, volume: Volume, window: Window, views: Sequence[SliceView]) -> np.ndarray:
        pictures = [to_uint8(view.extract(volume.array), window) for view in views]
        found = self._shares([stretched(picture, self.network.config.side) for picture in pictures])
        return unstretched(found, *views[0].shape).half().cpu().numpy()

    @torch.inference_mode()
    def _shares(self, squares: Sequence[torch.Tensor]) -> torch.Tensor:
        """Squares (3, S, S) uint8 -> (B, 1 + K, S, S)."""
        batch = torch.stack(list(squares)).to(self.device).float() / 255
        return torch.softmax(self.network(batch).logits.float(), dim=1)


def _inserted(view: SliceView, picture: np.ndarray) -> np.ndarray:
    array = np.zeros(view.volume_shape_ijk, picture.dtype, order="F")
    view.insert(array, picture)
    return array


def _some(views: Iterator[SliceView]) -> Iterator[list[SliceView]]:
    batch: list[SliceView] = []
    for view in views:
        batch.append(view)
        if len(batch) == SLICES_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
