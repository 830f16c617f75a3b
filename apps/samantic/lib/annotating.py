"""First labels for the images of a studies folder that have none, without a server."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samantic.app.lib.datastore import NameRefusedError, SamanticDatastore, checked_name, provenance
from samantic.app.lib.infers.segsam_auto import SegSamAuto
from samantic.app.lib.infers.whole_image_task import REFUSALS
from samantic.app.lib.infers.wire import sentence

MODEL = "segsam_auto"
FINAL = "final"
"""The tag of what a person has looked at."""

Progress = Callable[[int, int, str, float], None]
"""Called with the images done, all images to label, the image at work and the share of it that is done."""


@dataclass
class Annotated:
    """What a run did: ids of `labelled` images, of those `left_out` as they have a label, and why others `failed`."""

    labelled: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def annotate_studies(
    studies: Path,
    task: SegSamAuto,
    params: Mapping[str, Any],
    tag: str,
    on_progress: Progress = lambda *_: None,
) -> Annotated:
    """Save a label with `tag` for every image without any label, one after the other; `params` as in a request.

    Every label is on the disk, with its notes, before the next image begins, so a run that was stopped goes on where it
    was. An image that cannot be labelled does not stop the others; one that gets a label meanwhile keeps it.
    Raises NameRefusedError for the tag and FileNotFoundError without such a folder. Source: ours.
    """
    if checked_name(tag, "label tag") == FINAL:
        raise NameRefusedError(f"The label tag '{FINAL}' is for what a person has looked at; choose another one.")
    store = SamanticDatastore(studies)
    done = Annotated()
    images = sorted(store.list_images())
    wanted = [image for image in images if not store.get_labels_by_image_id(image)]
    done.left_out += [image for image in images if image not in set(wanted)]
    for number, image in enumerate(wanted):
        on_progress(number, len(wanted), image, 0.0)

        def of_slices(some: int, total: int, number: int = number, image: str = image) -> None:
            on_progress(number, len(wanted), image, some / total)

        try:
            path, result = task.answer({**params, "image": store.get_image_uri(image)}, of_slices)
        except REFUSALS as error:
            done.failed[image] = sentence(error)
            continue
        except Exception as error:  # one strange image must not cost a night's work
            done.failed[image] = sentence(ValueError(f"{type(error).__name__}: {error}"))
            continue
        assert path is not None
        try:
            if store.get_labels_by_image_id(image):
                done.left_out.append(image)
            else:
                notes = {"model": MODEL, "params": result}
                notes |= {provenance.KEY: provenance.of_model(notes, MODEL, result, time.time())}
                store.save_label(image, path, tag, notes)
                done.labelled.append(image)
        finally:
            Path(path).unlink(missing_ok=True)
    on_progress(len(wanted), len(wanted), "", 0.0)
    return done
