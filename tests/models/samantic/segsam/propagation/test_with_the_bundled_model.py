from __future__ import annotations

import time

import numpy as np
import pytest

from samantic.evaluation import dice
from samantic.imaging import SliceView, Volume, window_for
from samantic.segsam import SegSamPredictor, ViewPrompts
from samantic.segsam.cancelling import Cancelled
from samantic.segsam.propagation import PromptedSlice, PropagationOptions, propagate
from samantic.segsam.second_look import bounds_of


@pytest.fixture(scope="module")
def model() -> SegSamPredictor:
    return SegSamPredictor.from_bundled(device="cpu")


@pytest.fixture(scope="module")
def a_ball() -> tuple[Volume, np.ndarray]:
    """An enhancing ball in softer tissue, as CT."""
    i, j, k = np.mgrid[:32, :32, :32]
    inside = (i - 15) ** 2 + (j - 17) ** 2 + (k - 14) ** 2 < 8**2
    noise = np.random.default_rng(5).normal(0, 10, inside.shape)
    return Volume((np.where(inside, 160, 20) + noise).astype(np.int16), np.diag([-3.0, -3.0, 3.0, 1.0]), "CT"), inside


def the_box_on(truth: np.ndarray, volume: Volume, axis: int, index: int) -> PromptedSlice:
    bounds = bounds_of(SliceView.of(volume, axis, index).extract(truth))
    return PromptedSlice(index, ViewPrompts(np.zeros((0, 2)), np.zeros(0, np.int64), bounds))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_ball_is_found_from_one_box_along_every_axis(
    model: SegSamPredictor, a_ball: tuple[Volume, np.ndarray], axis: int
) -> None:
    volume, truth = a_ball
    start = the_box_on(truth, volume, axis, 15)
    found = propagate(model, volume, window_for(volume), [start], PropagationOptions(axis=axis))
    assert dice(found.labels > 0, truth) > 0.85
    assert "end of the image" not in found.stopped.values()


def test_a_running_propagation_stops_within_a_second(model: SegSamPredictor, a_ball: tuple[Volume, np.ndarray]) -> None:
    volume, truth = a_ball
    cancelled_at: list[float] = []

    def on_progress(done: int, _total: int) -> None:
        if done == 3:
            cancelled_at.append(time.monotonic())

    start = the_box_on(truth, volume, 2, 14)
    with pytest.raises(Cancelled):
        propagate(
            model,
            volume,
            window_for(volume),
            [start],
            PropagationOptions(),
            on_progress=on_progress,
            # The person presses the button just after a slice was begun.
            is_cancelled=lambda: bool(cancelled_at) and time.monotonic() - cancelled_at[0] > 0.01,
        )
    assert time.monotonic() - cancelled_at[0] < 1.0
