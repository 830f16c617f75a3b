"""The chunked scan equals the recurrence that it stands for, step by step in double precision."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from samantic.student.scan import selective_scan


def step_by_step(
    x: torch.Tensor, delta: torch.Tensor, decay: torch.Tensor, input_gate: torch.Tensor, output_gate: torch.Tensor
) -> torch.Tensor:
    batch, length, heads, width = x.shape
    state = x.new_zeros(batch, heads, input_gate.shape[-1], width)
    found = []
    for step in range(length):
        kept = (delta[:, step] * decay).exp()[..., None, None]
        added = torch.einsum("bn,bhp->bhnp", input_gate[:, step], x[:, step] * delta[:, step, :, None])
        state = kept * state + added
        found.append(torch.einsum("bn,bhnp->bhp", output_gate[:, step], state))
    return torch.stack(found, dim=1)


def some_input(
    length: int, seed: int = 0, dtype: torch.dtype = torch.float64, device: str = "cpu"
) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(device, dtype)

    delta = torch.nn.functional.softplus(normal(2, length, 3) - 1)
    return normal(2, length, 3, 4), delta, -normal(3).exp(), normal(2, length, 5), normal(2, length, 5)


@settings(deadline=None, max_examples=25)
@given(length=st.integers(1, 70), chunk=st.integers(1, 24), seed=st.integers(0, 99))
def test_values_are_those_of_the_recurrence_for_every_length_and_chunk(length: int, chunk: int, seed: int) -> None:
    given_ = some_input(length, seed)
    torch.testing.assert_close(selective_scan(*given_, chunk=chunk), step_by_step(*given_), rtol=1e-9, atol=1e-10)


def test_gradients_are_those_of_the_recurrence() -> None:
    chunked = [part.requires_grad_() for part in some_input(37)]
    stepped = [part.detach().clone().requires_grad_() for part in chunked]
    weights = torch.randn(2, 37, 3, 4, generator=torch.Generator().manual_seed(8), dtype=torch.float64)
    (selective_scan(*chunked, chunk=8) * weights).sum().backward()
    (step_by_step(*stepped) * weights).sum().backward()
    for one, other in zip(chunked, stepped, strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-8, atol=1e-9)


def test_single_precision_over_four_thousand_steps_stays_near_the_recurrence() -> None:
    exact = some_input(4096, seed=2)
    rounded = [part.float() for part in exact]
    difference = selective_scan(*rounded).double() - step_by_step(*exact)
    assert difference.abs().max() < 1e-4 * step_by_step(*exact).abs().max()


def test_long_forgetting_gives_no_infinite_value_and_no_infinite_gradient() -> None:
    x, delta, decay, input_gate, output_gate = (part.float() for part in some_input(200))
    delta = (1e3 * delta).requires_grad_()
    y = selective_scan(x, delta, 10 * decay, input_gate, output_gate)
    y.square().mean().backward()
    assert y.isfinite().all() and delta.grad is not None and delta.grad.isfinite().all()


def test_what_comes_later_changes_nothing_before() -> None:
    x, *others = some_input(40)
    changed = x.clone()
    changed[:, 25:] += 1
    before, after = selective_scan(x, *others, chunk=16), selective_scan(changed, *others, chunk=16)
    torch.testing.assert_close(before[:, :25], after[:, :25])
    assert not torch.allclose(before[:, 25:], after[:, 25:])


@pytest.mark.parametrize(
    ("place", "message"), [(0, "x must be"), (1, "delta must be"), (2, "decay"), (3, "gates must both be")]
)
def test_tensors_that_do_not_go_together_are_refused(place: int, message: str) -> None:
    parts = list(some_input(6))
    parts[place] = parts[place][..., :1] if place else parts[place][0]
    with pytest.raises(ValueError, match=message):
        selective_scan(*parts)
    with pytest.raises(ValueError, match="chunk must be at least 1"):
        selective_scan(*some_input(6), chunk=0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="mamba-ssm's kernels need a CUDA device, and there is none")
def test_mamba_ssm_gives_the_same_on_a_gpu() -> None:
    combined = pytest.importorskip(
        "mamba_ssm.ops.triton.ssd_combined", reason="mamba-ssm is not installed beside this torch"
    )
    generator = torch.Generator().manual_seed(4)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator).cuda()

    x, delta, decay = normal(2, 256, 4, 32), torch.nn.functional.softplus(normal(2, 256, 4) - 2), -normal(4).exp()
    input_gate, output_gate = normal(2, 256, 16), normal(2, 256, 16)
    theirs = combined.mamba_chunk_scan_combined(
        x, delta, decay, input_gate.unsqueeze(2), output_gate.unsqueeze(2), chunk_size=64
    )
    torch.testing.assert_close(selective_scan(x, delta, decay, input_gate, output_gate), theirs, rtol=2e-2, atol=2e-2)
