"""The model `skin_photo`: skin, lesions and crops in ordinary photographs, and learning from the labels."""

from __future__ import annotations

from typing import Any

from monailabel.interfaces.config import TaskConfig
from monailabel.interfaces.tasks.infer_v2 import InferTask
from monailabel.interfaces.tasks.train import TrainTask

from samantic.app.lib.infers.images import usual_images
from samantic.app.lib.infers.published_model import PublishedModel
from samantic.app.lib.infers.skin_photo import SkinPhoto
from samantic.app.lib.initial_weights import SKIN_PHOTO
from samantic.app.lib.trainers.parent import tie_to_server
from samantic.app.lib.trainers.skin_photo import SkinPhotoTrainer
from samantic.sam import published_folder
from samantic.skinphoto.checkpoint import SkinPhotoWeightsError
from samantic.skinphoto.segmenter import SkinSegmenter
from samantic.training.model_store import ModelStore


class SkinPhotoConfig(TaskConfig):
    """Offers the version that was published last, the bundled network before the first; nothing is downloaded.

    `--conf skin_photo_weights PATH` puts another network in the place of the bundled one. Source: ours.
    """

    def init(self, name: str, model_dir: str, conf: dict[str, str], planner: Any, **kwargs: Any) -> None:
        """Find the weights. Raises InitialWeightsError."""
        tie_to_server()
        super().init(name, model_dir, conf, planner, **kwargs)
        self._start = SKIN_PHOTO.found(conf)
        self._store = ModelStore(published_folder(name))

    def infer(self) -> dict[str, InferTask]:
        """Return the task, where there are weights."""
        if self._start is None:
            return {}
        published = PublishedModel(self._store, self._start, SkinSegmenter.load, SkinPhotoWeightsError)
        return {"skin_photo": SkinPhoto(published.now, images=usual_images())}

    def trainer(self) -> dict[str, TrainTask]:
        """Return the training task, where there are weights."""
        return {} if self._start is None else {"skin_photo": SkinPhotoTrainer(self._store, self._start)}
