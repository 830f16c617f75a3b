"""The datastore's record on disk: `datastore_v2.json` in MONAI Label's own format, with a backup beside it."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from monailabel.datastore.local import LocalDatastoreModel

from samantic.app.lib.datastore.listing import ASIDE_FOLDER, LABELS_FOLDER
from samantic.imaging.atomic import atomic_path

LEDGER_NAME = "datastore_v2.json"
BACKUP_NAME = "datastore_v2.backup.json"

logger = logging.getLogger(__name__)


class LedgerFile:
    """Reads and writes the record of one studies folder; a reader sees the old record or the new one, whole.

    Both copies are on the disk when `write` returns, the backup first. Source: ours.
    """

    def __init__(self, studies: Path) -> None:
        self.path = studies / LEDGER_NAME
        self.backup = studies / ASIDE_FOLDER / BACKUP_NAME
        self._seen: tuple[int, int, int] | None = None

    def changed(self) -> bool:
        """Whether the file is another than the one last read or written here."""
        return self._signature() != self._seen

    def read(self) -> LocalDatastoreModel | None:
        """Return the record, from the backup if the file is damaged or missing, or None if there is neither.

        A damaged file is kept under a name that ends in `.damaged-<time>`.
        """
        signature = self._signature()
        ledger = _parsed(self.path)
        if ledger is None:
            if self.path.exists():
                kept = self.path.with_name(f"{LEDGER_NAME}.damaged-{time.strftime('%Y%m%dT%H%M%S')}")
                self.path.replace(kept)
                logger.error("%s is damaged; kept as %s", self.path, kept.name)
            ledger = _parsed(self.backup)
            if ledger is not None:
                logger.warning("Recovered the record of %s from its backup", self.path.parent)
                self.write(ledger)
        else:
            self._seen = signature
        return ledger

    def write(self, ledger: LocalDatastoreModel) -> None:
        """Write the record and its backup durably."""
        text = ledger.model_dump_json(indent=2, exclude={"base_path"}, fallback=str)
        self.backup.parent.mkdir(exist_ok=True)
        for path in (self.backup, self.path):
            with atomic_path(path) as temporary:
                temporary.write_text(text, encoding="utf-8")
        self._seen = self._signature()

    def _signature(self) -> tuple[int, int, int] | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino


def empty_ledger() -> LocalDatastoreModel:
    """Return the record of a studies folder that nobody has opened yet."""
    return LocalDatastoreModel(name="new-dataset", description="New Dataset", images_dir=".", labels_dir=LABELS_FOLDER)


def _parsed(path: Path) -> LocalDatastoreModel | None:
    try:
        return LocalDatastoreModel.model_validate_json(path.read_bytes())
    except OSError:
        return None
    except ValueError as error:
        logger.error("Cannot read %s: %s", path, error)
        return None
