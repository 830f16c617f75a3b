"""The job `batch`: a model's labels on the images that no person has labelled yet."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fastapi import HTTPException
from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.datastore import Datastore, DefaultLabelTag

from samantic.app.lib.datastore import checked_name, printable, provenance
from samantic.app.lib.infers import wire
from samantic.app.lib.infers.wire import RequestError
from samantic.app.lib.jobs.errors import failure
from samantic.app.lib.jobs.job import JobControl
from samantic.segsam.cancelling import Cancelled

FINAL, ORIGINAL = DefaultLabelTag.FINAL.value, DefaultLabelTag.ORIGINAL.value

Answer = Callable[[Mapping[str, Any], JobControl], tuple[str | None, dict[str, Any]]]


def batch_work(
    app: MONAILabelApp, model: str, answer: Answer, params: Mapping[str, Any]
) -> Callable[[JobControl], dict[str, Any]]:
    """Return the work of labelling many images, one after the other.

    `images`: ids, otherwise all that have no label of the tag `final`; `label_tag`: where the labels go, `original`;
    `again`: also where that tag has a label already. The rest of the parameters goes to the model. An image that fails
    does not stop the others, and one that a person labels meanwhile is left to them. Raises RequestError,
    NameRefusedError, and HTTPException 404 for an unknown image. Source: ours.
    """
    tag = checked_name(str(params.get("label_tag") or ORIGINAL), "label tag")
    if tag == FINAL:
        raise RequestError("'label_tag' is 'final', but that tag is for what a person has looked at; leave it out.")
    again = wire.flag(params.get("again"), "again")
    images = _images(wire.names(params.get("images"), "images"), app.datastore())
    own = {"images", "label_tag", "again"}
    for_model = {key: value for key, value in params.items() if key not in own} | {"save_label": True}

    def work(control: JobControl) -> dict[str, Any]:
        store = app.datastore()
        labelled: list[str] = []
        left_out: list[str] = []
        failed: dict[str, str] = {}
        for number, image in enumerate(images):
            if control.is_cancelled():
                raise Cancelled
            control.progress(number, len(images), image)
            if _has_label(store, image, FINAL) or (not again and _has_label(store, image, tag)):
                left_out.append(image)
                continue
            try:
                path, result = answer({**for_model, "image": store.get_image_uri(image)}, control.silent())
                notes = {"model": model, "params": result}
                notes |= {provenance.KEY: provenance.of_model(notes, model, result, time.time())}
                _keep(store, image, path, tag, notes)
                labelled.append(image)
            except Cancelled:
                raise
            except Exception as error:
                failed[image] = failure(error, f"the image {image} of a batch")
        control.progress(len(images), len(images))
        return {"model": model, "label_tag": tag, "labelled": labelled, "left_out": left_out, "failed": failed}

    return work


def _images(asked: Sequence[str], store: Datastore) -> list[str]:
    if not asked:
        return sorted(store.get_unlabeled_images())
    there = set(store.list_images())
    for image in asked:
        if image not in there:
            raise HTTPException(404, f"There is no image '{printable(image)}'; GET /datastore/?output=all lists them.")
    return list(dict.fromkeys(asked))


def _has_label(store: Datastore, image: str, tag: str) -> bool:
    return tag in store.get_labels_by_image_id(image)


def _keep(store: Datastore, image: str, path: str | None, tag: str, notes: dict[str, Any]) -> None:
    if path is None:
        raise RequestError("The model gave no mask file; leave out 'result_write_to_file'.")
    try:
        if not _has_label(store, image, FINAL):
            store.save_label(image, path, tag, notes)
    finally:
        Path(path).unlink(missing_ok=True)
