"""The SAM family: image encoders, their checkpoints, and the cache that keeps a slice's embedding between clicks."""

from samantic.sam.checkpoint_file import CheckpointFile, WeightsError, find_file, offline_folder, verify_file
from samantic.sam.download import fetch_checkpoint
from samantic.sam.embedding_cache import CacheStatistics, EmbeddingCache
from samantic.sam.embedding_key import EmbeddingKey
from samantic.sam.home import embeddings_folder, published_folder, samantic_home, weights_folder
from samantic.sam.zoo import Checkpoint, UnknownCheckpointError, find_checkpoint, load_zoo

__all__ = [
    "CacheStatistics",
    "Checkpoint",
    "CheckpointFile",
    "EmbeddingCache",
    "EmbeddingKey",
    "UnknownCheckpointError",
    "WeightsError",
    "embeddings_folder",
    "fetch_checkpoint",
    "find_checkpoint",
    "find_file",
    "load_zoo",
    "offline_folder",
    "published_folder",
    "samantic_home",
    "verify_file",
    "weights_folder",
]
