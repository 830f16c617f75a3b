"""The model `segsam`: one click, the mask and its class; or no click and all classes; it learns from the labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from monailabel.interfaces.config import TaskConfig
from monailabel.interfaces.tasks.infer_v2 import InferTask
from monailabel.interfaces.tasks.train import TrainTask

from samantic.app.lib.infers.images import usual_images
from samantic.app.lib.infers.published_predictor import PublishedPredictor
from samantic.app.lib.infers.segsam import SegSam, usual_cache
from samantic.app.lib.infers.segsam_auto import SegSamAuto
from samantic.app.lib.initial_weights import SEGSAM
from samantic.app.lib.trainers.parent import tie_to_server
from samantic.app.lib.trainers.segsam import SegSamTrainer
from samantic.sam import published_folder
from samantic.training.model_store import ModelStore


class SegSamConfig(TaskConfig):
    """Offers the version that was published last, the bundled model before the first; nothing is downloaded.

    `--conf initial_weights PATH` puts other weights in the place of the bundled ones. Source: ours.
    """

    def init(self, name: str, model_dir: str, conf: dict[str, str], planner: Any, **kwargs: Any) -> None:
        """Find the weights. Raises InitialWeightsError."""
        tie_to_server()
        super().init(name, model_dir, conf, planner, **kwargs)
        self._start: Path = SEGSAM.of(conf)
        self._store = ModelStore(published_folder(name))

    def infer(self) -> dict[str, InferTask]:
        """Return the interactive and the automatic task, which serve one model and keep the same embeddings."""
        published, cache, images = PublishedPredictor(self._store, self._start), usual_cache(), usual_images()
        return {
            "segsam": SegSam(published, cache, images=images),
            "segsam_auto": SegSamAuto(published.now, cache, images=images),
        }

    def trainer(self) -> TrainTask:
        """Return the training task."""
        return SegSamTrainer(self._store, self._start, usual_cache)
