"""The studies folder as MONAI Label's datastore."""

from samantic.app.lib.datastore.datastore import ImageExistsError, ReadOnlyError, SamanticDatastore
from samantic.app.lib.datastore.names import (
    IMAGE_EXTENSIONS,
    LABEL_EXTENSIONS,
    NameRefusedError,
    checked_name,
    derived_id,
    image_extension,
    label_extension,
    printable,
)

__all__ = [
    "IMAGE_EXTENSIONS",
    "LABEL_EXTENSIONS",
    "ImageExistsError",
    "NameRefusedError",
    "ReadOnlyError",
    "SamanticDatastore",
    "checked_name",
    "derived_id",
    "image_extension",
    "label_extension",
    "printable",
]
