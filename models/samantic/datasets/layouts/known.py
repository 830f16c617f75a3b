"""All layouts, and the one that a folder has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from samantic.datasets.labelled_view import LabelledView
from samantic.datasets.layouts.amos import AMOS
from samantic.datasets.layouts.btcv import BTCV
from samantic.datasets.layouts.busi import BUSI
from samantic.datasets.layouts.case import DatasetError
from samantic.datasets.layouts.decathlon import DECATHLON
from samantic.datasets.layouts.ham10000 import HAM10000
from samantic.datasets.layouts.isic import ISIC_2016, ISIC_2017, ISIC_2018
from samantic.datasets.layouts.layout import Layout
from samantic.datasets.layouts.ph2 import PH2
from samantic.datasets.layouts.precise import PRECISE
from samantic.datasets.layouts.totalsegmentator import TOTALSEGMENTATOR

LAYOUTS: tuple[Layout, ...] = (
    ISIC_2016,
    ISIC_2017,
    ISIC_2018,
    PH2,
    HAM10000,
    BUSI,
    PRECISE,
    DECATHLON,
    TOTALSEGMENTATOR,
    BTCV,
    AMOS,
)


def recognise(folder: Path) -> Layout:
    """Return the layout of a downloaded data set; DatasetError says what was looked for, or that two sets are mixed."""
    folder = Path(folder)
    if not folder.is_dir():
        raise DatasetError(f"There is no folder '{folder}'; give the folder into which the data set was unpacked.")
    found = [layout for layout in LAYOUTS if layout.recognise(folder)]
    if len(found) == 1:
        return found[0]
    if found:
        names = " and ".join(layout.title for layout in found)
        raise DatasetError(f"'{folder}' holds {names}, which share images; unpack each set into a folder of its own.")
    looked_for = "".join(f"\n  {layout.title}: {layout.looked_for}" for layout in LAYOUTS)
    raise DatasetError(f"'{folder}' is no data set that is read. What was looked for:{looked_for}")


def open_dataset(folder: Path, part: str | None = None) -> Iterator[LabelledView]:
    """Read the labelled views of a downloaded data set, one image at a time.

    part: "train", "val", "test" or, where the publisher names none, "all"; None reads every part that has labels.
    Raises DatasetError at once for a folder that is not recognised or a part that is not there or has no labels, and
    while reading for a file that cannot be used.
    """
    return recognise(folder).cases(Path(folder), part)
