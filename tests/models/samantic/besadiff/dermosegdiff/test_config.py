"""Which networks can be."""

import pytest

from samantic.besadiff.dermosegdiff import DermoSegDiffConfig


def test_a_configuration_survives_its_json() -> None:
    config = DermoSegDiffConfig(mask_width=16, image_width=8, mask_multipliers=(1, 2), image_multipliers=(1, 3))
    assert DermoSegDiffConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"mask_multipliers": (1, 2)}, "same number of levels"),
        ({"mask_width": 12}, "multiples of norm_groups"),
        ({"mask_side": 100}, "one whole number"),
        ({"image_side": 256}, "one whole number"),
        ({"image_branch": "frozen"}, "coupled or time_free"),
        ({"prediction": "velocity"}, "epsilon or sample"),
        ({"mask_width": 0}, "at least 1"),
        ({"mask_attention_from": -1}, "at least 0"),
        ({"stem_width": 8}, "image_patch must be 2, 4, 8"),
        ({"stem_width": 12, "image_patch": 2, "mask_patch": 2}, "stem_width must be a multiple"),
        ({"norm_groups": 0, "mask_side": 32, "image_side": 32}, "more than one place"),
    ],
)
def test_what_cannot_be_built_is_said(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        DermoSegDiffConfig(**fields)  # type: ignore[arg-type]
