"""Where a model is unsure: its map, laid over the image."""

from __future__ import annotations

from SamanticLib.answers import MapAnswer
from SamanticLib.session_core import SessionCore
from SamanticLib.session_geometry import check_lies_in


class Maps:
    """The uncertainty of the model that is asked. Source: ours."""

    def __init__(self, core: SessionCore) -> None:
        self._core = core

    def show(self, shown: bool) -> None:
        """Fetch and show the map, or hide it."""
        core, now = self._core, self._core.now
        if not shown or now.image is None:
            now.map_shown = False
            core.scene.show_map(None, None, 1.0)
            return
        client, image, model = core.server, now.image, now.model

        def found(answer: MapAnswer) -> None:
            if now.image is image:
                check_lies_in(answer, image)
                core.scene.show_map(answer.values, answer.extent_ijk, answer.largest)
                now.map_shown = True

        core.run("job", lambda: client.uncertainty(image.image_id, model=model), found)
