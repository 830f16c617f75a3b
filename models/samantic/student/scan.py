"""The selective scan as matrix products over chunks: no kernel, the same result on every device.

State-space duality (Mamba-2, Dao and Gu 2024, arXiv 2405.21060): with one decay a head, the scan within a chunk is a
masked matrix product, and only one state a chunk is handed on.
"""

from __future__ import annotations

import torch
from torch.nn import functional

CHUNK = 64


def selective_scan(
    x: torch.Tensor,
    delta: torch.Tensor,
    decay: torch.Tensor,
    input_gate: torch.Tensor,
    output_gate: torch.Tensor,
    chunk: int = CHUNK,
) -> torch.Tensor:
    """y_t = C_t h_t with h_t = exp(delta_t decay) h_(t-1) + delta_t B_t x_t, from h = 0; returns y like `x`.

    `x` (B, L, H, P); step sizes `delta` (B, L, H), not negative; `decay` (H,), negative; `input_gate` B and
    `output_gate` C (B, L, N), which all heads share. ValueError for tensors that do not go together.
    """
    _check(x, delta, decay, input_gate, output_gate, chunk)
    batch, length, heads, width = x.shape
    chunk = min(chunk, length)
    # Steps of size zero at the end change no state.
    beyond = -length % chunk
    x, delta = functional.pad(x, (0, 0, 0, 0, 0, beyond)), functional.pad(delta, (0, 0, 0, beyond))
    input_gate, output_gate = (functional.pad(gate, (0, 0, 0, beyond)) for gate in (input_gate, output_gate))
    count = (length + beyond) // chunk

    # (B, K, H, Q): logarithm of the decay from the chunk's beginning to each step, the step included.
    logs = (delta * decay).view(batch, count, chunk, heads).transpose(2, 3).cumsum(dim=-1)
    inputs = (x * delta.unsqueeze(-1)).view(batch, count, chunk, heads, width).transpose(2, 3)
    gates_in = input_gate.reshape(batch, count, 1, chunk, -1)
    gates_out = output_gate.reshape(batch, count, 1, chunk, -1)

    weights = (gates_out @ gates_in.transpose(-1, -2)) * _decays_between(logs)
    y = weights @ inputs
    if count > 1:
        y = y + (gates_out * logs.exp().unsqueeze(-1)) @ _states_before(logs, inputs, gates_in)
    return y.transpose(2, 3).reshape(batch, count * chunk, heads, width)[:, :length]


def _decays_between(logs: torch.Tensor) -> torch.Tensor:
    """Logarithms (..., Q) -> what is left at step i of what came in at step j, (..., Q, Q), 0 for j after i."""
    length = logs.shape[-1]
    later = torch.ones(length, length, dtype=torch.bool, device=logs.device).triu(1)
    # Masked before the exponential: what would grow without bound has no gradient then.
    return (logs.unsqueeze(-1) - logs.unsqueeze(-2)).masked_fill(later, -torch.inf).exp()


def _states_before(logs: torch.Tensor, inputs: torch.Tensor, gates_in: torch.Tensor) -> torch.Tensor:
    """The state (B, K, H, N, P) that each chunk begins with."""
    to_the_end = (logs[..., -1:] - logs).exp().unsqueeze(-1)
    added = gates_in.transpose(-1, -2) @ (inputs * to_the_end)
    # A scan over chunks, which is again a masked product: (B, H, K, K).
    between = _decays_between(logs[..., -1].transpose(1, 2).cumsum(dim=-1))
    states = torch.einsum("bhij,bjhnp->bihnp", between, added)
    return functional.pad(states[:, :-1], (0, 0, 0, 0, 0, 0, 1, 0))


def _check(
    x: torch.Tensor,
    delta: torch.Tensor,
    decay: torch.Tensor,
    input_gate: torch.Tensor,
    output_gate: torch.Tensor,
    chunk: int,
) -> None:
    if x.ndim != 4 or not x.shape[1]:
        raise ValueError(f"x must be (B, L, H, P) with at least one step, not {tuple(x.shape)}.")
    batch, length, heads, _ = x.shape
    if delta.shape != (batch, length, heads) or decay.shape != (heads,):
        raise ValueError(
            f"For x {tuple(x.shape)}, delta must be {(batch, length, heads)} and decay {(heads,)}, not "
            f"{tuple(delta.shape)} and {tuple(decay.shape)}."
        )
    if input_gate.shape != output_gate.shape or input_gate.shape[:2] != (batch, length) or input_gate.ndim != 3:
        raise ValueError(
            f"The gates must both be ({batch}, {length}, N), not {tuple(input_gate.shape)} and "
            f"{tuple(output_gate.shape)}."
        )
    if chunk < 1:
        raise ValueError(f"chunk must be at least 1, not {chunk}.")
