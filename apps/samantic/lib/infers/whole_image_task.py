"""What every infer task that is given an image and no prompt has in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import HTTPException
from monailabel.interfaces.tasks.infer_v2 import InferTask

from samantic.app.lib.infers.wire import RequestError, sentence
from samantic.imaging import ImageReadError, WindowError
from samantic.prompts import PromptError
from samantic.vocabulary import UnknownClassError

REFUSALS = (RequestError, PromptError, UnknownClassError, ImageReadError, WindowError)
"""What is wrong with a request rather than with the server."""

Progress = Callable[[int, int], None]


class WholeImageTask(InferTask):
    """An infer task that reads a whole image at once. Source: ours."""

    def is_valid(self) -> bool:
        """Whether the model can be used: it is loaded with the task."""
        return True

    def __call__(self, request: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
        """Answer one request: the path of a temporary file (None if no file is wanted) and the JSON result.

        Raises fastapi.HTTPException 422 with one plain sentence for whatever is wrong with the request.
        """
        try:
            return self.answer(request)
        except REFUSALS as error:
            raise HTTPException(422, sentence(error)) from error

    @abstractmethod
    def answer(
        self,
        params: Mapping[str, Any],
        on_progress: Progress = lambda _done, _total: None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> tuple[str | None, dict[str, Any]]:
        """Answer like a call, say how far the work is, and stop when told to. Raises Cancelled, and one of REFUSALS."""
