"""What the project knows about one semantic class: names, codes, colour, words."""

from __future__ import annotations

from dataclasses import dataclass

DOMAINS = ("ct", "mr", "dermoscopy", "breast_ultrasound", "skin_photo")


@dataclass(frozen=True)
class Code:
    """A coded concept as DICOM writes it, e.g. ("SCT", "64033007", "Kidney").

    `scheme` is "SCT" (SNOMED CT), "DCM" or "99SAMANTIC": ours, private by DICOM's rule that such schemes start with 99,
    for dermoscopic attributes that have no public code.
    """

    scheme: str
    value: str
    meaning: str


@dataclass(frozen=True)
class SemanticClass:
    """One thing that can be segmented.

    `name` is the unique identifier in snake_case, `label` the words for people ("left kidney"), `domains` the kinds of
    image it appears in. `category`, `type`, `modifier`, `region` and `region_modifier` code a DICOM segment, the last
    three optional. `description` is what the text embedding is computed from.
    """

    name: str
    label: str
    domains: tuple[str, ...]
    category: Code
    type: Code
    modifier: Code | None
    colour_rgb: tuple[int, int, int]
    synonyms: tuple[str, ...]
    description: str
    region: Code | None = None
    region_modifier: Code | None = None

    @property
    def code_values(self) -> tuple[str, ...]:
        """Code values of type, modifier, region and region modifier, those that are there, in this order."""
        codes = (self.type, self.modifier, self.region, self.region_modifier)
        return tuple(code.value for code in codes if code is not None)

    @property
    def embedded_text(self) -> str:
        """The text that stands for this class in front of the sentence encoder."""
        return f"{self.label}: {self.description}"
