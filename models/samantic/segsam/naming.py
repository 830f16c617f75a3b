"""What a prompted object is called: semantic masks M_s and a mask -> probabilities of the classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from samantic.segsam.calibration import Calibration
from samantic.segsam.familiarity import ImageFamiliarity

SMALLEST_SHARE = 1e-9
SMALLEST_WEIGHT_LOGIT = -20.0


@dataclass(frozen=True, eq=False)
class ClassEvidence:
    """What the semantic masks say inside one object's mask: `class_logits` (K,) and `background_share` in 0 to 1.

    The evidence of two looks at one object may be averaged, field by field.
    """

    class_logits: torch.Tensor
    background_share: float


@dataclass(frozen=True)
class NamedObject:
    """`probabilities` of the asked classes, summing to 1; `presence` of every class but the predicted one.

    `class_confidence` is the predicted class's probability among all classes that the network knows. `unsure` says that
    the object may be none of them, or that the name is little more than a guess; None if the network is not calibrated.
    """

    probabilities: dict[str, float]
    predicted_class: str
    presence: dict[str, float]
    class_confidence: float
    unsure: bool | None


NAMELESS = NamedObject({}, "", {}, 0.0, None)
"""The answer of a network without the semantic path."""


def class_evidence(semantic_logits: torch.Tensor, mask_logits: torch.Tensor) -> ClassEvidence:
    """Weigh the semantic masks (K + 1, H, W), channel 0 background, by a mask (g, g), both logits.

    A class's logit is the logarithm of its mean probability among the classes inside the mask (ours).
    """
    coarse = functional.interpolate(mask_logits[None, None].float(), size=semantic_logits.shape[-2:], mode="area")[0, 0]
    # An empty mask, too, must leave some weight to tell the classes apart.
    weight = torch.sigmoid(coarse.clamp(min=SMALLEST_WEIGHT_LOGIT))
    weight = weight / weight.sum()
    logits = semantic_logits.float()
    shares = (torch.softmax(logits[1:], dim=0) * weight).sum(dim=(1, 2))
    background = (torch.softmax(logits, dim=0)[0] * weight).sum()
    return ClassEvidence(shares.clamp(min=SMALLEST_SHARE).log(), float(background))


def knownness(class_confidence: float, background_share: float) -> float:
    """How much speaks for the class that an object is given: that it is one of the known ones, and this one (ours).

    The first counts twice: on validation pictures that tells tissue without a name from structures more often.
    """
    return class_confidence * (1.0 - background_share) ** 2


class ObjectNamer:
    """Names objects by the classes that a network knows, calibrated where the checkpoint says how."""

    def __init__(self, class_names: Sequence[str], calibration: Calibration | None = None) -> None:
        self.class_names = tuple(class_names)
        self.calibration = calibration

    def name(
        self,
        evidence: ClassEvidence,
        presence_logits: torch.Tensor | None,
        asked: Sequence[int],
        familiarity: ImageFamiliarity | None = None,
    ) -> NamedObject:
        """Name one object of a picture with this familiarity.

        `presence_logits` (K,) or None; `asked` are the indices of the classes that may be the answer.
        """
        domain = self.calibration.domains[familiarity.domain] if self.calibration and familiarity else None
        logits = evidence.class_logits / (domain.temperature if domain else 1.0)
        likely = torch.softmax(logits[list(asked)], dim=0).tolist()
        probabilities = {self.class_names[index]: value for index, value in zip(asked, likely, strict=True)}
        predicted = max(probabilities, key=probabilities.__getitem__)
        confidence = float(torch.softmax(logits, dim=0)[self.class_names.index(predicted)])
        unsure = None
        if domain is not None and familiarity is not None:
            surely = knownness(confidence, evidence.background_share) >= domain.smallest_knownness
            # In a picture unlike all that it learned from, a network's confidence means nothing.
            unsure = familiarity.out_of_domain or not surely
        return NamedObject(probabilities, predicted, self._presence(presence_logits, predicted), confidence, unsure)

    def _presence(self, presence_logits: torch.Tensor | None, predicted: str) -> dict[str, float]:
        if presence_logits is None:
            return {}
        present = torch.sigmoid(presence_logits.float()).tolist()
        return {name: value for name, value in zip(self.class_names, present, strict=True) if name != predicted}
