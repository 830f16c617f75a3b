from __future__ import annotations

import pytest

from samantic.segsam.manifest import TrainingManifest


def test_what_started_from_other_weights_has_learned_from_both():
    first = TrainingManifest.of({"mr": ["b", "a", "a"], "ct": ["x"]})
    later = TrainingManifest.of({"mr": ["c"]})
    assert later.with_earlier(first).images == {"ct": ("x",), "mr": ("a", "b", "c")}


def test_an_image_is_known_whatever_its_set_is_called():
    assert TrainingManifest.of({"mr": ["a", "b"], "ct": ["b", "x"]}).image_ids == {"a", "b", "x"}


def test_it_survives_being_written_and_read():
    manifest = TrainingManifest.of({"mr": ["b", "a"], "none": []})
    assert TrainingManifest.from_json(manifest.to_json()) == manifest


@pytest.mark.parametrize("text", ["[]", '{"mr": "a"}', '{"mr": [1]}', "not JSON"])
def test_anything_else_is_refused(text: str):
    with pytest.raises(ValueError):
        TrainingManifest.from_json(text)
