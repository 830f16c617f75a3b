"""Semantic classes: names, SNOMED CT codes, colours, synonyms, descriptions and their text embeddings."""

from samantic.vocabulary.loading import load_vocabulary
from samantic.vocabulary.semantic_class import DOMAINS, Code, SemanticClass
from samantic.vocabulary.slicer import color_table, terminology_json, terminology_string
from samantic.vocabulary.text_embeddings import TextEmbeddings, load_text_embeddings
from samantic.vocabulary.text_encoder import TextEncoderError, embed_text
from samantic.vocabulary.vocabulary import UnknownClassError, Vocabulary

__all__ = [
    "DOMAINS",
    "Code",
    "SemanticClass",
    "TextEmbeddings",
    "TextEncoderError",
    "UnknownClassError",
    "Vocabulary",
    "color_table",
    "embed_text",
    "load_text_embeddings",
    "load_vocabulary",
    "terminology_json",
    "terminology_string",
]
