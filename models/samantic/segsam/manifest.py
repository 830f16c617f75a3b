"""What a network has learned from: the manifest that travels in its checkpoint."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TrainingManifest:
    """`images` maps the name of a data set to the ids of the images whose labels were learned from, sorted.

    Weights that start from others have learned from both: experiments with few labels rest on nothing being left out.
    """

    images: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, images: Mapping[str, Iterable[str]]) -> TrainingManifest:
        """A manifest of image ids in any order, with repetitions."""
        return cls({name: tuple(sorted(set(ids))) for name, ids in sorted(images.items())})

    def with_earlier(self, earlier: TrainingManifest) -> TrainingManifest:
        """What both have learned from, set by set."""
        names = self.images.keys() | earlier.images.keys()
        return self.of({name: [*self.images.get(name, ()), *earlier.images.get(name, ())] for name in names})

    @property
    def image_ids(self) -> frozenset[str]:
        """The images of all sets: one that keeps its public id is known by it, however the set was called."""
        return frozenset(image_id for ids in self.images.values() for image_id in ids)

    def to_json(self) -> str:
        return json.dumps(self.images, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> TrainingManifest:
        """Read what `to_json` wrote; ValueError says what is wrong with it."""
        images = json.loads(text)
        if not isinstance(images, dict) or not all(_is_list_of_names(ids) for ids in images.values()):
            raise ValueError("a training manifest maps names of data sets to lists of image ids")
        return cls.of(images)


def _is_list_of_names(ids: object) -> bool:
    return isinstance(ids, list) and all(isinstance(one, str) for one in ids)
