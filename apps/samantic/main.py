"""The MONAI Label app: which models a server offers, on which images, and how the next image is chosen."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import HTTPException
from monailabel.config import settings
from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.config import TaskConfig
from monailabel.interfaces.datastore import Datastore, DefaultLabelTag
from monailabel.interfaces.tasks.infer_v2 import InferTask
from monailabel.interfaces.tasks.scoring import ScoringMethod
from monailabel.interfaces.tasks.strategy import Strategy
from monailabel.interfaces.tasks.train import TrainTask
from monailabel.utils.sessions import Sessions

from samantic import __version__
from samantic.app.lib.batch_infer import SafeBatchInfer
from samantic.app.lib.datastore import SamanticDatastore, provenance
from samantic.app.lib.datastore.drafts import Drafts, owners_of
from samantic.app.lib.image_source import image_file
from samantic.app.lib.infers.map_file import is_kept
from samantic.app.lib.infers.wire import RequestError, sentence
from samantic.app.lib.model_choice import check_chosen, chosen_configs, merged
from samantic.app.lib.scoring.dice import DiceOfLabels
from samantic.app.lib.server.sessions import DurableSessions
from samantic.app.lib.strategies.all_strategies import all_strategies
from samantic.app.lib.strategies.leases import Leases
from samantic.app.lib.strategies.wishes import client_of


class SamanticApp(MONAILabelApp):
    """Samantic as MONAI Label loads it; the models are the modules of `lib/configs`, chosen with `--conf models a,b`.

    Without `models`, or with `all`, every model is offered whose weights are there. An unknown name ends the start with
    a sentence that lists the known ones. `/info/` labels are the classes that the loaded models know. Source: ours,
    after MONAI Label's radiology sample app.
    """

    def __init__(self, app_dir: str, studies: str, conf: dict[str, str]) -> None:
        self.models: dict[str, TaskConfig] = {}
        for name, config in chosen_configs(conf.get("models", "all")).items():
            self.models[name] = config()
            self.models[name].init(name, str(Path(app_dir) / "model"), conf, None)
        self.drafts = Drafts()
        self.leases = Leases()
        super().__init__(
            app_dir=app_dir,
            studies=studies,
            conf=conf,
            name="Samantic",
            description="Click on an image: the mask, its class, and which other classes are in the picture",
            version=__version__,
        )

    def init_datastore(self) -> Datastore:
        """Return the studies folder as datastore, or MONAI Label's own for an address of a DICOMweb server."""
        if self.studies.startswith(("http://", "https://")):
            return super().init_datastore()
        return SamanticDatastore(
            self.studies,
            auto_reload=settings.MONAI_LABEL_DATASTORE_AUTO_RELOAD,
            read_only=settings.MONAI_LABEL_DATASTORE_READ_ONLY,
        )

    def init_infers(self) -> dict[str, InferTask]:
        """Return the inference tasks of the chosen models; of all, those whose weights are there.

        Raises UnknownModelError where a model that was asked for by name has none.
        """
        tasks = {name: config.infer() for name, config in self.models.items()}
        check_chosen(self.conf.get("models", "all"), tasks)
        return merged(tasks.items())

    def init_trainers(self) -> dict[str, TrainTask]:
        """Return the training tasks of the chosen models that have one."""
        return merged((name, config.trainer()) for name, config in self.models.items())

    def init_strategies(self) -> dict[str, Strategy]:
        """Return the ways to choose the next image; each leases it to who asks."""
        return all_strategies(self._infers, self.leases) | merged(
            (name, config.strategy()) for name, config in self.models.items()
        )

    def init_scoring_methods(self) -> dict[str, ScoringMethod]:
        """Return the ways to score models; they run when somebody asks."""
        return {"dice": DiceOfLabels(self._infers)}

    def init_batch_infer(self) -> Callable[..., dict[str, Any]]:
        """Return inference on many images."""
        return SafeBatchInfer()

    def infer(self, request: dict[str, Any], datastore: Datastore | None = None) -> dict[str, Any]:
        """Run a model as the base does, on an image of the studies, an upload or a session only.

        The base would take any path, and an image id that is also a file where the server was started.
        Raises HTTPException 404 for an unknown model or image, 422 for a map that is to be saved as a label.
        """
        if request.get("model") not in self._infers:
            raise HTTPException(404, f"There is no model '{request.get('model')}'; use {', '.join(self._infers)}.")
        try:
            # The base hides from the task that its answer is to be saved.
            keep = is_kept(request)
        except RequestError as error:
            raise HTTPException(422, sentence(error)) from error
        datastore = datastore or self.datastore()
        image_id = str(request.get("image") or "")
        path, in_studies = image_file(image_id, datastore, self.sessions())
        result = super().infer({**request, "image": str(path)}, datastore)
        if in_studies:
            # Who clicks on an image is still at it.
            self.leases.renew(image_id, client_of(request))
            file = Path(result["file"]) if result["file"] else None
            self.drafts.note(owners_of(request), image_id, request["model"], request, result["params"], file)
        if in_studies and result["file"] and keep:
            tag = request.get("label_tag", DefaultLabelTag.ORIGINAL.value)
            notes = {"model": request["model"], "params": result["params"]}
            notes |= {provenance.KEY: provenance.of_model(notes, request["model"], result["params"], time.time())}
            result |= {"label": datastore.save_label(image_id, result["file"], tag, notes), "tag": tag}
        return result

    def _load_sessions(self, load: bool = False) -> Sessions | None:
        return DurableSessions(settings.MONAI_LABEL_SESSION_PATH, settings.MONAI_LABEL_SESSION_EXPIRY) if load else None
