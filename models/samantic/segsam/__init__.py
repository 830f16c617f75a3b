"""SEG-SAM: segment what is prompted and name it (arXiv 2412.12660)."""

from samantic.segsam.checkpoint import CheckpointError, file_hash, load_network, save_network
from samantic.segsam.config import SegSamConfig
from samantic.segsam.input_transform import InputTransform
from samantic.segsam.manifest import TrainingManifest
from samantic.segsam.network import SegSam
from samantic.segsam.predictor import ImageFeatures, ObjectPrediction, SegSamPredictor
from samantic.segsam.second_look import Look, LookLogits
from samantic.segsam.semantic_map import SemanticMap
from samantic.segsam.view_prompts import ViewPrompts, objects_of

__all__ = [
    "CheckpointError",
    "ImageFeatures",
    "InputTransform",
    "Look",
    "LookLogits",
    "ObjectPrediction",
    "SegSam",
    "SegSamConfig",
    "SegSamPredictor",
    "SemanticMap",
    "TrainingManifest",
    "ViewPrompts",
    "file_hash",
    "load_network",
    "objects_of",
    "save_network",
]
