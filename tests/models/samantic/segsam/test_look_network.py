from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from samantic.segsam.look_network import LookNetwork, expected_iou

SIZE = 64


@pytest.fixture
def network() -> LookNetwork:
    torch.manual_seed(0)
    return LookNetwork(SIZE, width=4).eval()


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1)) * 255


@pytest.mark.parametrize("size", [64, 96, 128])
def test_logits_have_half_the_inputs_side_and_a_row_an_object(size, batch_of):
    network = LookNetwork(size, width=4)
    prompts = batch_of([[(20.0, 30.0, 1)], [(3.0, 3.0, 0)], [(9.0, 9.0, 1)]], images=[0, 0, 1], grid=size // 2)
    assert network.low_resolution_size == size // 2
    assert network(torch.zeros(2, 3, size, size), prompts).shape == (3, 1, size // 2, size // 2)


@torch.no_grad()
def test_every_kind_of_prompt_reaches_the_network(network, images, batch_of):
    click = batch_of([[(20.0, 30.0, 1)]])
    drawn = torch.full((1, 1, SIZE // 2, SIZE // 2), -6.0)
    drawn[..., 8:20, 8:20] = 6.0
    answers = [
        network(images, prompts)
        for prompts in (
            click,
            batch_of([[(44.0, 30.0, 1)]]),
            batch_of([[(20.0, 30.0, 0)]]),
            batch_of([[(9.5, 9.5, 2), (39.5, 49.5, 3)]]),
            replace(click, mask_logits=drawn, has_mask=torch.tensor([True])),
        )
    ]
    for row, first in enumerate(answers):
        for second in answers[row + 1 :]:
            assert (first - second).abs().max() > 1e-3


@torch.no_grad()
def test_every_object_is_answered_on_its_own_image(network, images, batch_of):
    tokens = [(20.0, 30.0, 1)]
    together = network(images, batch_of([tokens, tokens], images=[1, 0]))
    for row, image in enumerate((1, 0)):
        torch.testing.assert_close(together[row : row + 1], network(images[image : image + 1], batch_of([tokens])))


@torch.no_grad()
def test_an_answer_does_not_depend_on_who_shares_the_batch(network, images, batch_of):
    rows = [[(20.0, 30.0, 1)], [(9.5, 9.5, 2), (39.5, 49.5, 3), (20.0, 20.0, 1)], [(50.0, 8.0, 0)]]
    together = network(images, batch_of(rows))
    for row, tokens in enumerate(rows):
        torch.testing.assert_close(together[row : row + 1], network(images, batch_of([tokens])), atol=1e-4, rtol=1e-4)


def test_a_picture_lies_in_the_input_with_its_proportions(network):
    transform = network.input_transform((20, 40), (1.0, 1.0))
    assert (transform.size, transform.inner_shape, transform.offset_yx) == (SIZE, (32, 64), (16, 0))


def test_a_network_is_made_without_a_word(capsys: pytest.CaptureFixture[str]):
    LookNetwork(SIZE, width=4)
    assert capsys.readouterr() == ("", "")


class TestExpectedIou:
    def test_a_sure_mask_is_expected_to_be_right(self):
        logits = torch.full((1, 1, 8, 8), -20.0)
        logits[..., 2:5, 2:6] = 20.0
        assert expected_iou(logits).item() == pytest.approx(1, abs=1e-5)

    def test_an_empty_mask_is_worth_nothing(self):
        logits = torch.stack([torch.full((1, 8, 8), -20.0), torch.full((1, 8, 8), -0.1)])
        assert expected_iou(logits).tolist() == [0, 0]

    def test_doubtful_cells_count_by_their_probability(self):
        logits = torch.full((1, 1, 4, 4), -50.0)
        logits[0, 0, 0] = torch.logit(torch.tensor([0.9, 0.8, 0.6, 0.3]))
        # Three cells inside that are right 2.3 times, and 0.3 of a cell left out.
        assert expected_iou(logits).item() == pytest.approx(2.3 / 3.3, abs=1e-4)

    def test_a_doubtful_mask_lies_between_a_sure_one_and_none_in_the_order_of_the_objects(self):
        logits = torch.full((3, 1, 8, 8), -20.0)
        logits[0, :, 2:5, 2:6] = 20.0
        logits[1, :, 2:5, 2:6] = 0.5
        sure, doubtful, none = expected_iou(logits).tolist()
        assert none < 0.5 < doubtful < 0.7 < sure
