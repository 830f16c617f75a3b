"""What a model makes of every image of the studies: looked at in the background, one image at a time."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from monailabel.interfaces.datastore import Datastore

from samantic.app.lib.click_traffic import CLICKS
from samantic.app.lib.jobs.errors import failure
from samantic.app.lib.strategies.eyes import Eyes
from samantic.app.lib.strategies.image_files import ImageFile
from samantic.imaging import read_volume
from samantic.segsam.choosing import ImageSummary, SummaryOptions, SummaryStore, summary_key

MOST_KEPT = 20_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Unreadable:
    """An image that cannot be looked at, and why in a sentence."""

    why: str


Looked = ImageSummary | Unreadable
Key = tuple[str, str, SummaryOptions]


@dataclass(frozen=True, eq=False)
class _Wish:
    """One image to look at, with whose eyes, and for which classes."""

    file: ImageFile
    store: Datastore
    eyes: Eyes
    options: SummaryOptions


class Summaries:
    """Summaries of images, kept in memory and in `store`, made by one thread that lives only while there is work.

    It gives way to clicks unless somebody waits for it. Images are known by their files' name, size and time; what is
    kept on disk by their content. Source: ours.
    """

    def __init__(self, store: SummaryStore, most_kept: int = MOST_KEPT) -> None:
        self._store = store
        self._most_kept = most_kept
        self._looked: OrderedDict[Key, Looked] = OrderedDict()
        self._hashes: OrderedDict[str, str] = OrderedDict()
        self._wishes: dict[Key, _Wish] = {}
        self._waiting = 0
        self._at_work = False
        self._changed = threading.Condition()

    def of(
        self,
        files: Mapping[str, ImageFile],
        store: Datastore,
        eyes: Eyes,
        options: SummaryOptions,
        wait_s: float | None,
    ) -> dict[str, Looked]:
        """Image -> what is known of it after at most `wait_s` seconds (None: when all is known).

        What is missing then is made in the background, in the order given.
        """
        keys = {image: (file.signature, eyes.identity, options) for image, file in files.items()}
        with self._changed:
            missing = {
                key: _Wish(files[image], store, eyes, options) for image, key in keys.items() if key not in self._looked
            }
            # What older weights make of an image interests nobody any more, unless somebody waits for it.
            kept = {key: wish for key, wish in self._wishes.items() if self._waiting or key[1] == eyes.identity}
            self._wishes = missing | kept
            if missing:
                self._begin()
                self._waiting += 1
                try:
                    self._changed.wait_for(lambda: missing.keys() <= self._looked.keys(), wait_s)
                finally:
                    self._waiting -= 1
            known = {image: self._looked[key] for image, key in keys.items() if key in self._looked}
            for image in known:
                self._looked.move_to_end(keys[image])
            return known

    def _begin(self) -> None:
        if not self._at_work:
            self._at_work = True
            threading.Thread(target=self._work, name="samantic-summaries", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._wishes:
                    self._at_work = False
                    return
                key, wish = next(iter(self._wishes.items()))
            self._give_way()
            try:
                looked: Looked = self._look(wish)
            except Exception as error:
                looked = Unreadable(failure(error, f"looking at the image {wish.file.image}"))
            with self._changed:
                self._looked[key] = looked
                while len(self._looked) > max(self._most_kept, len(self._wishes)):
                    self._looked.popitem(last=False)
                self._wishes.pop(key, None)
                self._changed.notify_all()

    def _look(self, wish: _Wish) -> ImageSummary:
        identity, signature = wish.eyes.identity, wish.file.signature
        known = self._hashes.get(signature)
        found = None if known is None else self._store.get(summary_key(known, identity, wish.options))
        if found is not None:
            return found
        volume = read_volume(wish.file.path(wish.store))
        self._hashes[signature] = volume.content_hash
        while len(self._hashes) > self._most_kept:
            self._hashes.popitem(last=False)
        key = summary_key(volume.content_hash, identity, wish.options)
        found = self._store.get(key)
        if found is None:
            found = wish.eyes.look(volume, wish.options, self._give_way)
            self._store.put(key, found)
        return found

    def _give_way(self) -> bool:
        # Asked before every slice, as a cancellation would be; this work is never cancelled.
        CLICKS.give_way(lambda: self._waiting > 0)
        return False
