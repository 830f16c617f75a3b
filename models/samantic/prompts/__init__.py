"""Prompts: what a person points at, as frozen values in voxel indices, checked once."""

from samantic.prompts.errors import PromptError
from samantic.prompts.kinds import Box, ClassPrompt, MaskPrompt, Point, Scribble
from samantic.prompts.prompt_set import PromptSet
from samantic.prompts.validation import validate_classes

__all__ = [
    "Box",
    "ClassPrompt",
    "MaskPrompt",
    "Point",
    "PromptError",
    "PromptSet",
    "Scribble",
    "validate_classes",
]
