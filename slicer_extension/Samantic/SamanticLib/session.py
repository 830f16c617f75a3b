"""One person's annotation of one image after another, apart from any user interface.

    connect -> image -> class -> prompt -> refine -> accept -> submit -> train -> next

A user interface calls the methods, listens, and draws the `view`. Every failure of the server is a sentence in the
view and leaves the segments as they are; the session goes on when the server is back. Not for several threads: all of
it is called in one, and what takes long is done by the worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from SamanticLib.answers import ClassEntry
from SamanticLib.errors import SamanticError
from SamanticLib.geometry import Extent
from SamanticLib.prompts import LabelCrop, Prompts
from SamanticLib.session_asking import Asking
from SamanticLib.session_core import SessionCore
from SamanticLib.session_following import Following
from SamanticLib.session_images import Images
from SamanticLib.session_labels import Labels, ReadLabel
from SamanticLib.session_learning import Learning
from SamanticLib.session_maps import Maps
from SamanticLib.session_models import described, model_for
from SamanticLib.session_ports import Client, LaneWorker, SceneAdapter
from SamanticLib.session_state import SessionView
from SamanticLib.session_view import view_of


class AnnotationSession:
    """A person at work: an image, a class, an object that is being drawn, and a server that helps.

    client_factory: address -> client, as `SamanticClient`. No method raises for what a server or a person did; it is
    told in `view.notice`. Source: ours.
    """

    def __init__(
        self, client_factory: Callable[[str], Client], scene_adapter: SceneAdapter, worker: LaneWorker
    ) -> None:
        self._listeners: list[Callable[[SessionView], None]] = []
        self._core = SessionCore(client_factory, scene_adapter, worker, self._tell)
        self._asking = Asking(self._core)
        self._following = Following(self._core, self._asking)
        self._images = Images(self._core)
        self._labels = Labels(self._core)
        self._learning = Learning(self._core)
        self._maps = Maps(self._core)

    @property
    def view(self) -> SessionView:
        """What there is to see now."""
        return view_of(self._core)

    def listen(self, callback: Callable[[SessionView], None]) -> None:
        """Call `callback(view)` after every change."""
        self._listeners.append(callback)

    def connect(self, url: str) -> None:
        """Look at the server at an address; an open image and its segments stay."""
        self._do(lambda: self._images.connect(url))

    def open_image(self, image_id: str, discard: bool = False) -> None:
        """Fetch and show an image; refused while the open one has labels that are not submitted, unless discarded."""
        self._leave(lambda: self._images.open(image_id, discard))

    def next_image(self, strategy: str = "hybrid", discard: bool = False, **params: Any) -> None:
        """Open the image that the server chooses for this person."""
        self._leave(lambda: self._images.next(strategy, discard, **params))

    def load_label(self, read: ReadLabel) -> None:
        """Draw the label that was submitted of the open image, on which nothing may be drawn yet."""
        self._do(lambda: self._labels.load(read))

    def choose_class(self, name: str) -> None:
        """Begin an object of a class of the vocabulary; the one before is accepted as it is."""
        self._do(lambda: self._begin(self._entry(name)))

    def describe(self, words: str) -> None:
        """Begin an object of something that is described in words."""
        if words.strip():
            self._do(lambda: self._begin(described(words.strip())))

    def choose_model(self, model: str) -> None:
        """Ask another model from now on."""
        self._do(lambda: setattr(self._core.now, "model", model))

    def set_live(self, live: bool) -> None:
        """Whether every mark asks the model at once."""
        self._do(lambda: setattr(self._core.now, "live", live))

    def add_point(self, ijk: Iterable[int], positive: bool, axis: int) -> None:
        """Show the model a voxel that belongs to the object, or does not, on a slice across `axis`."""
        point = tuple(ijk)
        self._mark(lambda prompts: prompts.with_point(point, positive), (axis, point[axis]))

    def add_box(self, extent: Extent, axis: int) -> None:
        """Show the model a box around the object, one voxel thick along `axis`."""
        self._mark(lambda prompts: prompts.with_box(extent), (axis, extent[2 * axis]))

    def add_scribble(self, scribble: LabelCrop, axis: int) -> None:
        """Show the model a scribble or the area of a lasso, one voxel thick along `axis`."""
        self._mark(lambda prompts: prompts.with_scribble(scribble), (axis, scribble.extent_ijk[2 * axis]))

    def ask(self) -> None:
        """Ask the model about what it was shown, again where it failed."""
        self._do(self._asking.ask)

    def outline(self) -> None:
        """Let the model draw the object without a prompt, where it can."""
        self._do(self._asking.outline)

    def take_reading(self, number: int) -> None:
        """Take another reading of an ambiguous prompt; one step of undo."""
        self._do(lambda: self._asking.take_reading(number))

    def accept(self) -> None:
        """Keep the object; the next one begins."""
        self._do(self._asking.accept)

    def undo(self) -> None:
        """Take back the last mark with its answer, or the last stroke."""
        self._do(self._asking.undo)

    def redo(self) -> None:
        """Make again what was taken back."""
        self._do(self._asking.redo)

    def propagate(self, direction: str = "both") -> None:
        """Follow the object through the slices: "both", "up" or "down"."""
        self._do(lambda: self._following.follow(direction))

    def cancel(self) -> None:
        """Give up what takes long; nothing of it is drawn."""
        self._do(self._following.cancel)

    def show_uncertainty(self, shown: bool) -> None:
        """Show or hide where the model is unsure of the border."""
        self._do(lambda: self._maps.show(shown))

    def submit(self, software: str = "SamanticLib") -> None:
        """Save all segments on the server as the image's label; an object that is open is accepted."""

        def accept_and_submit() -> None:
            self._asking.accept()
            self._images.submit(software)

        self._do(accept_and_submit)

    def train(self, model: str, **params: Any) -> None:
        """Let a model learn from the submitted labels."""
        self._do(lambda: self._learning.train(model, **params))

    def stop_training(self) -> None:
        """Stop learning; the model stays as it was."""
        self._do(self._learning.stop)

    def look_at_versions(self, model: str) -> None:
        """Ask which versions of a model there are."""
        self._do(lambda: self._learning.look(model))

    def roll_back(self, model: str, version: str) -> None:
        """Let the server answer with another version."""
        self._do(lambda: self._learning.roll_back(model, version))

    def scene_changed(self) -> None:
        """The person painted, renamed or removed something in the scene."""
        if self._core.now.image is not None:
            self._do(self._core.touched)

    def say(self, kind: str, text: str) -> None:
        """Show the person one sentence of the user interface's own: "info", "good" or "error"."""
        self._do(lambda: self._core.say(kind, text))

    def refresh(self) -> None:
        """Tell the listeners again."""
        self._tell()

    def close(self) -> None:
        """End the work; nothing is told afterwards."""
        self._listeners.clear()
        self._core.close()

    def _begin(self, entry: ClassEntry) -> None:
        now = self._core.now
        self._asking.choose(entry, model_for(now.info, now.image, entry))

    def _entry(self, name: str) -> ClassEntry:
        for entry in self._core.now.vocabulary:
            if entry.name == name:
                return entry
        raise SamanticError(f"The server's vocabulary has no class '{name}'; choose one of the list.")

    def _mark(self, marked: Callable[[Prompts], Prompts], plane: tuple[int, int]) -> None:
        self._do(lambda: self._asking.add(marked(self._core.now.object.prompts), plane))

    def _leave(self, action: Callable[[], None]) -> None:
        def leave() -> None:
            if self._core.now.progress is not None:
                self._following.cancel()
            action()

        self._do(leave)

    def _do(self, action: Callable[[], None]) -> None:
        try:
            action()
        except SamanticError as error:
            self._core.say("error", str(error))
        self._tell()

    def _tell(self) -> None:
        if self._listeners:
            view = self.view
            for listener in list(self._listeners):
                listener(view)
