"""Photographs that nobody took: real lesions on made-up skin before made-up rooms, with what is what in them."""

from samantic.skinphoto.composites.composite import Composite, draw_composite
from samantic.skinphoto.composites.lesions import LesionPatch, lesion_patches

__all__ = ["Composite", "LesionPatch", "draw_composite", "lesion_patches"]
