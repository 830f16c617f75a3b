from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from samantic.besadiff.generator import LesionCondition
from samantic.besadiff.generator.condition_input import condition_planes, condition_vectors
from samantic.besadiff.generator.config import GeneratorConfig
from samantic.besadiff.generator.network import GeneratorNetwork
from samantic.besadiff.generator.noise import STEPS, sampling_scheduler, signal_and_noise
from samantic.besadiff.generator.patch_basis import PatchBasis, to_signed
from samantic.besadiff.training.generator_settings import GeneratorSettings
from samantic.training import SettingsError

SmoothPlanes = Callable[[int, int, int], np.ndarray]


def test_smooth_pictures_survive_a_quarter_of_their_components(smooth_planes: SmoothPlanes) -> None:
    planes = smooth_planes(30, 32, 1)
    basis = PatchBasis(4, 16)
    basis.learn(planes)
    signed = to_signed(torch.from_numpy(planes))
    kept = basis.decode(basis.encode(signed))
    assert (kept - signed).square().mean() < 0.002 * signed.var()
    assert torch.allclose(basis.components @ basis.components.T, torch.eye(16), atol=1e-5)
    assert basis.encode(signed).std((0, 2, 3)).allclose(basis.deviations, rtol=0.02)


def test_the_schedule_goes_from_nearly_no_noise_to_nearly_nothing_else() -> None:
    signal, noise = signal_and_noise(2.0)
    assert torch.allclose(signal**2 + noise**2, torch.ones(STEPS))
    assert noise[0] < 0.01
    assert signal[-1] < 0.001
    assert (noise.diff() > 0).all()
    assert sampling_scheduler(2.0, 10).alphas_cumprod.sqrt().allclose(signal, atol=1e-4)


def test_what_the_network_is_asked_for_leads_to_the_clean_picture_and_has_variance_one(
    network: GeneratorNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    clean = torch.randn(64, 16, 8, 8) * network.basis.deviations[:, None, None]
    noise = torch.randn_like(clean)
    steps = torch.linspace(0, STEPS - 1, 64).long()
    asked = network.asked(clean, noise, steps)
    assert 0.9 < float(asked.square().mean()) < 1.1
    monkeypatch.setattr(network, "answer", lambda *_: asked)
    factors = network.factors(steps)
    noisy = factors.signal * clean + factors.noise * noise
    vectors, planes = condition_vectors([LesionCondition()] * 64), condition_planes([LesionCondition()] * 64, 8)
    # Rounding grows with the noise that has to be taken away again.
    assert torch.allclose(network(noisy, steps, vectors, planes), clean, atol=2e-3)


def test_every_part_of_a_condition_reaches_the_answer(network: GeneratorNetwork) -> None:
    noisy, steps = torch.randn(1, 16, 8, 8), torch.tensor([500])
    conditions = [
        LesionCondition(),
        LesionCondition("nevus"),
        LesionCondition("melanoma"),
        LesionCondition(area=0.2),
        LesionCondition(centre_yx=(0.5, 0.5)),
        LesionCondition(area=0.2, centre_yx=(0.5, 0.5)),
    ]
    answers = [
        network(noisy, steps, condition_vectors([condition]), condition_planes([condition], 8))
        for condition in conditions
    ]
    for index, answer in enumerate(answers):
        assert all(not torch.allclose(answer, other, atol=1e-4) for other in answers[:index])


def test_the_packaged_network_fits_a_file_of_16_megabytes() -> None:
    network = GeneratorNetwork(GeneratorSettings.from_yaml().network)
    assert sum(tensor.numel() for tensor in network.state_dict().values()) * 2 < 15.9e6


def test_a_configuration_survives_its_text(network: GeneratorNetwork) -> None:
    assert GeneratorConfig.from_json(network.config.to_json()) == network.config


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"image_size": 100}, "multiple of 16"),
        ({"image_size": 100_000}, "512"),
        ({"patch": 3}, "1, 2, 4"),
        ({"kept": 65}, "64"),
        ({"widths": (40, 64)}, "multiples of 16"),
        ({"widths": (32, 48)}, "multiple of 32"),
        ({"blocks": 0}, "blocks"),
        ({"noise_shift": 0.0}, "noise_shift"),
    ],
)
def test_a_configuration_that_cannot_be_built_is_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        GeneratorConfig(**values)  # type: ignore[arg-type]
