"""Weights trained by this project, with their model cards."""

from samantic.bundled.catalogue import bundled_models, bundled_weights, model_card

__all__ = ["bundled_models", "bundled_weights", "model_card"]
