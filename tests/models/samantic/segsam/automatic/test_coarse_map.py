from __future__ import annotations

import numpy as np
import pytest
import torch

from samantic.segsam.automatic import coarse_map
from samantic.segsam.automatic.coarse_map import CoarseMap, bands, interpolation, only_likely
from samantic.segsam.input_transform import InputTransform


def a_map(transform: InputTransform, classes: int = 3) -> tuple[CoarseMap, torch.Tensor]:
    logits = torch.randn(classes + 1, 16, 16, generator=torch.Generator().manual_seed(0))
    return CoarseMap(logits.log_softmax(dim=0), *interpolation(transform, (16, 16))), logits


@pytest.mark.parametrize("placement", ["centre", "corner", "stretch"])
@pytest.mark.parametrize(("shape", "spacing"), [((40, 60), (1.0, 1.0)), ((90, 30), (0.5, 2.0)), ((1, 1), (1.0, 1.0))])
def test_two_matrices_say_what_the_transform_does(placement, shape, spacing) -> None:
    transform = InputTransform(shape, spacing, 64, placement)
    small, logits = a_map(transform)
    expected = torch.softmax(transform.picture_logits(logits), dim=0)
    torch.testing.assert_close(small.probabilities(0, shape[0]), expected, atol=1e-5, rtol=1e-4)


def test_bands_put_together_are_the_mean_of_the_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    transform = InputTransform((40, 60), (1.0, 1.0), 64)
    maps = [a_map(transform)[0], a_map(transform)[0].of_channels(torch.tensor([True, True, True, True]))]
    whole = next(bands(maps))[1]
    monkeypatch.setattr(coarse_map, "BAND_VALUES", 4 * 60 * 7)
    pieces = list(bands(maps))
    assert len(pieces) == 6
    np.testing.assert_allclose(np.concatenate([piece for _, piece in pieces], axis=1), whole, atol=1e-6)
    np.testing.assert_allclose(whole.sum(axis=0), 1, atol=1e-5)


def test_a_class_that_is_nowhere_likely_counts_as_background() -> None:
    small, logits = a_map(InputTransform((40, 60), (1.0, 1.0), 64))
    logits[2] = -20
    small = CoarseMap(logits.log_softmax(dim=0), small.rows, small.columns)
    (kept,), channels = only_likely([small])
    assert channels.tolist() == [0, 1, 3]
    before, after = small.probabilities(0, 40), kept.probabilities(0, 40)
    torch.testing.assert_close(after[1:], before[[1, 3]], atol=1e-4, rtol=1e-3)
