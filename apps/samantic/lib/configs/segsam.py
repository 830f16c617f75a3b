"""The model `segsam`: one click, the mask, its class and who else is in the picture."""

from __future__ import annotations

from monailabel.interfaces.config import TaskConfig
from monailabel.interfaces.tasks.infer_v2 import InferTask

from samantic.app.lib.infers.segsam import SegSam


class SegSamConfig(TaskConfig):
    """Offers the bundled interactive model; nothing is downloaded. Source: ours."""

    def infer(self) -> InferTask:
        """Return the interactive inference task."""
        return SegSam()

    def trainer(self) -> None:
        """Return nothing: this model is not trained from the server."""
