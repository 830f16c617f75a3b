"""The client of a Samantic server, of which 3D Slicer and the browser workbench are made."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from SamanticLib import mask_answers, server_answers, training_answers
from SamanticLib.answers import (
    ClassEntry,
    ImageEntry,
    JobState,
    MapAnswer,
    ModelVersion,
    NextSample,
    SegmentAnswer,
    ServerInfo,
    SubmittedLabel,
    TrainingState,
)
from SamanticLib.asking import Asking, label_part, same_image
from SamanticLib.cancellation import current_cancellation, shielded
from SamanticLib.errors import BadAnswer, Cancelled, LoginNeeded, RequestRefused, SamanticError, ServerFailed
from SamanticLib.fields import Fields
from SamanticLib.image_files import IMAGE_ENDINGS, checked_id, download, download_label, ending_of, never_lost
from SamanticLib.label_notes import classes_of_values, names_of_values
from SamanticLib.multipart import Upload, UploadedFile
from SamanticLib.nrrd import MAX_BYTES
from SamanticLib.transport import Reply, Transport, path_of

LOOK_S = 0.25
"""How often a job is looked at while somebody waits for it."""

AS_CROP = {"result": "crop", "result_extension": ".nrrd", "result_write_to_file": True}


class SamanticClient:
    """Asks one server; every method waits for the answer and may be called from any thread.

    Under a `Worker`, cancelled work ends at once with `Cancelled`. token: sent as Bearer. certificate_file: an
    authority to trust beside the usual ones. client_id: whose images, drafts and jobs these are; made up if None. Every
    method raises the errors of `SamanticLib.errors`, whose text is for the person. Source: ours.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        connect_timeout_s: float = 5,
        read_timeout_s: float = 60,
        certificate_file: str | Path | None = None,
        client_id: str | None = None,
    ) -> None:
        self._transport = Transport(
            url,
            token=token,
            connect_timeout_s=connect_timeout_s,
            read_timeout_s=read_timeout_s,
            certificate_file=certificate_file,
        )
        self.url = self._transport.url
        self.client_id = client_id or f"samantic-{uuid.uuid4().hex[:12]}"
        self._ask = Asking(self._transport, self.client_id)

    def info(self) -> ServerInfo:
        """Return the server's models, classes and strategies."""
        return server_answers.server_info(self._ask.get("/info/"))

    def login_needed(self) -> bool:
        """Return whether the server asks for tokens."""
        try:
            return bool(Fields(self._ask.get("/auth/"), "the login").flag("enabled"))
        except RequestRefused as error:
            if error.status != 404:  # without logins, MONAI Label has no address for them
                raise
            return False

    def log_in(self, user: str, password: str) -> None:
        """Get a token for a user and send it from now on. Raises LoginNeeded where the server does not give one."""
        fields = {"username": user, "password": password, "grant_type": "password"}
        try:
            with Upload(fields) as upload:
                said = self._transport.json("POST", "/auth/token", query=self._ask.who(), upload=upload)
        except (ServerFailed, RequestRefused) as error:  # MONAI Label answers 500 to a wrong password
            raise LoginNeeded(f"The server at {self.url} did not accept the login of '{user}'.") from error
        self._transport.login.token = Fields(said, "the login").optional_text("access_token")

    def vocabulary(self, model: str | None = None) -> tuple[ClassEntry, ...]:
        """Return all classes, or those that a model knows."""
        return server_answers.classes(
            self._ask.get("/samantic/vocabulary", **({} if model is None else {"model": model}))
        )

    def images(self) -> tuple[ImageEntry, ...]:
        """Return the images of the studies by name."""
        return server_answers.image_entries(self._ask.get("/datastore/", output="all"))

    def download_image(self, image_id: str, folder: Path) -> Path:
        """Bring an image into a folder and return where it is; nothing is there unless it is whole."""
        return download(self._transport, image_id, self._ask.who(image=image_id), folder)

    def upload_image(self, path: Path, image_id: str) -> str:
        """Add an image to the studies and return its id."""
        name = f"{checked_id(image_id)}{ending_of(Path(path).name, IMAGE_ENDINGS, 'an image')}"
        file = UploadedFile("file", Path(path), name)
        reply = self._ask.send("PUT", "/datastore/image", {"image": image_id}, {}, file)
        return same_image(reply.json(), image_id).text("image")

    def segment(
        self, model: str, image_id: str, params: Mapping[str, Any], label_file: Path | None = None
    ) -> SegmentAnswer:
        """Ask a model for a mask of an image or of one of its slices.

        params: as docs/protocol.md says, such as `prompts.to_params()`; the answer's form is chosen here. label_file:
        scribbles or a mask to start from.
        """
        reply = self._infer(model, image_id, {**params, **AS_CROP}, label_file)
        return mask_answers.segment_answer(*mask_answers.two_parts(reply), image_id)

    def uncertainty(self, image_id: str, model: str = "segsam_auto", **params: Any) -> MapAnswer:
        """Ask a model without prompt how unsure it is of each voxel; `map="confidence"` for the opposite.

        The map is that of the whole image, unless `result="crop"` is among the params.
        """
        kind = params.pop("map", "uncertainty")
        reply = self._infer(model, image_id, {**params, "map": kind, "result_extension": ".nrrd"}, None)
        return mask_answers.map_answer(*mask_answers.two_parts(reply), image_id, kind)

    def start_job(
        self,
        kind: str,
        image_id: str,
        params: Mapping[str, Any],
        label_file: Path | None = None,
        *,
        model: str | None = None,
    ) -> JobState:
        """Start a job: "propagation", "automatic", or "batch" with "" for the image. Its answer is a crop.

        Cancelled meanwhile, it is waited for all the same and cancelled there: nobody would know of it afterwards.
        """
        asked = {"kind": kind, **({"image": image_id} if image_id else {}), **({"model": model} if model else {})}
        params = {**params, **AS_CROP} if image_id else params
        with shielded():
            state = server_answers.job_state(
                self._ask.send("POST", "/samantic/jobs", asked, params, label_part(label_file)).json()
            )
        if current_cancellation().is_cancelled():
            with shielded():
                self.cancel_job(state.id)
            raise Cancelled("This was cancelled.")
        if (state.image_id or "") != image_id:
            raise BadAnswer(f"A job was asked for the image '{image_id}', but one for '{state.image_id}' was started.")
        return state

    def job(self, job_id: str) -> JobState:
        """Return what a job is doing."""
        return _of_job(self._ask.get(path_of("samantic", "jobs", job_id)), job_id)

    def jobs(self) -> tuple[JobState, ...]:
        """Return the jobs of this client, the newest last."""
        listed = Fields(self._ask.get("/samantic/jobs"), "the list of jobs")
        return tuple(server_answers.job_state(one.raw) for one in listed.each("jobs"))

    def follow_job(self, job_id: str, on_state: Callable[[JobState], None] = lambda _: None) -> JobState:
        """Wait until a job has ended and return its last state; say each change. Cancelled here, it is cancelled there.

        Raises SamanticError with the reason where it failed, and Cancelled.
        """
        cancellation, said = current_cancellation(), None
        try:
            while True:
                state = self.job(job_id)
                if (state.state, state.done, state.total, state.text) != said:
                    said = (state.state, state.done, state.total, state.text)
                    on_state(state)
                if state.ended:
                    break
                cancellation.wait(LOOK_S)
        except Cancelled:
            with shielded():
                self.cancel_job(job_id)
            raise
        if state.state == "failed":
            raise SamanticError(state.detail or "The job failed, and the server does not say why.")
        if state.state == "cancelled":
            raise Cancelled("The job was cancelled.")
        return state

    def job_answer(self, job_id: str) -> SegmentAnswer:
        """Return the mask of a job that is done. Raises SamanticError for one that is not, or has no mask."""
        state = self.job(job_id)
        if state.state != "done" or not state.has_file:
            why = state.detail or f"it is {state.state}"
            raise SamanticError(f"The job has no mask to fetch: {why}.")
        file = self._transport.reply(
            "GET",
            path_of("samantic", "jobs", job_id, "result"),
            query=self._ask.who(),
            most_bytes=MAX_BYTES,
            repeatable=True,
        )
        return mask_answers.segment_answer(state.result, file.content, state.image_id or "")

    def cancel_job(self, job_id: str) -> JobState:
        """Cancel and remove a job, with its mask, and return its last state."""
        return _of_job(self._ask.remove(path_of("samantic", "jobs", job_id)), job_id)

    def next_sample(self, strategy: str, **params: Any) -> NextSample:
        """Return the image whose turn it is; it is kept for this client until it is labelled or given back."""
        return server_answers.next_sample(self._ask.post(path_of("activelearning", strategy), params, repeatable=True))

    def give_back(self, image_id: str) -> None:
        """Let others have an image that was given to this client."""
        same_image(self._ask.remove(path_of("samantic", "leases", image_id)), image_id)

    def submit_label(
        self,
        image_id: str,
        label_file: Path,
        label_info: Mapping[str, int] | Sequence[Mapping[str, Any]],
        provenance: Mapping[str, Any] | None = None,
    ) -> str:
        """Submit a label as `final` and return its id; the server has it on its disk then.

        label_file: as `label_files.write_label` writes it; it stays where it is, and every error says where.
        label_info: name -> value, or a list of `name` and `idx`. provenance: up to 64 plain facts (docs/export.md).
        """
        label_file = Path(label_file)
        with never_lost(label_file):
            info = [{"name": name, "idx": value} for name, value in names_of_values(label_info).items()]
            params = {"label_info": info, **({"provenance": dict(provenance)} if provenance else {})}
            asked = {"image": image_id, "tag": "final"}
            reply = self._ask.send("PUT", "/datastore/label", asked, params, label_part(label_file), repeatable=True)
            return same_image(reply.json(), image_id).text("label")

    def submitted_label(self, image_id: str, folder: Path) -> SubmittedLabel:
        """Bring the final label of an image into a folder; RequestRefused where it has none."""
        asked = {"label": checked_id(image_id), "tag": "final"}
        classes = classes_of_values(self._ask.get("/datastore/label/info", **asked))
        path = download_label(self._transport, image_id, self._ask.who(**asked), folder)
        return SubmittedLabel(image_id, path, classes)

    def train(self, model: str, **params: Any) -> TrainingState:
        """Start a training; params as docs/learning.md says."""
        return training_answers.training_state(self._ask.post(path_of("train", model), params))

    def training(self) -> TrainingState:
        """Return how the training goes that runs or ran last."""
        try:
            return training_answers.training_state(self._ask.get("/train/"))
        except RequestRefused as error:
            if error.status != 404:  # MONAI Label's way to say that there has been none
                raise
            return training_answers.training_state(None)

    def stop_training(self) -> TrainingState:
        """Stop the training; nothing of it is published."""
        return training_answers.training_state(self._ask.remove("/train/"))

    def versions(self, model: str) -> tuple[ModelVersion, ...]:
        """Return the versions of a model, the bundled one first and the newest last; one of them is served."""
        return training_answers.model_versions(self._ask.get(path_of("samantic", "models", model, "versions")), model)

    def roll_back(self, model: str, version: str) -> None:
        """Let the server answer with another version from now on, or with "bundled".

        Refused while the model is being trained, and for people who are no administrators. Raises BadAnswer where
        the server then says that it serves another one.
        """
        path = path_of("samantic", "models", model, "rollback")
        said = self._transport.json("POST", path, query=self._ask.who(version=version), repeatable=True)
        served = training_answers.served_version(said, model)
        if served != version:
            raise BadAnswer(f"Version {version} of {model} was asked for, but the server serves {served[:40]}.")

    def _infer(self, model: str, image_id: str, params: Mapping[str, Any], label_file: Path | None) -> Reply:
        asked = {"image": image_id, "output": "all"}
        return self._ask.send("POST", path_of("infer", model), asked, params, label_part(label_file), repeatable=True)


def _of_job(value: Any, job_id: str) -> JobState:
    state = server_answers.job_state(value)
    if state.id != job_id:
        raise BadAnswer("The server answered about another job than the one that was asked about.")
    return state
