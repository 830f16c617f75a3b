"""MONAI Label's local datastore, made safe: ids, atomic durable writes, one lock, formats, DICOM series."""

from __future__ import annotations

import copy
import filecmp
import logging
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from monailabel.datastore.local import DataModel, ImageLabelModel, LocalDatastore, LocalDatastoreModel
from monailabel.interfaces.datastore import DefaultLabelTag
from monailabel.interfaces.exception import ImageNotFoundException, LabelNotFoundException

from samantic.app.lib.datastore.incoming import finish_interrupted, flush_folder, put_aside
from samantic.app.lib.datastore.ledger import LedgerFile, empty_ledger
from samantic.app.lib.datastore.listing import ASIDE_FOLDER, LABELS_FOLDER, list_studies
from samantic.app.lib.datastore.names import (
    IMAGE_EXTENSIONS,
    LABEL_EXTENSIONS,
    NameRefusedError,
    checked_name,
    derived_id,
    image_extension,
    label_extension,
    printable,
)
from samantic.app.lib.datastore.reconciling import file_name, shown, with_found
from samantic.app.lib.datastore.series import convert, converted_path, is_series
from samantic.imaging.atomic import atomic_path, remove_leftovers

# What the server itself notes about a file; a client's notes never replace it.
OWN_IMAGE_NOTES = ("name", "source", "series_uid", "stamp")
OWN_LABEL_NOTES = ("name", "checksum", "provenance")

logging.getLogger("filelock").setLevel(logging.ERROR)


class ImageExistsError(ValueError):
    """An image with this id is there already, and it is another one."""


class ReadOnlyError(PermissionError):
    """The studies folder is served read-only."""


class SamanticDatastore(LocalDatastore):
    """A studies folder with images at its top, DICOM series in folders, and labels under `labels/<tag>`.

    Reading never waits: readers see the last complete snapshot. Writers take one lock among threads and one among
    processes. With `auto_reload` a reader notices files that came or went, by their folders' time stamps; there is no
    watcher thread that could meddle with a save. With `read_only` every change raises ReadOnlyError.
    Raises FileNotFoundError if there is no such folder. Source: ours; format and methods of MONAI Label 0.8.5.
    """

    # The base's own start reads and writes files in place and starts a watcher; every step of it is replaced here.
    def __init__(self, studies: Path | str, auto_reload: bool = True, read_only: bool = False) -> None:
        self._studies = Path(studies).resolve(strict=True)
        self._datastore_path = str(self._studies)
        self._auto_reload = auto_reload
        self._read_only = read_only
        self._file = LedgerFile(self._studies)
        self._threads = threading.RLock()
        self._processes = FileLock(self._studies / ASIDE_FOLDER / "lock")
        self._converting = threading.Lock()
        if not read_only:
            for folder in (ASIDE_FOLDER, LABELS_FOLDER, *(f"{LABELS_FOLDER}/{tag.value}" for tag in DefaultLabelTag)):
                (self._studies / folder).mkdir(exist_ok=True)
        self._ledger = empty_ledger()
        self._listing = list_studies(self._studies)
        self._view = self._ledger
        with self._writing() if not read_only else self._threads:
            self._clean_up()
            self._look_again()

    @property
    def _datastore(self) -> LocalDatastoreModel:
        """What the base's reading methods read: the current snapshot; it is replaced, never changed."""
        if self._auto_reload and (not self._listing.is_current() or self._file.changed()):
            self._look_again_unless_busy()
        return self._view

    @property
    def studies(self) -> Path:
        """The studies folder, without links in its path."""
        return self._studies

    def refresh(self) -> None:
        """Look at the studies folder again."""
        with self._writing():
            self._look_again()

    def set_name(self, name: str) -> None:
        """Name the data set."""
        with self._writing():
            self._commit(self._ledger.model_copy(update={"name": name}))

    def set_description(self, description: str) -> None:
        """Describe the data set."""
        with self._writing():
            self._commit(self._ledger.model_copy(update={"description": description}))

    def list_series_ids(self) -> list[str]:
        """Return the ids of the images that are DICOM series."""
        return [image_id for image_id, record in self._datastore.objects.items() if is_series(record.image)]

    def datalist(self, full_path: bool = True) -> list[dict[str, Any]]:
        """Return image and final label of every labelled image, as absolute paths or relative to the studies."""
        pairs = [
            {"image": self.get_image_uri(image_id), "label": self.get_label_uri(image_id, DefaultLabelTag.FINAL.value)}
            for image_id in self.get_labeled_images()
        ]
        if full_path:
            return pairs
        return [{k: Path(v).relative_to(self._studies).as_posix() for k, v in pair.items()} for pair in pairs]

    def get_image_uri(self, image_id: str) -> str:
        """Return the image's file, "" if there is no such image; a series is converted on first use.

        Raises ImageReadError for a series that is not one whole volume.
        """
        record = self._datastore.objects.get(image_id)
        if record is None:
            return ""
        if not is_series(record.image):
            return str(self._image_path(image_id, record.image))
        with self._converting:
            return str(convert(self._studies, image_id, record.image))

    def get_image_info(self, image_id: str) -> dict[str, Any]:
        """Return what is noted about an image and its `path`; {} if there is no such image."""
        record = self._datastore.objects.get(image_id)
        if record is None:
            return {}
        return {**copy.deepcopy(record.image.info), "path": str(self._image_path(image_id, record.image))}

    def get_label_uri(self, label_id: str, label_tag: str) -> str:
        """Return the label's file, "" if there is no such label."""
        label = self._datastore.label(label_id, label_tag)
        return str(self._tag_folder(label_tag) / file_name(label_id, label)) if label else ""

    def get_label_info(self, label_id: str, label_tag: str) -> dict[str, Any]:
        """Return what is noted about a label; {} if there is no such label."""
        label = self._datastore.label(label_id, label_tag)
        return copy.deepcopy(label.info) if label else {}

    def add_image(self, image_id: str, image_filename: str, image_info: dict[str, Any]) -> str:
        """Copy an image file into the studies folder and return its id; without `image_id` one is derived.

        The same file again under the same id is accepted. Raises NameRefusedError and ImageExistsError.
        """
        source = Path(image_filename)
        extension = image_extension(source.name)
        if not extension:
            raise NameRefusedError(
                f"An image cannot be '{printable(source.name)}'; its name must end in {', '.join(IMAGE_EXTENSIONS)}."
            )
        with self._writing():
            image_id = checked_name(image_id, "image id") if image_id else derived_id(source.name, self._ledger.objects)
            target = self._studies / f"{image_id}{extension}"
            if image_id in self._ledger.objects or target.exists():
                if target.is_file() and filecmp.cmp(source, target, shallow=False):
                    return image_id
                raise ImageExistsError(
                    f"There is another image '{image_id}' already; choose a different id or remove that image first."
                )
            with atomic_path(target) as temporary:
                shutil.copyfile(source, temporary)
            info = {**_noted({}, image_info or {}, OWN_IMAGE_NOTES), "ts": int(time.time()), "name": target.name}
            record = ImageLabelModel(image=DataModel(ext=extension, info=info))
            self._commit(self._with_objects({image_id: record}))
        return image_id

    def remove_image(self, image_id: str) -> None:
        """Remove an image with its labels. A DICOM series is not removed: its files were not put there by us.

        Raises ImageNotFoundException, and ValueError for a series.
        """
        with self._writing():
            record = self._view.objects.get(image_id)
            if record is None:
                raise ImageNotFoundException(f"There is no image '{printable(image_id)}'.")
            if is_series(record.image):
                raise ImageExistsError(
                    f"The image '{image_id}' is a DICOM series; remove its folder '{record.image.info['name']}' itself."
                )
            for tag, label in record.labels.items():
                (self._tag_folder(tag) / file_name(image_id, label)).unlink(missing_ok=True)
            self._image_path(image_id, record.image).unlink(missing_ok=True)
            objects = {other: kept for other, kept in self._ledger.objects.items() if other != image_id}
            self._commit(self._ledger.model_copy(update={"objects": objects}))

    def save_label(self, image_id: str, label_filename: str, label_tag: str, label_info: dict[str, Any]) -> str:
        """Keep a copy of a label file with what is noted about it, and return its id, the image's.

        When this returns, file and notes are on the disk; a kill before leaves the previous label and its notes.
        Raises ImageNotFoundException and NameRefusedError.
        """
        tag = checked_name(label_tag, "label tag")
        extension = label_extension(Path(label_filename).name)
        if not extension:
            raise NameRefusedError(
                f"A label cannot be '{printable(Path(label_filename).name)}'; its name must end in "
                f"{', '.join(LABEL_EXTENSIONS)}."
            )
        with self._writing():
            record = self._view.objects.get(image_id)
            if record is None:
                raise ImageNotFoundException(f"There is no image '{printable(image_id)}' to keep a label for.")
            previous = self._ledger.label(image_id, tag)
            folder = self._tag_folder(tag)
            if not folder.is_dir():
                folder.mkdir()
                flush_folder(folder.parent)
            incoming = put_aside(Path(label_filename), folder, f"{image_id}{extension}")
            notes = {
                **(label_info or {}),
                "ts": int(time.time()),
                "name": incoming.name,
                "checksum": incoming.checksum,
            }
            ledger = self._with_label(image_id, tag, DataModel(ext=extension, info=notes))
            try:
                self._file.write(ledger)
            except BaseException:
                incoming.path.unlink(missing_ok=True)
                raise
            self._ledger = ledger
            incoming.settle()
            if previous is not None and file_name(image_id, previous) != incoming.name:
                (folder / file_name(image_id, previous)).unlink(missing_ok=True)
            self._look_again()
        return image_id

    def remove_label(self, label_id: str, label_tag: str) -> None:
        """Remove a label. Raises LabelNotFoundException if there is none."""
        with self._writing():
            label = self._view.label(label_id, label_tag)
            if label is None:
                raise self._no_label(label_id, label_tag)
            (self._tag_folder(label_tag) / file_name(label_id, label)).unlink(missing_ok=True)
            record = self._ledger.objects[label_id]
            labels = {tag: kept for tag, kept in record.labels.items() if tag != label_tag}
            self._commit(self._with_objects({label_id: ImageLabelModel(image=record.image, labels=labels)}))

    def update_image_info(self, image_id: str, info: dict[str, Any]) -> None:
        """Note more about an image. Raises ImageNotFoundException."""
        with self._writing():
            record = self._ledger.objects.get(image_id)
            if record is None or image_id not in self._view.objects:
                raise ImageNotFoundException(f"There is no image '{printable(image_id)}'.")
            image = DataModel(ext=record.image.ext, info=_noted(record.image.info, info, OWN_IMAGE_NOTES))
            self._commit(self._with_objects({image_id: ImageLabelModel(image=image, labels=record.labels)}))

    def update_label_info(self, label_id: str, label_tag: str, info: dict[str, Any]) -> None:
        """Note more about a label. Raises LabelNotFoundException."""
        with self._writing():
            label = self._view.label(label_id, label_tag)
            if label is None:
                raise self._no_label(label_id, label_tag)
            notes = _noted(label.info, info, OWN_LABEL_NOTES)
            self._commit(self._with_label(label_id, label_tag, DataModel(ext=label.ext, info=notes)))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._refuse_if_read_only()
        with self._threads, self._processes:
            if self._file.changed():
                self._ledger = self._file.read() or self._ledger
                self._look_again()
            yield

    def _look_again_unless_busy(self) -> None:
        # A reader must not wait for a writer; the writer looks again itself before it is done.
        if not self._threads.acquire(blocking=False):
            return
        try:
            if self._read_only:
                self._look_again()
                return
            with self._processes.acquire(timeout=0):
                self._look_again()
        except Timeout:
            return
        finally:
            self._threads.release()

    def _look_again(self) -> None:
        if self._file.changed():
            self._ledger = self._file.read() or self._ledger
        self._listing = list_studies(self._studies)
        ledger = with_found(self._ledger, self._listing)
        if ledger is not self._ledger and not self._read_only:
            self._file.write(ledger)
        self._ledger = ledger
        self._show()

    def _commit(self, ledger: LocalDatastoreModel) -> None:
        self._file.write(ledger)
        self._ledger = ledger
        self._listing = list_studies(self._studies)
        self._show()

    def _show(self) -> None:
        view = shown(self._ledger, self._listing)
        view.base_path = self._datastore_path
        self._view = view

    def _clean_up(self) -> None:
        if self._read_only:
            return
        self._ledger = self._file.read() or self._ledger
        for folder in (self._studies, self._studies / ASIDE_FOLDER, self._studies / ASIDE_FOLDER / "series"):
            if folder.is_dir():
                remove_leftovers(folder)
        for folder in (self._studies / LABELS_FOLDER).iterdir():
            if folder.is_dir():
                finish_interrupted(folder, lambda name, checksum, tag=folder.name: self._is_noted(tag, name, checksum))

    def _is_noted(self, tag: str, name: str, checksum: str) -> bool:
        labels = (record.labels.get(tag) for record in self._ledger.objects.values())
        return any(
            label is not None and label.info.get("name") == name and label.info.get("checksum") == checksum
            for label in labels
        )

    def _with_objects(self, changed: dict[str, ImageLabelModel]) -> LocalDatastoreModel:
        return self._ledger.model_copy(update={"objects": {**self._ledger.objects, **changed}})

    def _with_label(self, image_id: str, tag: str, label: DataModel) -> LocalDatastoreModel:
        record = self._ledger.objects[image_id]
        return self._with_objects({image_id: ImageLabelModel(image=record.image, labels={**record.labels, tag: label})})

    def _image_path(self, image_id: str, image: DataModel) -> Path:
        if is_series(image):
            return converted_path(self._studies, image_id)
        return self._studies / Path(file_name(image_id, image)).name

    def _tag_folder(self, tag: str) -> Path:
        return self._studies / LABELS_FOLDER / checked_name(tag, "label tag")

    def _no_label(self, label_id: str, tag: str) -> LabelNotFoundException:
        return LabelNotFoundException(f"The image '{printable(label_id)}' has no label '{printable(tag)}'.")

    def _refuse_if_read_only(self) -> None:
        if self._read_only:
            raise ReadOnlyError("The studies folder is served read-only; nothing in it can be changed.")


def _noted(old: dict[str, Any], new: dict[str, Any], own: tuple[str, ...]) -> dict[str, Any]:
    return {**old, **{key: value for key, value in new.items() if key not in own}}
