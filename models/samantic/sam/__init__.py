"""The SAM family: image encoders, their checkpoints, and the cache that keeps a slice's embedding between clicks."""

from samantic.sam.embedding_cache import CacheStatistics, EmbeddingCache
from samantic.sam.embedding_key import EmbeddingKey
from samantic.sam.home import embeddings_folder, samantic_home, weights_folder

__all__ = [
    "CacheStatistics",
    "EmbeddingCache",
    "EmbeddingKey",
    "embeddings_folder",
    "samantic_home",
    "weights_folder",
]
