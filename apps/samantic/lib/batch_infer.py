"""Inference on many images: one that cannot be labelled does not end the run, and people's labels are left alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from monailabel.interfaces.datastore import Datastore, DefaultLabelTag
from monailabel.interfaces.tasks.batch_infer import BatchInferImageType, BatchInferTask

from samantic.app.lib.jobs.errors import failure

logger = logging.getLogger(__name__)

ORIGINAL = DefaultLabelTag.ORIGINAL.value


class SafeBatchInfer(BatchInferTask):
    """MONAI Label's batch inference, one image after the other: the networks use all cores for each anyway.

    "unlabeled" images are those without a final label and without one of the tag that is written, so that a run that
    was stopped goes on where it was. Source: ours.
    """

    def get_images(self, request: Mapping[str, Any], datastore: Datastore) -> list[str]:
        """Return the ids of the images to label."""
        images: list[str] = list(super().get_images(request, datastore))
        if request.get("images") != BatchInferImageType.IMAGES_UNLABELED:
            return images
        tag = str(request.get("label_tag") or ORIGINAL)
        return [image for image in images if tag not in datastore.get_labels_by_image_id(image)]

    def __call__(
        self, request: Mapping[str, Any], datastore: Datastore, infer: Callable[..., dict[str, Any]]
    ) -> dict[str, Any]:
        """Return image id -> the result, or {"error": one sentence} for an image that could not be labelled."""
        images = sorted(self.get_images(request, datastore))
        largest = int(request.get("max_batch_size") or 0)
        images = images[:largest] if largest > 0 else images
        tag = str(request.get("label_tag") or ORIGINAL)
        results: dict[str, Any] = {}
        for number, image in enumerate(images, start=1):
            wanted = {**request, "image": image, "save_label": True, "label_tag": tag}
            try:
                result = infer(wanted, datastore)
                file = result.pop("file", None)
                if file:
                    Path(file).unlink(missing_ok=True)
                results[image] = result
            except Exception as error:
                results[image] = {"error": failure(error, f"the image {image} of a batch")}
                logger.warning("%s: %s", image, results[image]["error"])
            logger.info("%d of %d images: %s", number, len(images), image)
        return results
