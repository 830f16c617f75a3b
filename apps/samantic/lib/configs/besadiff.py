"""The model `besadiff`: the lesion in a photograph of skin, how sure each pixel is, and learning from the labels."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from monailabel.interfaces.config import TaskConfig
from monailabel.interfaces.tasks.infer_v2 import InferTask
from monailabel.interfaces.tasks.train import TrainTask

from samantic.app.lib.infers.besadiff import BesaDiff
from samantic.app.lib.infers.images import usual_images
from samantic.app.lib.infers.published_model import PublishedModel
from samantic.app.lib.infers.published_predictor import PublishedPredictor
from samantic.app.lib.infers.segsam import usual_cache
from samantic.app.lib.initial_weights import BESADIFF, SEGSAM
from samantic.app.lib.trainers.besadiff import BesaDiffTrainer
from samantic.app.lib.trainers.parent import tie_to_server
from samantic.besadiff.checkpoint import PartError
from samantic.besadiff.segmenter import LesionSegmenter
from samantic.sam import published_folder
from samantic.segsam import SegSamPredictor
from samantic.training.model_store import ModelStore


class BesaDiffConfig(TaskConfig):
    """Offers the version that was published last, the bundled segmenter before the first; nothing is downloaded.

    `--conf besadiff_weights PATH` puts another segmenter in the place of the bundled one. Source: ours.
    """

    def init(self, name: str, model_dir: str, conf: dict[str, str], planner: Any, **kwargs: Any) -> None:
        """Find the weights. Raises InitialWeightsError."""
        tie_to_server()
        super().init(name, model_dir, conf, planner, **kwargs)
        self._start: Path = BESADIFF.of(conf)
        self._prompted_start: Path = SEGSAM.of(conf)
        self._store = ModelStore(published_folder(name))

    def infer(self) -> dict[str, InferTask]:
        """Return the task; SEG-SAM, which answers its prompts, is loaded by the first prompt."""
        published = PublishedModel(self._store, self._start, LesionSegmenter.load, PartError)

        @cache
        def prompted() -> PublishedPredictor:
            return PublishedPredictor(ModelStore(published_folder("segsam")), self._prompted_start)

        def predictor() -> SegSamPredictor:
            return prompted().now()

        return {"besadiff": BesaDiff(published.now, predictor, usual_cache(), images=usual_images())}

    def trainer(self) -> TrainTask:
        """Return the training task."""
        return BesaDiffTrainer(self._store, self._start)
