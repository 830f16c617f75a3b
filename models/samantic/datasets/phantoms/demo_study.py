"""The demo study: a folder of phantoms that needs no download, with the truth beside them."""

from __future__ import annotations

import filecmp
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from samantic.datasets.phantoms.abdomen import make_abdomen
from samantic.datasets.phantoms.dermoscopy import make_dermoscopy
from samantic.datasets.phantoms.head import make_head
from samantic.datasets.phantoms.phantom import Phantom
from samantic.datasets.phantoms.ultrasound import make_ultrasound
from samantic.imaging import Kind, Volume, atomic_path, read_mask, read_volume, write_mask, write_volume

# MONAI Label's datastore looks for images in the folder itself only, so it never takes the truth for an image.
TRUTH_FOLDER = "truth"
INDEX_NAME = "truth.json"

MAKERS: dict[str, tuple[str, Callable[[], Phantom]]] = {
    "ct_abdomen": (".nii.gz", make_abdomen),
    "mr_head": (".nii.gz", make_head),
    "dermoscopy_1": (".jpg", lambda: make_dermoscopy(1)),
    "dermoscopy_2": (".jpg", lambda: make_dermoscopy(2)),
    "dermoscopy_3": (".jpg", lambda: make_dermoscopy(3)),
    "ultrasound_1": (".png", lambda: make_ultrasound(1)),
    "ultrasound_2": (".png", lambda: make_ultrasound(2)),
    "ultrasound_3": (".png", lambda: make_ultrasound(3)),
}


class DemoStudyError(ValueError):
    """The demo study cannot be written; the message says why and what to do."""


@dataclass(frozen=True)
class DemoImage:
    """One image of the demo study: its file, the file of its truth, and what the truth's values mean.

    `clicks` names for every class one voxel [i, j, k] that lies deep inside it.
    """

    id: str
    modality: str
    path: Path
    truth_path: Path
    names: dict[int, str]
    clicks: dict[str, tuple[int, int, int]]

    def volume(self) -> Volume:
        """Read the image."""
        return read_volume(self.path)

    def truth(self) -> np.ndarray:
        """Read the truth, (I, J, K) integers in the image's grid."""
        return read_mask(self.truth_path, self.volume())


@dataclass(frozen=True)
class DemoStudy:
    """The demo study on disk."""

    folder: Path
    images: tuple[DemoImage, ...]

    def __getitem__(self, image_id: str) -> DemoImage:
        for image in self.images:
            if image.id == image_id:
                return image
        raise KeyError(f"the demo study has no image '{image_id}'; it has {', '.join(i.id for i in self.images)}")

    def __iter__(self) -> Iterator[DemoImage]:
        return iter(self.images)


def write_demo_study(folder: Path | str, progress: Callable[[str], None] = lambda _: None) -> DemoStudy:
    """Write the demo study into `folder`, or only what is missing of it, and return it.

    Images lie in `folder`, truth and its index in `folder`/truth. The same bytes come out every time; every file
    appears whole or not at all; files that are there already stay untouched, so labels drawn on them stay right.
    `progress` is called with the id of each image before it is made. Raises DemoStudyError
    where the folder cannot be written or another image has the name of one of these.
    """
    folder = Path(folder).expanduser()
    truth = folder / TRUTH_FOLDER
    try:
        truth.mkdir(parents=True, exist_ok=True)
        index = _read_index(truth / INDEX_NAME)
        for image_id, (suffix, make) in MAKERS.items():
            files = (folder / f"{image_id}{suffix}", truth / f"{image_id}{_truth_suffix(suffix)}")
            if image_id not in index or not all(file.is_file() for file in files):
                progress(image_id)
                index[image_id] = _write(make(), *files)
        _write_index(truth / INDEX_NAME, index)
    except OSError as error:
        raise DemoStudyError(
            f"the demo study cannot be written to '{folder}' ({error.strerror or error}); choose another folder"
        ) from None
    return DemoStudy(folder, tuple(_image(folder, image_id, index[image_id]) for image_id in MAKERS))


def _truth_suffix(suffix: str) -> str:
    return ".nii.gz" if suffix == ".nii.gz" else ".png"


def _write(phantom: Phantom, image_path: Path, truth_path: Path) -> dict:
    kind: Kind = "volume" if image_path.suffix == ".gz" else "photograph"
    volume = Volume(phantom.image, phantom.affine, phantom.modality, kind)
    with TemporaryDirectory(dir=truth_path.parent) as workshop:
        made = Path(workshop) / image_path.name
        write_volume(made, volume)
        if not image_path.is_file():
            made.replace(image_path)
        elif not filecmp.cmp(made, image_path, shallow=False):
            # The truth would belong to another image than the one that lies there.
            raise DemoStudyError(
                f"'{image_path}' is in the way: it is not the image of the demo study; move it or choose another folder"
            )
    write_mask(truth_path, phantom.truth, volume)
    return {
        "modality": phantom.modality,
        "names": {str(value): name for value, name in phantom.names.items()},
        "clicks": phantom.clicks(),
    }


def _read_index(path: Path) -> dict[str, dict]:
    """Return what an earlier run recorded; nothing where there is no index or a damaged one."""
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        return dict(index["images"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}


def _write_index(path: Path, index: dict[str, dict]) -> None:
    text = json.dumps({"images": index}, indent=1) + "\n"
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _image(folder: Path, image_id: str, entry: dict) -> DemoImage:
    suffix = MAKERS[image_id][0]
    return DemoImage(
        id=image_id,
        modality=entry["modality"],
        path=folder / f"{image_id}{suffix}",
        truth_path=folder / TRUTH_FOLDER / f"{image_id}{_truth_suffix(suffix)}",
        names={int(value): name for value, name in entry["names"].items()},
        clicks={name: (int(i), int(j), int(k)) for name, (i, j, k) in entry["clicks"].items()},
    )
