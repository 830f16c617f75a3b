"""Crops of whole folders of photographs."""

from samantic.skinphoto.folder.cropping import Cropped, CropProgress, crop_folder
from samantic.skinphoto.folder.errors import CropFolderError

__all__ = ["CropFolderError", "CropProgress", "Cropped", "crop_folder"]
