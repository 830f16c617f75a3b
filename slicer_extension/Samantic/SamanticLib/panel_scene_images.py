"""Images that are open in Slicer, sent to the server so that it can be asked about them."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from SamanticLib.errors import SamanticError
from SamanticLib.scene_adapter import DesktopScene
from SamanticLib.session import AnnotationSession
from SamanticLib.session_ports import LaneWorker


class SentImages:
    """Sends an image of the scene under an id made of its name, and opens it in the session as it lies in the scene.

    client_factory: address -> client. export(node, path): writes a volume into a file in its own coordinates.
    say(error): tells the person what went wrong. The file is removed once it is sent.
    """

    def __init__(
        self,
        session: AnnotationSession,
        scene: DesktopScene,
        worker: LaneWorker,
        client_factory: Callable[[str], Any],
        node_of: Callable[[str], Any],
        export: Callable[[Any, Path], Any],
        say: Callable[[Exception], None],
    ) -> None:
        self._session = session
        self._scene = scene
        self._worker = worker
        self._client_factory = client_factory
        self._node_of = node_of
        self._export = export
        self._say = say

    def use(self, node_id: str, discard: bool) -> None:
        """Send an image and open it; SamanticError for one that is not there or that has no voxels."""
        volume = self._node_of(node_id)
        if volume is None or volume.GetImageData() is None:
            raise SamanticError("This image is not in the scene any more, or it is empty; choose another one.")
        folder = tempfile.TemporaryDirectory(prefix="samantic-image-")
        is_picture = volume.GetImageData().GetNumberOfScalarComponents() >= 3
        path = Path(folder.name) / f"image{'.png' if is_picture else '.nrrd'}"
        self._export(volume, path)
        if not path.is_file():
            folder.cleanup()
            raise SamanticError(f"'{volume.GetName()}' could not be written into a file; see Slicer's error log.")
        client = self._client_factory(self._session.view.url)
        image_id = safe_id(volume.GetName())

        def send() -> str:
            with folder:
                return str(client.upload_image(path, image_id))

        def sent(known_as: str) -> None:
            self._scene.adopt(known_as, volume)
            self._session.open_image(known_as, discard=discard)

        self._worker.submit("job", send, sent, self._say)


def safe_id(name: str) -> str:
    """Return a name as the server takes it for an id: letters, digits, `_`, `-` and `.`, not beginning with a dot."""
    return re.sub(r"[^\w.-]+|\.{2,}", "_", name, flags=re.ASCII).lstrip(".") or "image"
