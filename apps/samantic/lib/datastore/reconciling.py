"""Bringing the record and the studies folder together.

The record forgets nothing by itself: a file that is gone is not shown, and is shown again, with all that was noted
about it, when it is back (an unmounted disk must not cost the labels' history). Source: ours.
"""

from __future__ import annotations

import time

from monailabel.datastore.local import DataModel, ImageLabelModel, LocalDatastoreModel

from samantic.app.lib.datastore.listing import Listing
from samantic.app.lib.datastore.names import (
    NameRefusedError,
    checked_name,
    derived_id,
    image_extension,
    label_extension,
)
from samantic.app.lib.datastore.series import is_current, is_series, with_found_series


def file_name(record_id: str, model: DataModel) -> str:
    """Return the file (or, relative to the studies folder, the series folder) that a record stands for."""
    return str(model.info.get("name") or f"{record_id}{model.ext}")


def with_found(ledger: LocalDatastoreModel, listing: Listing) -> LocalDatastoreModel:
    """Return `ledger` with records for the images and labels that it does not know yet; itself if it knows all."""
    objects = _with_found_images(_with_safe_ids(ledger.objects), listing)
    objects = _with_found_labels(with_found_series(objects, listing), listing)
    return ledger if objects == ledger.objects else ledger.model_copy(update={"objects": objects})


def shown(ledger: LocalDatastoreModel, listing: Listing) -> LocalDatastoreModel:
    """Return the part of `ledger` whose files lie in the studies folder."""
    objects: dict[str, ImageLabelModel] = {}
    for image_id, record in ledger.objects.items():
        if _lies_there(image_id, record.image, listing):
            labels = {
                tag: label
                for tag, label in record.labels.items()
                if file_name(image_id, label) in listing.labels.get(tag, ())
            }
            objects[image_id] = ImageLabelModel(image=record.image, labels=labels)
    return ledger.model_copy(update={"objects": objects})


def _with_safe_ids(objects: dict[str, ImageLabelModel]) -> dict[str, ImageLabelModel]:
    # A folder that the stock server has worked on may hold ids such as "CT (1)"; the record keeps their file names.
    safe: dict[str, ImageLabelModel] = {}
    for image_id, record in objects.items():
        try:
            safe[checked_name(image_id, "image id")] = record
        except NameRefusedError:
            labels = {tag: _named(image_id, label) for tag, label in record.labels.items()}
            taken = {*objects, *safe}
            safe[derived_id(image_id + record.image.ext, taken)] = ImageLabelModel(
                image=_named(image_id, record.image), labels=labels
            )
    return safe


def _named(record_id: str, model: DataModel) -> DataModel:
    return DataModel(ext=model.ext, info={**model.info, "name": file_name(record_id, model)})


def _with_found_images(objects: dict[str, ImageLabelModel], listing: Listing) -> dict[str, ImageLabelModel]:
    known = {file_name(i, record.image) for i, record in objects.items() if not is_series(record.image)}
    found = dict(objects)
    for name in sorted(listing.files - known):
        info = {"ts": int(time.time()), "name": name}
        found[derived_id(name, found)] = ImageLabelModel(image=DataModel(ext=image_extension(name), info=info))
    return found


def _lies_there(image_id: str, image: DataModel, listing: Listing) -> bool:
    return is_current(image, listing) if is_series(image) else file_name(image_id, image) in listing.files


def _with_found_labels(objects: dict[str, ImageLabelModel], listing: Listing) -> dict[str, ImageLabelModel]:
    by_stem = {_stem(file_name(image_id, record.image)): image_id for image_id, record in reversed(objects.items())}
    found = dict(objects)
    for tag, names in listing.labels.items():
        try:
            checked_name(tag, "label tag")
        except NameRefusedError:
            continue
        known = {file_name(i, record.labels[tag]) for i, record in objects.items() if tag in record.labels}
        for name in sorted(names - known):
            stem = name.removesuffix(label_extension(name))
            image_id = stem if stem in found else by_stem.get(stem)
            if image_id is None:
                continue
            label = found[image_id].labels.get(tag)
            if label is not None and file_name(image_id, label) in names:
                continue
            info = {**(label.info if label else {"ts": int(time.time())}), "name": name}
            info.pop("checksum", None)
            labels = {**found[image_id].labels, tag: DataModel(ext=label_extension(name), info=info)}
            found[image_id] = ImageLabelModel(image=found[image_id].image, labels=labels)
    return found


def _stem(name: str) -> str:
    return name.removesuffix(image_extension(name))
