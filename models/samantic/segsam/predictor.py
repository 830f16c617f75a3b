"""The one public object: encode a picture once, then answer many prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from samantic.bundled import bundled_weights
from samantic.sam.embedding_cache import EmbeddingCache
from samantic.sam.embedding_key import EmbeddingKey
from samantic.sam.image_encoder import FeatureMaps
from samantic.segsam.calibration import Calibration
from samantic.segsam.checkpoint import file_hash, load_calibration, load_network
from samantic.segsam.clicked_parts import clicked_parts
from samantic.segsam.encoder_hash import encoder_hash
from samantic.segsam.familiarity import ImageFamiliarity
from samantic.segsam.input_transform import InputTransform
from samantic.segsam.looking import Looking
from samantic.segsam.naming import NAMELESS, NamedObject, ObjectNamer, class_evidence
from samantic.segsam.network import SegSam
from samantic.segsam.prompt_batch import PromptBatch
from samantic.segsam.prompt_tensors import prompt_tensors
from samantic.segsam.second_look import LARGEST_LOGIT, Look, LookLogits
from samantic.segsam.semantic_aware_decoder import SemanticMasks
from samantic.segsam.semantic_map import SemanticMap, only_classes
from samantic.segsam.view_prompts import ViewPrompts


@dataclass(frozen=True, eq=False)
class ImageFeatures:
    """Feature maps of one picture (batch of 1), how it was scaled, and the picture, for second looks."""

    maps: FeatureMaps
    transform: InputTransform
    picture: Callable[[], np.ndarray]


@dataclass(frozen=True, eq=False)
class ObjectPrediction:
    """The answer for one object.

    `mask` (rows, cols) bool and `mask_logits` (rows, cols) float32 at the picture's resolution; after clicks alone the
    mask holds only the parts that were clicked on (`clicked_parts`), the logits hold everything; `low_res_logits`
    to refine from; `predicted_iou` the network's own estimate in 0 to 1; `class_probabilities` over the
    asked classes, summing to 1; `presence` of every other class the model knows; `class_confidence` and `unsure` as in
    `NamedObject`; `familiarity` of the whole picture; `candidates` the alternatives (mask, predicted IoU) for one
    ambiguous prompt, best first. Without a semantic path the class fields are empty; without a calibration nothing is
    known about `unsure` and `familiarity`.
    """

    mask: np.ndarray
    mask_logits: np.ndarray
    low_res_logits: LookLogits
    predicted_iou: float
    class_probabilities: dict[str, float]
    predicted_class: str
    presence: dict[str, float]
    class_confidence: float
    unsure: bool | None
    familiarity: ImageFamiliarity | None
    candidates: tuple[tuple[np.ndarray, float], ...] = ()


class SegSamPredictor:
    """SEG-SAM behind SAM's interface (`set_image` once, `predict` many times), and without state for servers.

    `encode` and `decode` keep nothing, so threads may share a predictor; `set_image` and `predict` are for one user.
    """

    def __init__(
        self,
        network: SegSam,
        weights_hash: str,
        device: str | torch.device | None = None,
        cache: EmbeddingCache | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.network = network.to(self.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self.weights_hash = weights_hash
        self.cache = cache
        self._looking = None if network.look_network is None else Looking(network.look_network, self.device)
        self.calibration = calibration
        self.namer = ObjectNamer(network.config.class_names, calibration)
        self._features: ImageFeatures | None = None

    @classmethod
    def from_checkpoint(
        cls, path: Path, device: str | torch.device | None = None, cache: EmbeddingCache | None = None
    ) -> SegSamPredictor:
        """Load a SEG-SAM safetensors file; CheckpointError says what is wrong with it."""
        return cls(load_network(path), file_hash(path), device, cache, load_calibration(path))

    @classmethod
    def from_bundled(
        cls,
        name: str = "segsam-tiny",
        device: str | torch.device | None = None,
        cache: EmbeddingCache | None = None,
    ) -> SegSamPredictor:
        """Load a model that comes with the package; ValueError lists those that do."""
        return cls.from_checkpoint(bundled_weights(name), device, cache)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes that the model can name."""
        return self.network.config.class_names

    @property
    def encoder_name(self) -> str:
        return self.network.config.encoder

    @cached_property
    def encoder_hash(self) -> str:
        """The identity of the image encoder and its weights, which models with one frozen encoder share."""
        return encoder_hash(self.network.encoder, self.network.image_size)

    @property
    def image_size(self) -> int:
        """Side of the network's square input in pixels."""
        return self.network.image_size

    @torch.inference_mode()
    def encode(self, image: np.ndarray, spacing_yx_mm: tuple[float, float] = (1.0, 1.0)) -> ImageFeatures:
        """Run the encoder on a picture (rows, cols, 3) uint8."""
        transform = self._transform(image, spacing_yx_mm)
        return ImageFeatures(self._encoded(image, transform), transform, lambda: image)

    def embed(self, image: np.ndarray, spacing_yx_mm: tuple[float, float], key: EmbeddingKey) -> ImageFeatures:
        """Like `encode`, through the cache where there is one: the second request costs no encoder pass."""
        transform = self._transform(image, spacing_yx_mm)
        if self.cache is None:
            return ImageFeatures(self._encoded(image, transform), transform, lambda: image)
        maps = self.cache.get_or_compute(key, lambda: self._encoded(image, transform))
        return ImageFeatures({name: tensor.to(self.device) for name, tensor in maps.items()}, transform, lambda: image)

    def embedding_key(self, content_hash: str, view: str, window: str) -> EmbeddingKey:
        """The cache's key for a view of an image under a window, with this model's encoder and its weights."""
        return EmbeddingKey(content_hash, view, window, self.encoder_name, self.encoder_hash)

    def familiarity(self, features: ImageFeatures) -> ImageFamiliarity | None:
        """How like its training pictures a picture is to the model; None if the model is not calibrated."""
        if self.calibration is None:
            return None
        return self.calibration.familiarity.of(features.maps, features.transform)

    @torch.inference_mode()
    def decode(
        self,
        features: ImageFeatures,
        prompts: Sequence[ViewPrompts],
        classes: Sequence[str] | None = None,
        multimask: bool = False,
    ) -> list[ObjectPrediction]:
        """Answer the prompts of several objects in one decoder pass, in their order.

        `classes` are the candidates for the name, by default all that the model knows; ValueError names one that it
        does not know.
        """
        asked = self._asked(classes)
        if not prompts:
            return []
        transform, familiarity = features.transform, self.familiarity(features)
        shape, spacing = transform.shape, transform.spacing_yx_mm
        whole = Look.whole(shape)
        binary, named_prompts = None, list(prompts)
        if multimask or self._looking is None:
            binary = self.network.segment(features.maps, self._on_whole(prompts, transform))
        if self._looking is not None:
            answers, scores = self._looking.answer(features.picture(), spacing, prompts)
        else:
            assert binary is not None
            answers = [LookLogits(_clipped(logits[:1]), whole, transform) for logits in binary.mask_logits]
            scores = binary.predicted_iou[:, 0].float().clamp(0, 1).tolist()
        grid = self.network.low_resolution_size
        on_whole = [LookLogits(answer.seen_from(whole, transform, grid, shape), whole, transform) for answer in answers]
        if self._looking is not None:
            # The border that is found says more about what the object is than a box or a click does.
            named_prompts = [
                item.refining(seen) if (answer.logits > 0).any() else item
                for item, answer, seen in zip(prompts, answers, on_whole, strict=True)
            ]
        semantic = self.network.name(features.maps, self._on_whole(named_prompts, transform))
        predictions = []
        for row, (item, answer, score) in enumerate(zip(prompts, answers, scores, strict=True)):
            picture = answer.in_picture(shape)
            named = self._named(semantic, row, on_whole[row].logits[0].to(self.device), asked, familiarity)
            candidates: tuple[tuple[np.ndarray, float], ...] = ()
            if multimask and binary is not None:
                # At the picture's size a mask can take a hundred megabytes: only those that are asked for.
                pictures = transform.picture_logits(binary.mask_logits[row].float()).cpu().numpy()
                candidates = _candidates(pictures, binary.predicted_iou[row].float().clamp(0, 1), item)
            predictions.append(
                ObjectPrediction(
                    mask=clicked_parts(picture > 0, item),
                    mask_logits=picture,
                    low_res_logits=answer,
                    predicted_iou=score,
                    class_probabilities=named.probabilities,
                    predicted_class=named.predicted_class,
                    presence=named.presence,
                    class_confidence=named.class_confidence,
                    unsure=named.unsure,
                    familiarity=familiarity,
                    candidates=candidates,
                )
            )
        return predictions

    @property
    def has_prompt_free_head(self) -> bool:
        """Whether `semantic_map` answers."""
        return self.network.prompt_free_head is not None

    @torch.inference_mode()
    def semantic_map(self, features: ImageFeatures, classes: Sequence[str] | None = None) -> SemanticMap:
        """Where each class is in the picture, without a prompt, by the prompt-free head.

        `classes` as in `decode`; those that are not asked for count as background. ValueError: the network has no such
        head, or does not know a class.
        """
        asked = self._asked(classes)
        if self.network.prompt_free_head is None:
            raise ValueError("This model has no prompt-free head; `samantic train prompt-free` gives it one.")
        logits = only_classes(self.network.prompt_free_head(features.maps).float(), asked)
        picture = features.transform.picture_logits(logits[0])
        return SemanticMap(
            torch.softmax(picture, dim=0).cpu().numpy(), tuple(self.class_names[index] for index in asked)
        )

    def set_image(self, image: np.ndarray, spacing_yx_mm: tuple[float, float] = (1.0, 1.0)) -> None:
        """Encode a picture (rows, cols, 3) uint8 and keep its features for `predict`."""
        self._features = self.encode(image, spacing_yx_mm)

    def predict(
        self, prompts: Sequence[ViewPrompts], classes: Sequence[str] | None = None, multimask: bool = False
    ) -> list[ObjectPrediction]:
        """Answer prompts on the picture of the last `set_image`; RuntimeError if there is none."""
        if self._features is None:
            raise RuntimeError("There is no picture yet: call set_image before predict.")
        return self.decode(self._features, prompts, classes, multimask)

    def _transform(self, image: np.ndarray, spacing_yx_mm: tuple[float, float]) -> InputTransform:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"A picture is (rows, cols, 3) uint8, not {image.shape} {image.dtype}.")
        if not image.size:
            raise ValueError(f"A picture needs at least one row and one column; this one is {image.shape[:2]}.")
        return self.network.input_transform((image.shape[0], image.shape[1]), spacing_yx_mm)

    @torch.inference_mode()
    def _encoded(self, image: np.ndarray, transform: InputTransform) -> FeatureMaps:
        pixels = transform.image(image).to(self.device, memory_format=torch.channels_last)
        return {name: tensor.contiguous() for name, tensor in self.network.encode(pixels).items()}

    def _asked(self, classes: Sequence[str] | None) -> list[int]:
        names = list(dict.fromkeys(classes)) if classes else list(self.class_names)
        unknown = [name for name in names if name not in self.class_names]
        if unknown:
            raise ValueError(
                f"The model does not know the class '{unknown[0]}'; it knows {len(self.class_names)} classes: "
                f"{', '.join(self.class_names)}."
            )
        return [self.class_names.index(name) for name in names]

    def _on_whole(self, prompts: Sequence[ViewPrompts], transform: InputTransform) -> PromptBatch:
        """The prompts of several objects as the whole picture shows them."""
        looks, index = [Look.whole(transform.shape)] * len(prompts), [0] * len(prompts)
        batch = prompt_tensors(self.network, prompts, looks, index, transform.shape, transform.spacing_yx_mm)
        return batch.to(self.device)

    def _named(
        self,
        semantic: SemanticMasks | None,
        row: int,
        mask_logits: torch.Tensor,
        asked: list[int],
        familiarity: ImageFamiliarity | None,
    ) -> NamedObject:
        if semantic is None:
            return NAMELESS
        presence = None if semantic.presence_logits is None else semantic.presence_logits[row]
        evidence = class_evidence(semantic.semantic_logits[row], mask_logits)
        return self.namer.name(evidence, presence, asked, familiarity)


def _clipped(logits: torch.Tensor) -> torch.Tensor:
    return logits.float().clamp(-LARGEST_LOGIT, LARGEST_LOGIT).cpu()


def _candidates(
    picture: np.ndarray, quality: torch.Tensor, prompts: ViewPrompts
) -> tuple[tuple[np.ndarray, float], ...]:
    order = sorted(range(1, len(picture)), key=lambda index: -float(quality[index]))
    return tuple((clicked_parts(picture[index] > 0, prompts), float(quality[index])) for index in order)
