"""Distances between pictures by their pixels, whichever way up, slightly cropped, brighter or blurred."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

SIDE, WINDOW = 24, 18
"""Pixels a side of a kept picture, and of the middle of another picture that is looked for in it."""
SCALES = (1.0, 0.94, 0.88)
"""A copy is also found when it was cropped to about this share of the side, anywhere, and stretched again."""
FAINT = 4.0
"""Gray levels added to every contrast, so that the noise of plain skin does not look like a pattern."""
CANDIDATES = 32
"""So many of the nearest pictures are compared again at half pixels and the scales between."""
FINE_SCALES = (1.0, 0.97, 0.94, 0.91, 0.88)
SMALLEST = 32
TURNS = 8


class PixelBank:
    """Pictures made small, to be compared with others. Source: ours."""

    def __init__(self, images: Sequence[np.ndarray]) -> None:
        """Keep images (rows, cols, 3) uint8; ValueError for another shape or kind."""
        kept = torch.stack([resized(as_picture(image), SIDE) for image in images])
        self._pictures = kept - kept.mean((2, 3), keepdim=True)
        means = F.avg_pool2d(self._pictures, WINDOW, 1)
        squares = F.avg_pool2d(self._pictures**2, WINDOW, 1)
        self._contrasts = (squares - means**2).mean(1, keepdim=True).clamp_min(0).sqrt()

    def distances(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the distance (N,) to every kept picture and the turn (N,) of `turned` in which `image` is that near.

        It is the root mean square difference of windows freed of their mean colour and divided by their contrast:
        0 for copies, 1.4 for windows that have nothing in common.
        """
        picture = as_picture(image)
        distances, turns = self._compared(_queries(picture, SCALES, (0.0,)), slice(None))
        nearest = np.argsort(distances, kind="stable")[:CANDIDATES]
        distances[nearest], turns[nearest] = self._compared(_queries(picture, FINE_SCALES, (0.0, 0.5)), nearest)
        return distances, turns

    def _compared(self, queries: torch.Tensor, which: slice | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The distances of some pictures to the nearest of queries (Q, 3, WINDOW, WINDOW), and the turns of those."""
        pictures, contrasts = self._pictures[which], self._contrasts[which]
        queries = queries - queries.mean((2, 3), keepdim=True)
        contrast = queries.square().mean((1, 2, 3)).sqrt()[None, :, None, None]
        shared = F.conv2d(pictures, queries) / (3 * WINDOW**2)
        ours, theirs = contrast + FAINT, contrasts + FAINT
        squared = (contrast / ours) ** 2 + (contrasts / theirs) ** 2 - 2 * shared / (ours * theirs)
        nearest, index = squared.flatten(2).min(2).values.min(1)
        return nearest.clamp_min(0).sqrt().numpy(), (index % TURNS).numpy()


def turned(image: np.ndarray, turn: int) -> np.ndarray:
    """One of the eight flips and rotations of an image (rows, cols, 3); 0 is the image itself."""
    rotated = np.rot90(image, turn // 2)
    return np.ascontiguousarray(rotated[:, ::-1] if turn % 2 else rotated)


def as_picture(image: np.ndarray) -> torch.Tensor:
    """An image (rows, cols, 3) uint8 as (3, rows, cols) float32; ValueError for another shape or kind."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or min(image.shape[:2]) < SMALLEST:
        raise ValueError(
            f"An image that is compared must be (rows, cols, 3) uint8 with at least {SMALLEST} pixels a side, "
            f"not {image.shape} {image.dtype}."
        )
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float()


def resized(picture: torch.Tensor, side: int) -> torch.Tensor:
    """A picture (3, rows, cols) stretched to (3, side, side)."""
    return F.interpolate(picture[None], (side, side), mode="bilinear", antialias=True)[0]


def _queries(picture: torch.Tensor, scales: Sequence[float], offsets: Sequence[float]) -> torch.Tensor:
    """Windows from the middle of a picture (Q, 3, WINDOW, WINDOW), in all turns, `offsets` in pixels of the bank."""
    windows = [_middle(picture, scale, down, right) for scale in scales for down in offsets for right in offsets]
    return torch.cat([_turns(window) for window in windows])


def _middle(picture: torch.Tensor, scale: float, down: float, right: float) -> torch.Tensor:
    height, width = picture.shape[1:]
    share = min(WINDOW / (SIDE * scale), 1)
    rows, columns = round(height * share), round(width * share)
    top = min(round((height - rows) / 2 + down * height / (SIDE * scale)), height - rows)
    left = min(round((width - columns) / 2 + right * width / (SIDE * scale)), width - columns)
    return resized(picture[:, top : top + rows, left : left + columns], WINDOW)


def _turns(picture: torch.Tensor) -> torch.Tensor:
    """All turns (8, 3, S, S), in the order of `turned`."""
    rotations = [torch.rot90(picture, quarter, (1, 2)) for quarter in range(4)]
    return torch.stack([one for rotation in rotations for one in (rotation, rotation.flip(2))])
