from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from samantic.besadiff.checkpoint import PartError, save_part
from samantic.besadiff.generator import ConditionDistribution, LesionCondition, LesionGenerator, draw_condition
from samantic.besadiff.generator.lesion_generator import CONDITIONS, KIND
from samantic.besadiff.generator.network import GeneratorNetwork
from samantic.segsam.manifest import TrainingManifest

NEVUS = LesionCondition("nevus", 0.2, (0.5, 0.5))
MELANOMA = LesionCondition("melanoma", 0.4, (0.4, 0.6))


def test_a_pair_is_an_image_with_a_soft_mask_of_the_same_size(generator: LesionGenerator) -> None:
    (pair,) = generator.generate([NEVUS], seeds=[1], steps=3)
    assert (pair.image.shape, pair.image.dtype) == ((32, 32, 3), np.uint8)
    assert (pair.probability.shape, pair.probability.dtype) == ((32, 32), np.float32)
    assert pair.probability.min() >= 0
    assert pair.probability.max() <= 1
    assert pair.mask.dtype == bool
    assert (pair.condition, pair.seed) == (NEVUS, 1)


def test_a_seed_gives_the_same_pair_whatever_is_drawn_beside_it(generator: LesionGenerator) -> None:
    (alone,) = generator.generate([MELANOMA], seeds=[7], steps=3)
    among = generator.generate([NEVUS, MELANOMA, LesionCondition()], seeds=[5, 7, 9], steps=3)
    assert np.array_equal(alone.image, among[1].image)
    assert np.array_equal(alone.probability, among[1].probability)
    (other,) = generator.generate([MELANOMA], seeds=[8], steps=3)
    assert not np.array_equal(alone.image, other.image)


def test_without_guidance_the_condition_is_not_seen_and_with_it_it_is(generator: LesionGenerator) -> None:
    def drawn(condition: LesionCondition, guidance: float) -> np.ndarray:
        return generator.generate([condition], seeds=[2], steps=3, guidance=guidance)[0].probability

    assert np.allclose(drawn(NEVUS, 0.0), drawn(LesionCondition(), 3.0), atol=1e-4)
    difference = [np.abs(drawn(NEVUS, guidance) - drawn(NEVUS, 0.0)).mean() for guidance in (1.0, 3.0)]
    assert 0 < difference[0] < difference[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"seeds": [1, 2]}, "as many seeds"),
        ({"seeds": [1], "steps": 1}, "2 to 1000"),
        ({"seeds": [1], "guidance": -1.0}, "guidance"),
    ],
)
def test_what_cannot_be_drawn_is_refused(generator: LesionGenerator, arguments: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        generator.generate([NEVUS], **arguments)  # type: ignore[arg-type]


def test_a_generator_survives_its_file(
    network: GeneratorNetwork, conditions: ConditionDistribution, tmp_path: Path
) -> None:
    path = tmp_path / "generator.safetensors"
    manifest = TrainingManifest.of({"isic2017": ["b", "a"]})
    notes = {CONDITIONS: conditions.to_json()}
    save_part(KIND, network, network.config.to_json(), path, manifest=manifest, notes=notes)
    first, again = LesionGenerator.load(path), LesionGenerator.load(path)
    assert (first.conditions, first.manifest, first.image_size) == (conditions, manifest, 32)
    assert len(first.weights_hash) == 64
    one, other = (loaded.generate([NEVUS], seeds=[4], steps=3)[0] for loaded in (first, again))
    assert np.array_equal(one.image, other.image)
    kept = LesionGenerator(network).generate([NEVUS], seeds=[4], steps=3)[0]
    assert np.abs(one.probability - kept.probability).max() < 0.02, "half precision changes little"
    assert first.draw_condition(np.random.default_rng(0), "melanoma").diagnosis == "melanoma"
    assert draw_condition(np.random.default_rng(0), "nevus", conditions).diagnosis == "nevus"


def test_a_damaged_configuration_is_said(network: GeneratorNetwork, tmp_path: Path) -> None:
    path = tmp_path / "generator.safetensors"
    for config, notes in (("{", {}), ('{"patch": 3}', {}), (network.config.to_json(), {CONDITIONS: '{"mole": []}'})):
        save_part(KIND, network, config, path, manifest=None, notes=notes)
        with pytest.raises(PartError, match="configuration"):
            LesionGenerator.load(path)
    save_part(KIND, network, '{"patch": 8}', path, manifest=None)
    with pytest.raises(PartError, match="does not fit"):
        LesionGenerator.load(path)
