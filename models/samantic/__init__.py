"""Samantic: promptable segmentation that names what it segments."""

__version__ = "0.1.0"
