"""What a pixel of a photograph may be."""

from __future__ import annotations

BACKGROUND, SKIN, LESION = 0, 1, 2

CLASS_NAMES = ("skin", "skin_lesion")
"""Of the values from 1, as the vocabulary has them."""
