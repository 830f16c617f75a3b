"""Parts that are trained apart and stand in the network beside the others."""

from __future__ import annotations

from torch import nn

from samantic.segsam.config import SegSamConfig
from samantic.segsam.network import SegSam


def with_part(segsam: SegSam, config: SegSamConfig, name: str, part: nn.Module) -> SegSam:
    """The same SEG-SAM network, as `config` says, with `part` in the place `name`; in evaluation mode."""
    network = SegSam(config)
    kept = {key: tensor for key, tensor in segsam.state_dict().items() if not key.startswith(f"{name}.")}
    network.load_state_dict({**kept, **{f"{name}.{key}": tensor for key, tensor in part.state_dict().items()}})
    return network.eval()
