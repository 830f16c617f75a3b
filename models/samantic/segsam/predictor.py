"""The one public object: encode a picture once, then answer many prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from samantic.bundled import bundled_weights
from samantic.sam.embedding_cache import EmbeddingCache
from samantic.sam.embedding_key import EmbeddingKey
from samantic.sam.image_encoder import FeatureMaps
from samantic.segsam.checkpoint import file_hash, load_network
from samantic.segsam.clicked_parts import clicked_parts
from samantic.segsam.input_transform import InputTransform
from samantic.segsam.naming import NAMELESS, NamedObject, ObjectNamer, class_evidence
from samantic.segsam.network import SegSam
from samantic.segsam.prompt_encoder import BOX_LOWER_RIGHT, BOX_UPPER_LEFT, PADDING, PromptBatch
from samantic.segsam.semantic_aware_decoder import SemanticMasks
from samantic.segsam.view_prompts import ViewPrompts

DRAWN_MASK_LOGIT = 6.0
LARGEST_LOGIT = 20.0
"""Earlier answers are clipped to this before they are fed back, as in training."""


@dataclass(frozen=True, eq=False)
class ImageFeatures:
    """Feature maps of one picture (batch of 1) and how the picture was scaled."""

    maps: FeatureMaps
    transform: InputTransform


@dataclass(frozen=True, eq=False)
class ObjectPrediction:
    """The answer for one object.

    `mask` (rows, cols) bool and `mask_logits` (rows, cols) float32 at the picture's resolution; after clicks alone the
    mask holds only the parts that were clicked on (`clicked_parts`), the logits hold everything; `low_res_logits`
    (1, g, g) to refine from; `predicted_iou` the network's own estimate in 0 to 1; `class_probabilities` over the
    asked classes, summing to 1; `presence` of every other class the model knows; `candidates` the alternatives
    (mask, predicted IoU) for one ambiguous prompt, best first. Without a semantic path the class fields are empty.
    """

    mask: np.ndarray
    mask_logits: np.ndarray
    low_res_logits: torch.Tensor
    predicted_iou: float
    class_probabilities: dict[str, float]
    predicted_class: str
    presence: dict[str, float]
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
    ) -> None:
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.network = network.to(self.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self.weights_hash = weights_hash
        self.cache = cache
        self.namer = ObjectNamer(network.config.class_names)
        self._features: ImageFeatures | None = None

    @classmethod
    def from_checkpoint(
        cls, path: Path, device: str | torch.device | None = None, cache: EmbeddingCache | None = None
    ) -> SegSamPredictor:
        """Load a SEG-SAM safetensors file; CheckpointError says what is wrong with it."""
        return cls(load_network(path), file_hash(path), device, cache)

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

    @property
    def image_size(self) -> int:
        """Side of the network's square input in pixels."""
        return self.network.image_size

    @torch.inference_mode()
    def encode(self, image: np.ndarray, spacing_yx_mm: tuple[float, float] = (1.0, 1.0)) -> ImageFeatures:
        """Run the encoder on a picture (rows, cols, 3) uint8."""
        transform = self._transform(image, spacing_yx_mm)
        return ImageFeatures(self._encoded(image, transform), transform)

    def embed(self, image: np.ndarray, spacing_yx_mm: tuple[float, float], key: EmbeddingKey) -> ImageFeatures:
        """Like `encode`, through the cache where there is one: the second request costs no encoder pass."""
        if self.cache is None:
            return self.encode(image, spacing_yx_mm)
        transform = self._transform(image, spacing_yx_mm)
        maps = self.cache.get_or_compute(key, lambda: self._encoded(image, transform))
        return ImageFeatures({name: tensor.to(self.device) for name, tensor in maps.items()}, transform)

    def embedding_key(self, content_hash: str, view: str, window: str) -> EmbeddingKey:
        """The cache's key for a view of an image under a window, with this model's encoder and weights."""
        return EmbeddingKey(content_hash, view, window, self.encoder_name, self.weights_hash)

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
        output = self.network.decode(features.maps, self._prompt_batch(prompts, features.transform))
        logits, quality = output.binary.mask_logits.float(), output.binary.predicted_iou.float().clamp(0, 1)
        predictions = []
        for row in range(len(prompts)):
            # At the picture's size a mask can take a hundred megabytes: only those that are asked for.
            wanted = logits[row] if multimask else logits[row, :1]
            picture = features.transform.picture_logits(wanted).cpu().numpy()
            low_res = logits[row, :1].clamp(-LARGEST_LOGIT, LARGEST_LOGIT).cpu()
            named = self._named(output.semantic, row, logits[row, 0], asked)
            predictions.append(
                ObjectPrediction(
                    mask=clicked_parts(picture[0] > 0, prompts[row]),
                    mask_logits=picture[0],
                    low_res_logits=low_res,
                    predicted_iou=float(quality[row, 0]),
                    class_probabilities=named.probabilities,
                    predicted_class=named.predicted_class,
                    presence=named.presence,
                    candidates=_candidates(picture, quality[row], prompts[row]) if multimask else (),
                )
            )
        return predictions

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
        return InputTransform((image.shape[0], image.shape[1]), spacing_yx_mm, self.image_size)

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

    def _prompt_batch(self, prompts: Sequence[ViewPrompts], transform: InputTransform) -> PromptBatch:
        count, grid = len(prompts), self.network.low_resolution_size
        longest = max(len(item.points_xy) + 2 * (item.box_xyxy is not None) for item in prompts)
        points = np.zeros((count, max(1, longest), 2), dtype=np.float32)
        labels = np.full(points.shape[:2], PADDING, dtype=np.int64)
        masks, has_mask = torch.zeros(count, 1, grid, grid), torch.zeros(count, dtype=torch.bool)
        for row, item in enumerate(prompts):
            coordinates, kinds = _tokens(item)
            points[row, : len(kinds)] = transform.points(coordinates)
            labels[row, : len(kinds)] = kinds
            if item.low_res_logits is not None:
                masks[row], has_mask[row] = item.low_res_logits, True
            elif item.mask is not None:
                masks[row], has_mask[row] = transform.mask_logits(item.mask, grid, DRAWN_MASK_LOGIT), True
        tensors = (torch.from_numpy(points), torch.from_numpy(labels), masks, has_mask, torch.zeros(count).long())
        return PromptBatch(*(tensor.to(self.device) for tensor in tensors))

    def _named(
        self, semantic: SemanticMasks | None, row: int, mask_logits: torch.Tensor, asked: list[int]
    ) -> NamedObject:
        if semantic is None:
            return NAMELESS
        presence = None if semantic.presence_logits is None else semantic.presence_logits[row]
        return self.namer.name(class_evidence(semantic.semantic_logits[row], mask_logits), presence, asked)


def _tokens(prompts: ViewPrompts) -> tuple[np.ndarray, list[int]]:
    """Clicks, then the corners of the box; bounds are edges, half a pixel before the centre of the pixel they name."""
    coordinates = np.asarray(prompts.points_xy, dtype=np.float64).reshape(-1, 2)
    kinds = [int(label) for label in prompts.point_labels]
    if prompts.box_xyxy is not None:
        x0, y0, x1, y1 = prompts.box_xyxy
        corners = np.array([(x0 - 0.5, y0 - 0.5), (x1 - 0.5, y1 - 0.5)])
        return np.concatenate([coordinates, corners]), [*kinds, BOX_UPPER_LEFT, BOX_LOWER_RIGHT]
    return coordinates, kinds


def _candidates(
    picture: np.ndarray, quality: torch.Tensor, prompts: ViewPrompts
) -> tuple[tuple[np.ndarray, float], ...]:
    order = sorted(range(1, len(picture)), key=lambda index: -float(quality[index]))
    return tuple((clicked_parts(picture[index] > 0, prompts), float(quality[index])) for index in order)
