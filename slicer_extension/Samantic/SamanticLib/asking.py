"""The forms that requests to a MONAI Label server have: params beside a file, and who asks in each of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SamanticLib.errors import BadAnswer
from SamanticLib.fields import Fields
from SamanticLib.image_files import LABEL_ENDINGS, ending_of
from SamanticLib.multipart import Upload, UploadedFile
from SamanticLib.nrrd import MAX_BYTES
from SamanticLib.transport import Reply, Transport


@dataclass(frozen=True)
class Asking:
    """Asks in the name of one client."""

    transport: Transport
    client_id: str

    def who(self, **query: str) -> dict[str, str]:
        """Return the words of an address, with who asks among them."""
        return {"client_id": self.client_id, **query}

    def get(self, path: str, **query: str) -> Any:
        """Return the JSON at an address."""
        return self.transport.json("GET", path, query=self.who(**query), repeatable=True)

    def remove(self, path: str) -> Any:
        """Ask to remove or stop what is at an address, and return the JSON of the answer."""
        return self.transport.json("DELETE", path, query=self.who())

    def post(self, path: str, params: Mapping[str, Any], repeatable: bool = False) -> Any:
        """Send JSON and return the JSON of the answer."""
        body = {"client_id": self.client_id, **params}
        return self.transport.json("POST", path, query=self.who(), body=body, repeatable=repeatable)

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        params: Mapping[str, Any],
        file: UploadedFile | None = None,
        repeatable: bool = False,
    ) -> Reply:
        """Send params, and a file beside them, as parts of a form. repeatable: see `Transport.reply`."""
        text = json.dumps({"client_id": self.client_id, **params}, allow_nan=False)
        with Upload({"params": text}, file) as upload:
            return self.transport.reply(
                method, path, query=self.who(**query), upload=upload, most_bytes=MAX_BYTES, repeatable=repeatable
            )


def label_part(label_file: Path | None) -> UploadedFile | None:
    """Return a label as part of a form. Raises SamanticError for a name that the server does not take."""
    if label_file is None:
        return None
    path = Path(label_file)
    return UploadedFile("label", path, f"label{ending_of(path.name, LABEL_ENDINGS, 'a label')}")


def same_image(answer: Any, image_id: str) -> Fields:
    """Return an answer that is about this image. Raises BadAnswer for one about another."""
    fields = Fields(answer, "the answer")
    if fields.text("image") != image_id:
        raise BadAnswer(f"The server answered about the image '{fields.text('image')[:80]}', not about '{image_id}'.")
    return fields
