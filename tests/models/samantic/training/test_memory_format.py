"""Which order of numbers in memory is the faster one."""

import torch
from torch import nn

from samantic.training.memory_format import faster_memory_format


def test_a_network_of_convolutions_lies_channels_last() -> None:
    assert faster_memory_format(nn.Conv2d(3, 8, 3), torch.device("cpu")) == torch.channels_last


def test_group_normalisation_lies_contiguous_on_a_cpu_and_channels_last_elsewhere() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8))
    assert faster_memory_format(network, torch.device("cpu")) == torch.contiguous_format
    assert faster_memory_format(network, torch.device("cuda")) == torch.channels_last
